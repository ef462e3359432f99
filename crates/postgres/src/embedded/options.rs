//! What an embedded server is started with.

use std::path::{Path, PathBuf};

use super::folders;

/// What an embedded server is started with.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    pub(super) folder: PathBuf,
    pub(super) binaries: Option<PathBuf>,
    pub(super) cache: PathBuf,
    pub(super) throwaway: bool,
    pub(super) settings: Vec<(String, String)>,
}

impl EmbeddedOptions {
    /// A server whose data stay in this folder, run by the programs that `LAKEFRONT_PG_BIN` names
    /// or else by those that are fetched or installed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            binaries: std::env::var_os("LAKEFRONT_PG_BIN")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
            cache: folders::cache(),
            throwaway: false,
            settings: Vec::new(),
        }
    }

    /// A server for tests: nothing is synced to disk, and when the process ends in whatever way, a
    /// watchdog ends the server and removes the folder.
    pub fn throwaway(folder: impl Into<PathBuf>) -> Self {
        Self { throwaway: true, ..Self::new(folder) }
    }

    /// Runs the programs in this folder.
    #[must_use]
    pub fn with_binaries(mut self, folder: impl Into<PathBuf>) -> Self {
        self.binaries = Some(folder.into());
        self
    }

    /// Keeps fetched programs in this folder instead of the user's cache.
    #[must_use]
    pub fn with_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = folder.into();
        self
    }

    /// Adds a line to the server's configuration; it wins over what Lakefront sets. The value is
    /// quoted here.
    #[must_use]
    pub fn with_setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// The folder wanted. For root the server may have to use another one: see
    /// [`super::EmbeddedServer::folder`].
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
