//! The server's log.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::EmbeddedError;

/// A log larger than this is put aside at the next start, in place of the one before it.
const ROTATE_AT: u64 = 16 * 1024 * 1024;

/// How many lines of the log an error shows.
const TAIL_LINES: usize = 12;

/// How much of the end of the log is looked at for them.
const TAIL_BYTES: u64 = 8 * 1024;

/// Opens the log for the server to write on.
pub(super) fn open(log: &Path) -> Result<File, EmbeddedError> {
    if fs::metadata(log).is_ok_and(|metadata| metadata.len() > ROTATE_AT) {
        let _ = fs::rename(log, log.with_extension("log.1"));
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(log).map_err(EmbeddedError::io("open", log))
}

/// The last lines written after `from`.
pub(super) fn tail(log: &Path, from: u64) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(log) {
        let end = file.metadata().map_or(0, |metadata| metadata.len());
        let start = from.max(end.saturating_sub(TAIL_BYTES));
        if file.seek(SeekFrom::Start(start)).is_ok() {
            let _ = file.read_to_end(&mut text);
        }
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
