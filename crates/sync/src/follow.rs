//! Following sources: a table is refreshed when its source has a new commit.

use crate::progress::Progress;
use crate::{Engine, RefreshReport, RefreshRequest, SyncError};
use lakefront_lake::DeltaTable;
use lakefront_model::{SyncedTableSpec, Version};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a source is asked for a new commit: one look at one file name.
const POLL: Duration = Duration::from_millis(200);
/// Pause after a failure, doubled each time up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between tries of a table that fails.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Keeps one table fresh until it is told to stop.
#[derive(Debug)]
pub struct Follow {
    engine: Arc<Engine>,
    spec: SyncedTableSpec,
}

impl Follow {
    /// Follows the source of `spec`.
    pub fn new(engine: Arc<Engine>, spec: SyncedTableSpec) -> Self {
        Self { engine, spec }
    }

    /// Refreshes now and after each new commit, telling `told` how each refresh ended, until `stop`. A failure is told
    /// and tried again, later each time; other tables are not held up.
    pub async fn run(
        self,
        stop: CancellationToken,
        told: impl Fn(&SyncedTableSpec, &Result<RefreshReport, SyncError>),
    ) {
        let mut pause = MIN_PAUSE;
        while !stop.is_cancelled() {
            let request = RefreshRequest { spec: self.spec.clone(), full: false };
            let refreshed = self.engine.refresh(&request, &Arc::new(Progress::default())).await;
            told(&self.spec, &refreshed);
            let waited = async {
                match refreshed {
                    Ok(report) => {
                        pause = MIN_PAUSE;
                        if let Err(error) = self.next_commit(report.version).await {
                            told(&self.spec, &Err(error));
                            tokio::time::sleep(MIN_PAUSE).await;
                        }
                    }
                    Err(_) => {
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(MAX_PAUSE);
                    }
                }
            };
            tokio::select! {
                () = waited => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Returns when the source has a version other than `applied`.
    async fn next_commit(&self, applied: Version) -> Result<(), SyncError> {
        let table: DeltaTable = self.engine.open_source(&self.spec.source).await?.table;
        while table.latest_version(applied).await? == applied {
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}
