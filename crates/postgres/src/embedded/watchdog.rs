//! Ends a throwaway server when the process that started it ends, in whatever way.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Pid;

use super::error::EmbeddedError;
use super::pidfile::PidFile;

/// Waits for the end of its input, which the system brings about when the process that holds the
/// other end is gone. Then it kills the server, if the server's own file still names the same
/// process, waits until that file is gone, and removes the folder.
const SCRIPT: &str = r#"
read -r _
if [ "$(head -n 1 "$1" 2>/dev/null)" = "$2" ]; then
    kill -QUIT "$2"
fi
left=200
while [ -e "$1" ] && [ "$left" -gt 0 ]; do
    sleep 0.05
    left=$((left - 1))
done
rm -rf -- "$3"
"#;

/// A running watchdog; it does its work when this is dropped.
#[derive(Debug)]
pub(super) struct Watchdog(Child);

impl Watchdog {
    /// Watches over the server `pid` on the data directory `data`; at the end `folder` is removed.
    pub(super) fn start(pid: Pid, data: &Path, folder: &Path) -> Result<Self, EmbeddedError> {
        let shell = Path::new("/bin/sh");
        Command::new(shell)
            .args(["-c", SCRIPT, "lakefront-watchdog"])
            .arg(PidFile::path(data))
            .arg(pid.as_raw_nonzero().to_string())
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
