//! Following sources: a table is refreshed when its source has a new commit.

use crate::back_off::BackOff;
use crate::progress::Progress;
use crate::refresh::Session;
use crate::{Engine, RefreshReport, RefreshRequest, SyncError};
use lakefront_lake::Watch;
use lakefront_model::SyncedTableSpec;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
        let request = RefreshRequest { spec: self.spec, full: false };
        let mut session = Session::default();
        let mut watch: Option<Watch> = None;
        let mut back_off = BackOff::default();
        while !stop.is_cancelled() {
            let refreshed =
                self.engine.refresh_in(&mut session, &request, &Arc::new(Progress::default())).await;
            told(&request.spec, &refreshed);
            let waited = async {
                // A session that failed has seen nothing.
                if let Some(seen) = session.seen() {
                    let watch = watch.get_or_insert_with(|| Watch::new(seen.source.table.clone()));
                    if watch.changed(&seen.snapshot).await.is_ok() {
                        back_off.reset();
                        return;
                    }
                }
                // A source that cannot be looked at is told of by the next refresh.
                watch = None;
                tokio::time::sleep(back_off.next()).await;
            };
            tokio::select! {
                () = waited => {}
                () = stop.cancelled() => return,
            }
        }
    }
}
