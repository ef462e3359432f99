//! A Delta table: a folder with a `_delta_log`.

use crate::kernel_error::{Reading, from_object_store};
use crate::store::{Store, path_of};
use crate::{Lake, LakeError, Location, Snapshot};
use delta_kernel::object_store::ObjectMeta;
use lakefront_model::Version;
use std::sync::Arc;
use url::Url;

/// Name of the folder that holds a table's log (Delta protocol, section "Delta Log Entries").
pub(crate) const LOG: &str = "_delta_log/";
/// A file that most logs have (Delta protocol, section "Last Checkpoint File").
const LAST_CHECKPOINT: &str = "_delta_log/_last_checkpoint";
/// Objects looked at to say what a folder without a log holds instead.
const LOOKED_AT: usize = 100;

/// A table in a lake. Clones are cheap and share the connection.
#[derive(Clone, Debug)]
pub struct DeltaTable {
    lake: Lake,
    location: Location,
    store: Arc<Store>,
}

impl DeltaTable {
    pub(crate) fn new(lake: Lake, location: Location) -> Result<Self, LakeError> {
        let store = lake.store(location.url(), &Reading::log(&location))?;
        Ok(Self { lake, location, store })
    }

    /// Where the table is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The table at a version, or at its latest for None.
    ///
    /// # Errors
    /// [`LakeError::VersionNotAvailable`], [`LakeError::UnsupportedFeature`], [`LakeError::UnsupportedType`],
    /// [`LakeError::CorruptLog`], [`LakeError::Access`] or [`LakeError::Io`].
    pub async fn snapshot(&self, version: Option<Version>) -> Result<Snapshot, LakeError> {
        let table = self.clone();
        self.blocking(move || Snapshot::load(table, version)).await
    }

    /// The table at a version, with what its commit's file is: [`Snapshot::commit_bytes`].
    ///
    /// # Errors
    /// As [`DeltaTable::snapshot`].
    pub async fn at(&self, version: Version) -> Result<Snapshot, LakeError> {
        self.marked(self.snapshot(Some(version)).await?).await
    }

    /// The table at its latest version, to be asked again about later: [`DeltaTable::newest_after`], [`crate::Watch`].
    ///
    /// # Errors
    /// As [`DeltaTable::snapshot`].
    pub async fn newest(&self) -> Result<Snapshot, LakeError> {
        let snapshot = self.marked(self.snapshot(None).await?).await?;
        self.finished(snapshot).await
    }

    /// The table at its latest version, given what [`DeltaTable::newest`] or this gave earlier: what that knows is not
    /// read again, unless the table was made anew.
    ///
    /// # Errors
    /// As [`DeltaTable::snapshot`].
    pub async fn newest_after(&self, earlier: Snapshot) -> Result<Snapshot, LakeError> {
        let found = self.commit_object(earlier.version()).await?;
        if found.is_none() || found.as_ref() != earlier.mark() {
            return self.newest().await;
        }
        let version = earlier.version();
        let snapshot = self.blocking(move || earlier.renew()).await?;
        if snapshot.version() == version {
            return Ok(snapshot);
        }
        let snapshot = self.marked(snapshot).await?;
        self.finished(snapshot).await
    }

    /// The version before where the newest commit's file is empty: a commit has one action at least (Delta protocol, section
    /// "Delta Log Entries"), so somebody has made the file and is about to write it.
    async fn finished(&self, newest: Snapshot) -> Result<Snapshot, LakeError> {
        match (newest.version().checked_sub(1), newest.commit_bytes()) {
            (Some(before), Some(0)) => self.at(before).await,
            _ => Ok(newest),
        }
    }

    /// When a commit's file was written, in milliseconds since 1970 UTC; None when it is gone.
    ///
    /// # Errors
    /// [`LakeError::Access`] or [`LakeError::Io`].
    pub async fn written_at(&self, version: Version) -> Result<Option<i64>, LakeError> {
        Ok(self.commit_object(version).await?.map(|found| found.last_modified.timestamp_millis()))
    }

    /// Bytes of a commit's file; None when it is gone.
    ///
    /// # Errors
    /// [`LakeError::Access`] or [`LakeError::Io`].
    pub async fn commit_bytes(&self, version: Version) -> Result<Option<u64>, LakeError> {
        Ok(self.commit_object(version).await?.map(|found| found.size))
    }

    /// A snapshot that knows its commit's file again.
    async fn marked(&self, snapshot: Snapshot) -> Result<Snapshot, LakeError> {
        let mark = self.commit_object(snapshot.version()).await?;
        Ok(snapshot.with_mark(mark))
    }

    /// What the store says of a commit's file, which tells it from another one of the same name; None when there is none.
    pub(crate) async fn commit_object(&self, version: Version) -> Result<Option<ObjectMeta>, LakeError> {
        let file = self.join(&format!("{LOG}{}", commit_file(version)))?;
        let found = self.store.find(&file).await;
        found.map_err(|error| from_object_store(&Reading::log(&self.location), error))
    }

    /// The latest version, given one that is known: `known` itself when nothing was committed since. Costs one
    /// look for the next commit's file, and one for the known commit's when there is none. A result *smaller*
    /// than `known` means that the table was made again or that its log was cut.
    ///
    /// # Errors
    /// [`LakeError::Access`] or [`LakeError::Io`]; [`LakeError::NotDelta`] when the log is gone.
    pub async fn latest_version(&self, known: Version) -> Result<Version, LakeError> {
        if self.has_commit(known + 1).await? {
            return self.last_commit_from(known + 1).await;
        }
        if self.has_commit(known).await? {
            return Ok(known);
        }
        // Not even the known commit is there: a cleaned-up log, or another table under the same name.
        match self.commit_versions().await?.into_iter().max() {
            Some(found) => Ok(found),
            None => {
                self.check_is_delta().await?;
                Ok(known)
            }
        }
    }

