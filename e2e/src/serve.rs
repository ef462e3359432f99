//! A `lakefront serve` under way.

use crate::process::Process;
use crate::run::command;
use std::path::Path;

/// A running `lakefront serve`; killed when it is dropped.
pub struct Serve(Process);

impl Serve {
    /// Starts it with a configuration file.
    pub fn start(config: &Path) -> Self {
        let child = command().args(["serve", "--config"]).arg(config).spawn().expect("the binary runs");
        Self(Process(child))
    }

    /// Asks it to end, and returns its exit code.
    pub fn stop(self) -> i32 {
        self.0.stop()
    }
}
