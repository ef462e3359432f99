//! A demo under way.

use crate::http::get;
use crate::process::Process;
use crate::run::command;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a demo may take to open its shop on a busy machine, PostgreSQL fetched and all.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running `lakefront demo`; killed when it is dropped.
pub struct Demo {
    process: Process,
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
        Self {
            process: Process(child),
            address: address.expect("an address"),
            database: database.expect("an address"),
        }
    }

    /// Status and body of a GET.
    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        get(&self.address, path).expect("the shop answers")
    }

    /// The JSON of a GET that is answered with 200.
    pub fn json(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Asks it to end, and returns its exit code.
    pub fn stop(self) -> i32 {
        self.process.stop()
    }

    /// Kills it, as a machine that fails would.
    pub fn kill(self) {
        self.process.kill();
    }
}
