//! Which of the tables that are refreshed together have work, claimed and let go again.

use crate::failpoint::FailPoint;
use crate::found::Found;
use crate::progress::Progress;
use crate::report::{Done, NONE};
use crate::run::Run;
use crate::stopped::Stopped;
use crate::{Engine, RefreshRequest};
use lakefront_postgres::roles::Ownership;
use lakefront_postgres::table::{self, Stage};
use lakefront_postgres::{PgError, ledger};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_postgres::Client;

/// A member that has work.
pub(crate) struct Work {
    /// its place
    pub member: usize,
    /// what the primary key of its live table is called
    pub key_name: Option<String>,
}

/// Those that have work, as far as can be seen without a lock: asking often costs little then. They are in the order in
/// which they are claimed, always the same, so that two processes do not wait for each other.
pub(crate) async fn to_do(
    control: &Client,
    found: &[Found],
    requests: &[RefreshRequest],
) -> Result<Vec<Work>, Stopped> {
    let mut work = Vec::new();
    for (member, (found, request)) in found.iter().zip(requests).enumerate() {
        let live = table::shape_of(control, &request.spec.name.name).await;
        let live = live.map_err(|e| Stopped { member, error: e.into() })?;
        let decided = found.goal.plan(&found.entry, live.as_ref(), request);
        // What must not be done is told under the lock, as a failure of the update.
        if !decided.is_ok_and(|plan| plan.is_nothing()) {
            work.push((found.entry.id, Work { member, key_name: live.and_then(|live| live.key_name) }));
        }
    }
    work.sort_unstable_by_key(|(id, _)| *id);
    Ok(work.into_iter().map(|(_, work)| work).collect())
}

/// What is needed to claim tables that were found.
pub(crate) struct Finding<'a> {
    pub engine: &'a Engine,
    pub requests: &'a [RefreshRequest],
    pub found: &'a [Found],
    pub ownership: Ownership,
    pub progress: &'a Arc<Progress>,
}

impl<'a> Finding<'a> {
    /// Claims tables; None when another process has moved one of them since it was found.
    pub(crate) async fn claim(
        &self,
        control: &Client,
        work: &[Work],
    ) -> Result<Option<Vec<Run<'a>>>, Stopped> {
        let mut runs: Vec<Run<'a>> = Vec::new();
        for &Work { member, ref key_name } in work {
            let (Some(found), Some(request)) = (self.found.get(member), self.requests.get(member)) else {
                continue;
            };
            let at = |error: PgError| Stopped { member, error: error.into() };
            let claim = ledger::begin(control, &found.entry).await.map_err(at)?;
            if found.entry.is_updating() {
                // Its process ended, well while this one waited or not so: then its stage is left.
                Stage::for_loading(&claim).drop_all(control).await.map_err(at)?;
                ledger::end_orphans(control, claim).await.map_err(at)?;
            }
            let location = found.seen.source.location.to_string();
            let entry = ledger::register(control, &request.spec, &location).await.map_err(at)?;
            let came_second = entry.version != found.entry.version;
            runs.push(Run {
                engine: self.engine,
                member,
                request,
                location,
                goal: found.goal.clone(),
                ownership: self.ownership,
                entry,
                claim,
                key_name: key_name.clone(),
                progress: self.progress,
            });
            if came_second {
                for run in &runs {
                    ledger::abandon(control, run.claim).await.map_err(at)?;
                }
                return Ok(None);
            }
        }
        if !runs.is_empty() {
            FailPoint::Claimed.reached();
        }
        Ok(Some(runs))
    }
}

/// Lets go of what was claimed.
pub(crate) async fn let_go(
    control: &Client,
    runs: &[Run<'_>],
    done: &BTreeMap<usize, Done>,
) -> Result<(), Stopped> {
    for run in runs {
        let ended = match done.get(&run.member) {
            Some(done) if done.outcome.refresh != NONE => ledger::release(control, run.claim).await,
            _ => ledger::abandon(control, run.claim).await,
        };
        ended.map_err(|e| Stopped { member: run.member, error: e.into() })?;
    }
    if !runs.is_empty() {
        FailPoint::Released.reached();
    }
    Ok(())
}
