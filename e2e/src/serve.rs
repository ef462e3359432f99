//! A `lakefront serve` under way.

use crate::run::command;
use std::path::Path;
use std::process::{Child, Command};

/// A running `lakefront serve`; killed when it is dropped.
pub struct Serve(Child);

impl Serve {
    /// Starts it with a configuration file.
    pub fn start(config: &Path) -> Self {
        Self(command().args(["serve", "--config"]).arg(config).spawn().expect("the binary runs"))
    }

    /// Asks it to end, and returns its exit code.
    pub fn stop(mut self) -> i32 {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        self.0.wait().expect("it ends").code().unwrap_or(-1)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // It has ended already in the good case.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
