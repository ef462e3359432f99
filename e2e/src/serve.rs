//! A `lakefront serve` under way.

use crate::process::Process;
use crate::run::command;
use std::fs::File;
use std::path::Path;

/// A running `lakefront serve`; killed when it is dropped.
pub struct Serve(Process);

impl Serve {
    /// Starts it with a configuration file.
    pub fn start(config: &Path) -> Self {
        let child = command().args(["serve", "--config"]).arg(config).spawn().expect("the binary runs");
        Self(Process(child))
    }

    /// The same; what it tells goes into a file.
    pub fn start_telling(config: &Path, told: &Path) -> Self {
        let told = File::create(told).expect("a file");
        let child = command().args(["serve", "--config"]).arg(config).stderr(told).spawn();
        Self(Process(child.expect("the binary runs")))
    }

    /// Asks it to end, and returns its exit code.
    pub fn stop(self) -> i32 {
        self.0.stop()
    }
}
