//! A demo under way.

use crate::run::command;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a demo may take to open its shop on a busy machine, PostgreSQL fetched and all.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running `lakefront demo`; killed when it is dropped.
pub struct Demo {
    child: Child,
    /// `127.0.0.1:PORT` of the shop
    pub address: String,
    /// the address that its `psql` line has
    pub database: String,
}

impl Demo {
    /// Starts a demo in a folder on a free port, and returns when the shop is open.
    pub fn start(folder: &Path, activity: &str) -> Self {
        Self::start_by(command(), folder, activity)
    }

    /// The same with a command of the caller's.
    pub fn start_by(mut command: Command, folder: &Path, activity: &str) -> Self {
        let mut child = command
            .args(["demo", "--port", "0", "--activity", activity, "--data"])
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let (mut address, mut database) = (None, None);
        let started = Instant::now();
        while address.is_none() || database.is_none() {
            assert!(started.elapsed() < PATIENCE, "the shop does not open");
            let line = lines.next().expect("the demo ended early").expect("UTF-8");
            if let Some(url) = line.trim().strip_prefix("shop  http://") {
                address = Some(url.trim_end_matches('/').to_owned());
            }
            if let Some((_, url)) = line.split_once("psql '") {
                database = Some(url.trim_end_matches('\'').to_owned());
            }
        }
        Self { child, address: address.expect("an address"), database: database.expect("an address") }
    }

    /// Status and body of a GET.
    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).expect("the shop answers");
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a head") + 4;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        (status, answer[end..].to_vec())
    }

    /// The JSON of a GET that is answered with 200.
    pub fn json(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Asks it to end, and returns its exit code.
    pub fn stop(mut self) -> i32 {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }

    /// Kills it, as a machine that fails would.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has ended already in the good case.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
