//! The embedded server as its users see it.

use std::path::{Path, PathBuf};

use super::cluster::Cluster;
use super::error::EmbeddedError;
use super::lock::Lock;
use super::options::EmbeddedOptions;
use super::postmaster::Postmaster;
use super::start;
use super::watchdog::Watchdog;
use crate::connect::ConnectOptions;

/// A running private PostgreSQL.
///
/// When this is the process that started it, or found it running without an owner, the server is
/// stopped by [`EmbeddedServer::stop`], and as well as possible when this is dropped. When another
/// process owns it, this one only uses it, and cannot keep the owner from stopping it.
#[derive(Debug)]
pub struct EmbeddedServer {
    pub(super) cluster: Cluster,
    pub(super) options: ConnectOptions,
    /// `None` when another process owns the server.
    pub(super) ownership: Option<Ownership>,
}

/// What an owner holds. The order matters when it is dropped: the server ends before the watchdog
/// removes its folder and before the lock is let go.
#[derive(Debug)]
pub(super) struct Ownership {
    pub(super) postmaster: Postmaster,
    pub(super) watchdog: Option<Watchdog>,
    pub(super) lock: Lock,
}

impl EmbeddedServer {
    /// Starts the server, or attaches to it when it runs already. Long steps are told to
    /// `progress` in a few words each, such as `fetching PostgreSQL 18 (25 MB)`.
    ///
    /// # Errors
    /// [`EmbeddedError`]; when PostgreSQL itself did not start, with the end of its log.
    pub async fn start(
        options: EmbeddedOptions,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, EmbeddedError> {
        start::start(options, progress).await
    }

    /// How to sign in as the superuser, through the socket.
    pub fn connect_options(&self) -> ConnectOptions {
        self.options.clone()
    }

    /// The TCP port on 127.0.0.1, for clients that do not speak to sockets.
    pub fn port(&self) -> u16 {
        self.options.servers().first().map_or(0, |server| server.port)
    }

    /// True when this process stops the server at its end.
    pub fn is_owner(&self) -> bool {
        self.ownership.is_some()
    }

    /// The folder that holds everything of the server.
    pub fn folder(&self) -> &Path {
        &self.cluster.folder
    }

    /// A shell command that opens a session, for people; it names the file with the password and
    /// not the password.
    pub fn psql_command(&self) -> String {
        format!(
            "PGPASSWORD=$(cat {}) psql {}",
            quoted(&self.cluster.password_file().to_string_lossy()),
            quoted(&self.options.url())
        )
    }

    /// The server's log.
    pub fn log_file(&self) -> PathBuf {
        self.cluster.log_file()
    }

    /// Stops the server and waits until it has ended; only lets go of it when another process owns
    /// it.
    ///
    /// # Errors
    /// [`EmbeddedError::NotStopped`].
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        let Some(Ownership { postmaster, watchdog, lock }) = self.ownership else {
            return Ok(());
        };
        let result = postmaster.stop().await;
        // Beside temporary files, where the path to the data is too long for a socket.
        if let Some(socket) = self.options.servers().first().filter(|server| server.is_socket()) {
            let _ = std::fs::remove_dir(&socket.host);
        }
        drop(watchdog);
        drop(lock);
        result
    }
}

/// Quoted for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
