//! A long-running `lakefront`.

use std::process::{Child, Command};

/// A running process; killed when it is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Asks it to end, and returns its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        self.0.wait().expect("it ends").code().unwrap_or(-1)
    }

    /// Kills it, as a machine that fails would.
    pub(crate) fn kill(mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already in the good case.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
