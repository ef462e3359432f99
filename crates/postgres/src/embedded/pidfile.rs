//! PostgreSQL's own note of who runs on a data directory.
//!
//! Source: `src/include/utils/pidfile.h` of PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, test_kill_process};

/// What `postmaster.pid` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: Pid,
    pub(super) port: u16,
    /// The first folder with a socket; empty when there is none.
    pub(super) socket_folder: PathBuf,
    pub(super) status: Status,
}

/// What the server says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ready,
    /// Starting, which includes recovery.
    Starting,
    Stopping,
}

impl PidFile {
    /// The path of the file in a data directory.
    pub(super) fn path(data: &Path) -> PathBuf {
        data.join("postmaster.pid")
    }

    /// Reads it; `None` when there is none, or it is only half written yet.
    pub(super) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(Self::path(data)).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid: i32 = lines.next()?.trim().parse().ok()?;
        let port = lines.nth(2)?.trim().parse().ok()?;
        let socket_folder = PathBuf::from(lines.next()?.trim_end());
        let status = match lines.nth(2).map(str::trim) {
            Some("ready" | "standby") => Status::Ready,
            Some("stopping") => Status::Stopping,
            _ => Status::Starting,
        };
        // Single-user mode writes its negative process id.
        Some(Self { pid: Pid::from_raw(pid.checked_abs()?)?, port, socket_folder, status })
    }

    /// True while the process is alive and still a server on this data directory: the number may
    /// have gone to another process since.
    pub(super) fn is_alive(&self, data: &Path) -> bool {
        // A server works within its data directory, however that was named to it.
        let works_there = || {
            fs::read_link(format!("/proc/{}/cwd", self.pid.as_raw_nonzero())).is_ok_and(|path| path == data)
        };
        is_running(self.pid)
            && (command_line(self.pid).is_none_or(|line| line.contains(&*data.to_string_lossy()))
                || works_there())
    }
}

/// True while a process exists.
pub(super) fn is_running(pid: Pid) -> bool {
    match test_kill_process(pid) {
        Ok(()) => !is_zombie(pid),
        Err(error) => error == rustix::io::Errno::PERM,
    }
}

/// A dead process that its parent has not noticed yet. In a container whose first process does not
/// look after orphans, it stays for ever.
fn is_zombie(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))
        .ok()
        .and_then(|stat| stat.rsplit_once(") ").map(|(_, rest)| rest.starts_with('Z')))
        .unwrap_or(false)
}

/// The command line of a process; `None` when it cannot be found out.
fn command_line(pid: Pid) -> Option<String> {
    let pid = pid.as_raw_nonzero();
    if let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&line).replace('\0', " "));
    }
    let output = Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_file_is_read_at_every_stage() {
        let ready = "15410\n/tmp/d\n1795559776\n5999\n/tmp/run\n127.0.0.1\n 10117211        20\nready   \n";
        let found = PidFile::parse(ready).unwrap();
        assert_eq!(found.pid.as_raw_nonzero().get(), 15410);
        assert_eq!((found.port, found.status), (5999, Status::Ready));
        assert_eq!(found.socket_folder, PathBuf::from("/tmp/run"));
        let early = "15410\n/tmp/d\n1795559776\n5999\n/tmp/run\n";
        assert_eq!(PidFile::parse(early).unwrap().status, Status::Starting);
        assert_eq!(PidFile::parse("15410\n/tmp/d\n"), None);
        assert_eq!(PidFile::parse(""), None);
    }

    #[test]
    fn a_process_that_is_no_server_on_the_folder_does_not_count() {
        let own = Pid::from_raw(std::process::id().try_into().unwrap()).unwrap();
        let file = PidFile { pid: own, port: 1, socket_folder: PathBuf::new(), status: Status::Ready };
        assert!(is_running(own));
        assert!(!file.is_alive(Path::new("/no/such/folder/pgdata")));
    }
}
