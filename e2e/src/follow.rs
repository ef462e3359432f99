//! A `lakefront load --follow` under way.

use crate::process::Process;
use crate::run::command;
use std::path::Path;

/// A running `lakefront load --follow`; killed when it is dropped.
pub struct Follow(Process);

impl Follow {
    /// Follows a table.
    pub fn start(source: &Path, into: &str, key: &str, url: &str) -> Self {
        let mut command = command();
        command.arg("load").arg(source).args(["--into", into, "--key", key, "--database", url, "--follow"]);
        Self(Process(command.spawn().expect("the binary runs")))
    }

    /// Processor time that it has used. Linux only; 0 elsewhere.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.0.id())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks =
            |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
        // utime and stime of proc(5), in hundredths of a second on all of today's systems.
        (ticks(11) + ticks(12)) / 100.0
    }

    /// Asks it to end, and returns its exit code.
    pub fn stop(self) -> i32 {
        self.0.stop()
    }

    /// Kills it, as a machine that fails would.
    pub fn kill(self) {
        self.0.kill();
    }
}
