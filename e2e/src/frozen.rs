//! A `lakefront` that is frozen at a named moment, as on a machine that is paused.

use crate::process::Process;
use crate::run::{Finished, command};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to the moment on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A frozen process; killed when it is dropped.
pub struct Frozen(Process);

impl Frozen {
    /// Starts a command, and returns when it has stopped at the moment.
    pub fn at(moment: &str, arguments: &[&str]) -> Self {
        let child = command()
            .args(arguments)
            .env("LAKEFRONT_FAILPOINT", format!("{moment}:stop"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut frozen = Self(Process(child));
        let start = Instant::now();
        while !frozen.state().starts_with('T') {
            let ended = frozen.0.0.try_wait().expect("a child");
            assert!(ended.is_none(), "{moment} was not reached: {ended:?}");
            assert!(start.elapsed() < PATIENCE, "waited for {moment}");
            std::thread::yield_now();
        }
        frozen
    }

    /// Its state as `ps` tells it: `T` for one that was stopped by a signal.
    fn state(&self) -> String {
        let id = self.0.0.id().to_string();
        let told = Command::new("ps").args(["-o", "state=", "-p", &id]).output().expect("ps");
        String::from_utf8_lossy(&told.stdout).trim().to_owned()
    }

    /// Has it go on, and waits for its end.
    pub fn thaw(mut self) -> Finished {
        let id = self.0.0.id().to_string();
        assert!(Command::new("kill").args(["-CONT", &id]).status().expect("kill").success());
        Finished::of_child(&mut self.0.0)
    }
}
