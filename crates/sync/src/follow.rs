//! Following sources: tables are refreshed when their sources have new commits.

use crate::back_off::BackOff;
use crate::progress::Progress;
use crate::session::Session;
use crate::watches::Watches;
use crate::{Engine, RefreshReport, RefreshRequest, SyncError};
use lakefront_model::SyncedTableSpec;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
        let requests: Vec<RefreshRequest> = self.specs.into_iter().map(RefreshRequest::of).collect();
        let mut session = Session::default();
        let mut watches = Watches::default();
        let mut back_off = BackOff::default();
        while !stop.is_cancelled() {
            let progress = Arc::new(Progress::default());
            let refreshed = self.engine.refresh_in(&mut session, &requests, &progress).await;
            for (request, refreshed) in requests.iter().zip(&refreshed) {
                told(&request.spec, refreshed);
            }
            let waited = async {
                // A session that failed has seen nothing; a source that cannot be looked at is told of by the next
                // refresh.
                let seen = session.seen();
                if !seen.is_empty() && watches.changed(seen).await.is_ok() {
                    back_off.reset();
                } else {
                    tokio::time::sleep(back_off.next()).await;
                }
            };
            tokio::select! {
                () = waited => {}
                () = stop.cancelled() => return,
            }
        }
    }
}