    /// The last of the commits that follow one that is there. They have no gaps, so the steps may double.
    async fn last_commit_from(&self, mut known: Version) -> Result<Version, LakeError> {
        let mut step = 1;
        while self.has_commit(known + step).await? {
            known += step;
            step *= 2;
        }
        while step > 1 {
            step /= 2;
            if self.has_commit(known + step).await? {
                known += step;
            }
        }
        Ok(known)
    }

    /// Whether a commit is there, written and not just about to be.
    pub(crate) async fn has_commit(&self, version: Version) -> Result<bool, LakeError> {
        Ok(self.commit_bytes(version).await?.is_some_and(|bytes| bytes > 0))
    }

    /// The versions with a commit file, in no particular order.
    pub(crate) async fn commit_versions(&self) -> Result<Vec<Version>, LakeError> {
        let found = match self.store.list(&self.log_url()?, usize::MAX).await {
            Ok(found) => found,
            Err(error) => {
                return Err(self.told(from_object_store(&Reading::log(&self.location), error)).await);
            }
        };
        Ok(found.iter().filter_map(|object| object.location.filename()).filter_map(commit_version).collect())
    }

    /// Says clearly what is wrong with a location that holds no table.
    pub(crate) async fn check_is_delta(&self) -> Result<(), LakeError> {
        let location = self.location.to_string();
        if let Some(path) = self.location.path() {
            match tokio::fs::metadata(&path).await {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(LakeError::NotFound { location });
                }
                Err(error) => return Err(crate::kernel_error::from_io(&Reading::log(&self.location), error)),
                Ok(found) if !found.is_dir() => {
                    return Err(LakeError::NotDelta { location, found: "it is a file".to_owned() });
                }
                Ok(_) => {}
            }
        }
        let fault = |error| from_object_store(&Reading::log(&self.location), error);
        match self.store.list(&self.log_url()?, 1).await {
            Ok(found) if found.is_empty() => {}
            Ok(_) => return Ok(()),
            Err(error) => {
                let gone = matches!(self.probe().await, Ok(false));
                return Err(if gone {
                    LakeError::NotFound { location }
                } else {
                    self.told(fault(error)).await
                });
            }
        }
        let found = self.store.list(self.location.url(), LOOKED_AT).await.map_err(fault)?;
        let root = path_of(self.location.url()).map_err(fault)?;
        let names: Vec<String> = found
            .iter()
            .filter_map(|object| object.location.prefix_match(&root))
            .map(|parts| parts.map(|p| p.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
            .collect();
        let is_log = root.filename() == Some("_delta_log");
        let found = if names.is_empty() && self.location.path().is_none() {
            return Err(LakeError::NotFound { location });
        } else if names.is_empty() {
            "it is empty".to_owned()
        } else if is_log {
            "it is itself a table's _delta_log".to_owned()
        } else if let Some(table) = names.iter().find_map(|name| name.split_once("/_delta_log/")) {
            format!("there is one in its folder \"{}\"", table.0)
        } else if names.iter().any(|name| name.ends_with(".parquet")) {
            "it holds Parquet files without a log".to_owned()
        } else {
            format!("it holds {} and the like", names.first().map_or("files", String::as_str))
        };
        Err(LakeError::NotDelta { location, found })
    }

    /// Asks for one file of the log, which may well be absent.
    async fn probe(&self) -> object_store::Result<bool> {
        let file = self.location.url().join(LAST_CHECKPOINT);
        let file = file.map_err(|e| object_store::Error::Generic { store: "url", source: Box::new(e) })?;
        self.store.exists(&file).await
    }

    /// A failure with its reason: stores do not type the errors of missing credentials and of listings, while asking
    /// for a file they answer plainly that access is denied.
    pub(crate) async fn told(&self, error: LakeError) -> LakeError {
        if !matches!(error, LakeError::Io { .. }) || self.location.path().is_some() {
            return error;
        }
        if let Some(missing) = self.store.missing_credentials().await {
            return Reading::log(&self.location).without_credentials(&missing);
        }
        match self.probe().await.map_err(|plain| from_object_store(&Reading::log(&self.location), plain)) {
            Err(plain @ LakeError::Access { .. }) => plain,
            _ => error,
        }
    }

    pub(crate) fn lake(&self) -> &Lake {
        &self.lake
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The log's folder.
    pub(crate) fn log_url(&self) -> Result<Url, LakeError> {
        self.join(LOG)
    }

    fn join(&self, below: &str) -> Result<Url, LakeError> {
        self.location.url().join(below).map_err(|e| Reading::log(&self.location).internal(e))
    }

    /// Runs kernel work, which blocks, off the async threads.
    pub(crate) async fn blocking<T, F>(&self, work: F) -> Result<T, LakeError>
    where
        F: FnOnce() -> Result<T, LakeError> + Send + 'static,
        T: Send + 'static,
    {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => Err(Reading::log(&self.location).internal(error)),
        }
    }
}

/// The name of a commit's file (Delta protocol, section "Delta Log Entries").
pub(crate) fn commit_file(version: Version) -> String {
    format!("{version:020}.json")
}

/// The version of a commit's file name: 20 digits (Delta protocol, section "Delta Log Entries").
fn commit_version(name: &str) -> Option<Version> {
    let digits = name.strip_suffix(".json")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}
