//! The lock that says who starts and stops a server.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::error::EmbeddedError;

/// A held lock. The operating system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code, reason = "held open, never read")] File);

impl Lock {
    /// Takes the lock; `None` when another process has it.
    pub(super) fn try_take(file: &Path) -> Result<Option<Self>, EmbeddedError> {
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(file)
            .map_err(EmbeddedError::io("open", file))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(lock))),
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => Ok(None),
            Err(error) => Err(EmbeddedError::io("lock", file)(io::Error::from(error))),
        }
    }
}
