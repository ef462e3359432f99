//! What the machine has to give.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// When the amount of memory cannot be found out.
const ASSUMED_MEMORY: u64 = 2 << 30;

/// What the machine has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    /// Memory in bytes, bounded by the control group (a container's limit).
    pub(super) memory: u64,
    /// Processors that this process may use.
    pub(super) cores: u64,
    /// Free bytes of POSIX shared memory; `None` where it is not a file system of its own.
    pub(super) shared_memory: Option<u64>,
    /// Free bytes where the server's data is; `None` when that cannot be found out.
    pub(super) disk: Option<u64>,
}

impl Machine {
    /// Looks at the machine, for a server whose data is in this folder.
    pub(super) fn look(data: &Path) -> Self {
        let physical = physical_memory().unwrap_or(ASSUMED_MEMORY);
        Self {
            memory: group_limit().map_or(physical, |limit| limit.min(physical)),
            cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
            shared_memory: free_bytes(Path::new("/dev/shm")),
            disk: free_bytes(data),
        }
    }
}

fn physical_memory() -> Option<u64> {
    if cfg!(target_os = "macos") {
        let output = Command::new("sysctl").args(["-n", "hw.memsize"]).stderr(Stdio::null()).output().ok()?;
        return String::from_utf8(output.stdout).ok()?.trim().parse().ok();
    }
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The lowest memory limit of this process' control groups, of version 2 or 1.
fn group_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    groups
        .lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            let path = path.trim_start_matches('/');
            match controllers {
                "" => lowest(Path::new("/sys/fs/cgroup"), path, "memory.max"),
                "memory" => lowest(Path::new("/sys/fs/cgroup/memory"), path, "memory.limit_in_bytes"),
                _ => None,
            }
        })
        .min()
}

/// The lowest number in files of one name, from a group up to the root of its tree.
fn lowest(root: &Path, group: &str, file: &str) -> Option<u64> {
    let group: PathBuf = root.join(group);
    group
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| fs::read_to_string(folder.join(file)).ok())
        .filter_map(|text| text.trim().parse().ok())
        .min()
}

fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}
