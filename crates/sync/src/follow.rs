//! Following sources: tables are refreshed when their sources have new commits.

use crate::back_off::BackOff;
use crate::progress::Progress;
use crate::session::Session;
use crate::watches::Watches;
use crate::{Engine, RefreshReport, RefreshRequest, SyncError};
use lakefront_model::SyncedTableSpec;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Refreshes tables, together where they are several, now and after each new commit of one of their sources, telling
/// `told` how each refresh ended, until `stop`. A failure is told and tried again, later each time.
pub async fn follow(
    engine: &Engine,
    specs: Vec<SyncedTableSpec>,
    stop: CancellationToken,
    told: impl Fn(&SyncedTableSpec, &Result<RefreshReport, SyncError>),
) {
    let requests: Vec<RefreshRequest> = specs.into_iter().map(RefreshRequest::of).collect();
    let mut session = Session::default();
    let mut watches = Watches::default();
    let mut back_off = BackOff::default();
    while !stop.is_cancelled() {
        let progress = Arc::new(Progress::default());
        let refreshed = engine.refresh_in(&mut session, &requests, &progress).await;
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
