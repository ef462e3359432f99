//! The folder of one server and what lies in it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::account::{self, Account};
use super::error::EmbeddedError;
use crate::connect::{ConnectOptions, Endpoint, Password};

/// The user that `initdb` creates.
pub(super) const SUPERUSER: &str = "postgres";

/// The database that `initdb` creates for sessions that name no other.
const MAINTENANCE_DATABASE: &str = "postgres";

/// The folder of one server.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
    /// Who runs the server, when that is not the user who runs Lakefront.
    pub(super) account: Option<Account>,
}

impl Cluster {
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("pgdata")
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.folder.join("lock")
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.folder.join("postgresql.log")
    }

    pub(super) fn port_file(&self) -> PathBuf {
        self.folder.join("port")
    }

    pub(super) fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    /// Major version of the data; `None` when there are none yet.
    pub(super) fn major(&self) -> Result<Option<u32>, EmbeddedError> {
        let file = self.data().join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim().split('.').next().and_then(|major| major.parse().ok())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EmbeddedError::io("read", &file)(error)),
        }
    }

    /// The password of the superuser.
    pub(super) fn password(&self) -> Result<Password, EmbeddedError> {
        let file = self.password_file();
        match fs::read_to_string(&file) {
            Ok(text) if !text.trim().is_empty() => Ok(Password::new(text.trim())),
            Ok(_) => Err(EmbeddedError::LostPassword(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(EmbeddedError::LostPassword(file))
            }
            Err(error) => Err(EmbeddedError::io("read", &file)(error)),
        }
    }

    /// How to sign in through a socket folder, or over TCP with the host `127.0.0.1`.
    pub(super) fn connect_options(&self, host: &str, port: u16) -> Result<ConnectOptions, EmbeddedError> {
        let server = Endpoint { host: host.to_owned(), address: None, port };
        Ok(ConnectOptions::new(server, SUPERUSER, MAINTENANCE_DATABASE).with_password(self.password()?))
    }
}

/// Writes a file so that it is there as a whole or not at all, and survives a power cut.
pub(super) fn write(
    path: &Path,
    text: &str,
    mode: u32,
    account: Option<Account>,
) -> Result<(), EmbeddedError> {
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(mode)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(EmbeddedError::io("write", &draft))?;
    account::give(account, &draft)?;
    fs::rename(&draft, path).map_err(EmbeddedError::io("write", path))?;
    if let Some(folder) = path.parent() {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Makes renames within a folder survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<(), EmbeddedError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(EmbeddedError::io("write", folder))
}
