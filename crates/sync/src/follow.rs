//! Following sources: tables are refreshed when their sources have new commits.

use crate::progress::Progress;
use crate::session::Session;
use crate::{Engine, RefreshReport, RefreshRequest, SyncError};
use futures::future::select_all;
use lakefront_lake::Watch;
use lakefront_model::SyncedTableSpec;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause after a failure, doubled each time up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between tries of a table that fails.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Keeps a table fresh until it is told to stop, or the tables of an atomic pipeline.
#[derive(Debug)]
pub struct Follow {
    engine: Arc<Engine>,
    specs: Vec<SyncedTableSpec>,
}

impl Follow {
    /// Follows the sources of `specs`, which are refreshed together when one of them has a new commit.
    pub fn new(engine: Arc<Engine>, specs: Vec<SyncedTableSpec>) -> Self {
        Self { engine, specs }
    }

    /// Refreshes now and after each new commit, telling `told` how each refresh ended, until `stop`. A failure is told
    /// and tried again, later each time; other tables are not held up.
    pub async fn run(
        self,
        stop: CancellationToken,
        told: impl Fn(&SyncedTableSpec, &Result<RefreshReport, SyncError>),
    ) {
        let request = |spec| RefreshRequest { spec, full: false };
        let requests: Vec<RefreshRequest> = self.specs.into_iter().map(request).collect();
        let mut session = Session::default();
        let mut watches: Vec<Watch> = Vec::new();
        let mut pause = MIN_PAUSE;
        while !stop.is_cancelled() {
            let progress = Arc::new(Progress::default());
            let refreshed = self.engine.refresh_in(&mut session, &requests, &progress).await;
            for (request, refreshed) in requests.iter().zip(&refreshed) {
                told(&request.spec, refreshed);
            }
            let waited = async {
                // A session that failed has seen nothing.
                let seen = session.seen();
                if !seen.is_empty() {
                    if watches.is_empty() {
                        watches.extend(seen.iter().map(|seen| Watch::new(seen.source.table.clone())));
                    }
                    let changes = watches.iter_mut().zip(seen);
                    let changes = changes.map(|(watch, seen)| Box::pin(watch.changed(&seen.snapshot)));
                    if select_all(changes).await.0.is_ok() {
                        pause = MIN_PAUSE;
                        return;
                    }
                }
                // A source that cannot be looked at is told of by the next refresh.
                watches.clear();
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            };
            tokio::select! {
                () = waited => {}
                () = stop.cancelled() => return,
            }
        }
    }
}
