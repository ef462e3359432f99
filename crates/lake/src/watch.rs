//! Waiting for a table's next commit.

use crate::table::{DeltaTable, LOG};
use crate::{LakeError, Snapshot};
use lakefront_model::Version;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// On a local disk the system tells of new files; this often they are looked for nevertheless, as network disks and
/// folders that were made again tell nothing.
const UNTOLD: Duration = Duration::from_secs(2);
/// The first pause between looks into a store: a commit is often followed by another.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest pause between looks into a store where nothing happens. One look is one request for the next commit's
/// file, and one for the last known one's.
const LONGEST: Duration = Duration::from_secs(2);

/// Waits for commits of one table.
#[derive(Debug)]
pub struct Watch {
    table: DeltaTable,
    told: Option<Told>,
}

/// What the system tells of a local log.
#[derive(Debug)]
struct Told {
    log: PathBuf,
    bell: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
}

impl Watch {
    /// Watches a table from now on.
    pub fn new(table: DeltaTable) -> Self {
        let told = table.location().path().map(|folder| {
            let mut told = Told { log: folder.join(LOG), bell: Arc::default(), watcher: None };
            told.listen();
            told
        });
        Self { table, told }
    }

    /// Returns when the table's newest version may no longer be `known`: with another one, or because the known commit
    /// is not the same file.
    ///
    /// # Errors
    /// As [`DeltaTable::latest_version`].
    pub async fn changed(&mut self, known: &Snapshot) -> Result<(), LakeError> {
        let mut pause = SHORTEST;
        loop {
            // Asked for before the look, so that what happens meanwhile is not missed.
            let bell = self.told.as_ref().map(|told| Arc::clone(&told.bell));
            let rung = bell.as_ref().map(|bell| bell.notified());
            if !self.table.is_newest(known).await? {
                return Ok(());
            }
            match rung {
                Some(rung) => {
                    if tokio::time::timeout(UNTOLD, rung).await.is_err()
                        && let Some(told) = &mut self.told
                    {
                        told.listen();
                    }
                }
                None => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST);
                }
            }
        }
    }
}

impl Told {
    /// Listens to the log's folder, again where that was made again. Without it the table is looked at now and then.
    fn listen(&mut self) {
        let bell = Arc::clone(&self.bell);
        // Reading the log is no news, least of all one's own.
        let ring = move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| !event.kind.is_access()) {
                bell.notify_one();
            }
        };
        if self.watcher.is_none() {
            self.watcher = notify::recommended_watcher(ring).ok();
        }
        if let Some(watcher) = &mut self.watcher {
            let _ = watcher.watch(&self.log, RecursiveMode::NonRecursive);
        }
    }
}

impl DeltaTable {
    /// Whether a snapshot is still of the newest version, by one look for the next commit's file and one at its own,
    /// which is another one when the table was made again.
    ///
    /// # Errors
    /// [`LakeError::Access`] or [`LakeError::Io`]; [`LakeError::NotDelta`] when the log is gone.
    pub async fn is_newest(&self, snapshot: &Snapshot) -> Result<bool, LakeError> {
        let known: Version = snapshot.version();
        if self.has_commit(known + 1).await? {
            return Ok(false);
        }
        match (self.commit_object(known).await?, snapshot.mark()) {
            (Some(found), Some(mark)) => Ok(found == *mark),
            // Its file was gone when it was first looked at.
            (None, None) => Ok(self.latest_version(known).await? == known),
            (Some(_), None) => Ok(true),
            (None, Some(_)) => Ok(false),
        }
    }
}
