//! The same test program again, as another Lakefront process.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use lakefront_postgres::embedded::EmbeddedOptions;

use crate::folder::start;

const FOLDER: &str = "LAKEFRONT_TEST_CHILD_FOLDER";
/// Where the other process keeps fetched programs.
pub const CACHE: &str = "LAKEFRONT_TEST_CHILD_CACHE";

const THROWAWAY: &str = "LAKEFRONT_TEST_CHILD_THROWAWAY";

/// A process that runs a server and tells whether it owns it.
pub struct Other {
    child: Child,
    /// Open as long as the process lives, which writes to it.
    _output: BufReader<ChildStdout>,
    pub is_owner: bool,
}

impl Other {
    pub fn start(folder: &Path, throwaway: bool) -> Self {
        Self::start_with(folder, throwaway, &[])
    }

    /// As `start`, with other variables in its environment.
    pub fn start_with(folder: &Path, throwaway: bool, variables: &[(&str, &Path)]) -> Self {
        let mut command = command(folder);
        command.envs(variables.iter().copied());
        if throwaway {
            command.env(THROWAWAY, "1");
        }
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let owner = output
            .by_ref()
            .lines()
            .map(Result::unwrap)
            .find_map(|line| line.split_once("owner=").map(|(_, owner)| owner == "true"))
            .expect("the other process ended early");
        Self { child, _output: output, is_owner: owner }
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lets it end as a program does.
    pub fn finish(mut self) {
        self.child.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "process::other_process", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// Lets a process begin to run a server, and kills it after a time.
pub fn begin_and_kill(folder: &Path, after: Duration) {
    let mut child = command(folder).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
#[ignore = "is not a test: other tests run it as a process of its own"]
async fn other_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let options = match std::env::var_os(THROWAWAY) {
        Some(_) => EmbeddedOptions::throwaway(folder),
        None => EmbeddedOptions::new(folder),
    };
    let options = match std::env::var_os(CACHE) {
        Some(cache) => options.with_cache(cache),
        None => options,
    };
    let server = start(options).await;
    println!("owner={}", server.is_owner());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    server.stop().await.unwrap();
}
