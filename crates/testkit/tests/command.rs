//! The command that runs others with one server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lakefront_testkit::SERVER_VARIABLE;
use rustix::process::{Pid, Signal, kill_process};

/// Tells the server's folder of sockets, which only exists while the server's folder does.
const TELL: &str = "echo \"$LAKEFRONT_TEST_DATABASE_URL\"; ";

fn testkit(script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lakefront-testkit"));
    command.args(["sh", "-c", script]).env_remove(SERVER_VARIABLE).stdin(Stdio::null());
    command
}

fn socket_folder(url: &str) -> std::path::PathBuf {
    let options = lakefront_postgres::connect::ConnectOptions::parse(url).unwrap();
    options.servers()[0].host.clone().into()
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "waited a minute for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts it with a command that tells the server and then waits for a signal, or for the end of its
/// input, which this process brings about at its end if not before.
fn waiting() -> (Child, std::path::PathBuf) {
    let script = format!("{TELL} exec cat");
    let mut child = testkit(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, socket_folder(&line))
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[tokio::test]
async fn the_command_has_a_server_and_its_exit_code_is_passed_on() {
    let output = testkit(&format!("{TELL} exit 7")).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = socket_folder(&String::from_utf8(output.stdout).unwrap());
    assert!(!folder.exists(), "the server is gone when the command is");
    let killed = testkit("kill -KILL $$").status().unwrap();
    assert_eq!(killed.code(), Some(137));
}

#[tokio::test]
async fn a_server_given_is_used() {
    let given = "postgres://somewhere/else";
    let output = testkit(TELL).env(SERVER_VARIABLE, given).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), given);
}

#[tokio::test]
async fn signals_end_command_and_server() {
    for kind in [Signal::TERM, Signal::INT] {
        let (mut child, folder) = waiting();
        assert!(folder.exists());
        signal(&child, kind);
        let _input = child.stdin.take();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(128 + kind.as_raw()));
        assert!(!folder.exists());
    }
}

#[tokio::test]
async fn the_server_ends_even_when_nobody_can_stop_it() {
    let (mut child, folder) = waiting();
    child.kill().unwrap();
    let _input = child.stdin.take();
    child.wait().unwrap();
    wait_until("the server's folder to go", || !folder.exists());
}

#[test]
fn wrong_usage_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_lakefront-testkit")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("usage:"));
}
