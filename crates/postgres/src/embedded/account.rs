//! Who the server runs as: PostgreSQL refuses root.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use super::command;
use super::error::EmbeddedError;

/// A user other than the one who runs Lakefront.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// True when this process is root.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Account {
    /// For root: the owner of an existing data directory, else `postgres`, else `nobody`. `None`
    /// for a normal user, who runs the server as himself.
    pub(super) fn for_server(data: &Path) -> Result<Option<Self>, EmbeddedError> {
        if !is_root() {
            return Ok(None);
        }
        if let Ok(metadata) = fs::metadata(data)
            && metadata.uid() != 0
        {
            return Ok(Some(Self { uid: metadata.uid(), gid: metadata.gid() }));
        }
        ["postgres", "nobody"].into_iter().find_map(Self::named).map(Some).ok_or(EmbeddedError::NoAccount)
    }

    /// Asks `id`, which knows users from every source that the system is set up for.
    fn named(name: &str) -> Option<Self> {
        let number = |flag| -> Option<u32> {
            let output = Command::new("id").args([flag, name]).stderr(Stdio::null()).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        Some(Self { uid: number("-u")?, gid: number("-g")? })
    }

    /// True when this user can enter the folder, as the operating system itself decides.
    pub(super) fn can_enter(self, folder: &Path) -> bool {
        command::new(Some(self), Path::new("/bin/sh"))
            .args(["-c", "cd -- \"$1\"", "sh"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// Hands a file or folder to the server's user; nothing to do for a normal user.
pub(super) fn give(account: Option<Account>, path: &Path) -> Result<(), EmbeddedError> {
    match account {
        Some(account) => {
            chown(path, Some(account.uid), Some(account.gid)).map_err(EmbeddedError::io("hand over", path))
        }
        None => Ok(()),
    }
}
