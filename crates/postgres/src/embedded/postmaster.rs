//! The server's main process.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::error::EmbeddedError;
use super::pidfile::{self, PidFile};

/// How often a condition is looked at again. A start takes some 100 ms, so this adds little.
pub(super) const POLL: Duration = Duration::from_millis(10);

/// How long a fast shutdown may take: it writes all changed pages, up to the whole of
/// `shared_buffers`, to a disk that may be slow.
const FAST_LIMIT: Duration = Duration::from_secs(120);

/// How long an immediate shutdown may take; PostgreSQL itself kills what is left after 5 s.
const IMMEDIATE_LIMIT: Duration = Duration::from_secs(15);

/// How long a drop, which cannot be awaited, waits for the server to end.
const DROP_LIMIT: Duration = Duration::from_secs(10);

/// A running server that this process is to stop.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    /// `None` for a server that another process had started.
    child: Option<Child>,
    data: PathBuf,
    stopped: bool,
}

impl Postmaster {
    /// Starts a server that writes on the log.
    pub(super) fn spawn(mut command: Command, data: &Path, log: File) -> Result<Self, EmbeddedError> {
        let program = Path::new(command.get_program()).to_owned();
        let failed = EmbeddedError::io("run", &program);
        let errors = match log.try_clone() {
            Ok(errors) => errors,
            Err(error) => return Err(failed(error)),
        };
        let child = command
            .arg("-D")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C at the terminal must not stop the server before Lakefront is done with it.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        Ok(Self { pid: Pid::from_child(&child), child: Some(child), data: data.to_owned(), stopped: false })
    }

    /// Takes over a server that runs already.
    pub(super) fn adopt(pid: Pid, data: &Path) -> Self {
        Self { pid, child: None, data: data.to_owned(), stopped: false }
    }

    /// Its process id.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// True until it has ended.
    pub(super) fn is_running(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => {
                PidFile::read(&self.data).is_some_and(|file| file.pid == self.pid)
                    && pidfile::is_running(self.pid)
            }
        }
    }

    /// Whether nothing is left of it. It removes its file a moment before it ends, so a file that is
    /// gone does not mean yet that the process is.
    fn has_ended(&mut self) -> bool {
        match &self.child {
            Some(_) => !self.is_running(),
            None => {
                PidFile::read(&self.data).is_some_and(|file| file.pid != self.pid)
                    || !pidfile::is_running(self.pid)
            }
        }
    }

    /// Stops it: open transactions are rolled back, sessions ended, everything written out. Where
    /// that takes too long it is ended at once, and recovers at the next start.
    pub(super) async fn stop(mut self) -> Result<(), EmbeddedError> {
        for (signal, limit) in [(Signal::INT, FAST_LIMIT), (Signal::QUIT, IMMEDIATE_LIMIT)] {
            self.signal(signal);
            let deadline = Instant::now() + limit;
            while !self.has_ended() && Instant::now() <= deadline {
                tokio::time::sleep(POLL).await;
            }
            if !self.is_running() {
                self.stopped = true;
                return Ok(());
            }
        }
        Err(EmbeddedError::NotStopped { pid: self.pid.as_raw_nonzero().get() })
    }

    fn signal(&mut self, signal: Signal) {
        if self.is_running() {
            let _ = kill_process(self.pid, signal);
        }
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if self.stopped {
            return;
        }
        self.signal(Signal::INT);
        let deadline = Instant::now() + DROP_LIMIT;
        while self.is_running() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
    }
}
