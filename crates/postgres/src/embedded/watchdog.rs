//! Ends a throwaway server when the process that started it ends, in whatever way.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::error::EmbeddedError;
use super::pidfile::PidFile;

/// Waits for the end of its input, which the system brings about when the process that holds the
/// other end is gone. Then it kills the server that has the data directory, waits until its file is
/// gone, and removes the folder. A server that has not written its file yet ends by itself, without
/// its data. The name of the folder was never used before, so the number in the file is no other's.
const SCRIPT: &str = r#"
read -r _
pid=$(head -n 1 "$1" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
left=200
while [ -e "$1" ] && [ "$left" -gt 0 ]; do
    sleep 0.05
    left=$((left - 1))
done
rm -rf -- "$2"
"#;

/// A running watchdog; it does its work when this is dropped.
#[derive(Debug)]
pub(super) struct Watchdog(Child);

impl Watchdog {
    /// Watches over the server on the data directory `data`; at the end `folder` is removed.
    pub(super) fn start(data: &Path, folder: &Path) -> Result<Self, EmbeddedError> {
        let shell = Path::new("/bin/sh");
        Command::new(shell)
            .args(["-c", SCRIPT, "lakefront-watchdog"])
            .arg(PidFile::path(data))
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Signals from the terminal are not meant for it.
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(EmbeddedError::io("run", shell))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
