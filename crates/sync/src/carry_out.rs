//! Carrying a refresh out: what is ready for each table goes into one transaction.

use crate::failpoint::FailPoint;
use crate::ready::{Ready, Step};
use crate::report::Done;
use crate::run::Run;
use crate::stopped::Stopped;
use crate::{Engine, SyncError};
use lakefront_postgres::PgError;
use lakefront_postgres::changes::plan_as_usual;
use std::collections::BTreeMap;
use tokio_postgres::{Client, Transaction};

impl Engine {
    /// Does what is to be done for each, all of it in one transaction at the end. Returns what was done by its place; that it
    /// is not possible only where the goal is a part of the way.
    pub(crate) async fn carry_out(
        &self,
        control: &mut Client,
        runs: &[Run<'_>],
    ) -> Result<Step<BTreeMap<usize, Done>>, Stopped> {
        let mut ready = Vec::new();
        for run in runs {
            match run.ready(control).await.map_err(|error| Stopped { member: run.member, error })? {
                Step::Taken(one) => ready.push(one),
                Step::NotPossible(why) => return Ok(Step::NotPossible(why)),
            }
        }
        if ready.iter().all(|ready| matches!(ready, Ready::Nothing)) {
            return Ok(Step::Taken(BTreeMap::new()));
        }
        loop {
            let mut txn = self.begin(control, runs).await?;
            FailPoint::Begun.reached();
            match apply(&mut txn, runs, &ready).await? {
                Ok(done) => {
                    FailPoint::CheckpointMoved.reached();
                    self.commit(txn, runs).await?;
                    FailPoint::Committed.reached();
                    return Ok(Step::Taken(runs.iter().map(|run| run.member).zip(done).collect()));
                }
                Err((place, why)) => {
                    let undone = txn.rollback().await;
                    let (Some(run), Some(ready)) = (runs.get(place), ready.get_mut(place)) else { continue };
                    let at = |error: SyncError| Stopped { member: run.member, error };
                    undone.map_err(|e| at(PgError::new("undoing the changes", e).into()))?;
                    if run.goal.is_part {
                        return Ok(Step::NotPossible(why));
                    }
                    *ready = run.instead(control, ready, &why).await.map_err(at)?;
                }
            }
        }
    }
}

/// What a transaction came to: what was done for each, or the place of the one that has to be copied again and why.
type Came = Result<Vec<Done>, (usize, String)>;

async fn apply(txn: &mut Transaction<'_>, runs: &[Run<'_>], ready: &[Ready]) -> Result<Came, Stopped> {
    // What changed is copied for all before anything is locked for one.
    let mut copied = Vec::new();
    for (place, (run, ready)) in runs.iter().zip(ready).enumerate() {
        match run.copy_rows(txn, ready).await.map_err(|error| Stopped { member: run.member, error })? {
            Step::Taken(rows) => copied.push(rows),
            Step::NotPossible(why) => return Ok(Err((place, why))),
        }
    }
    FailPoint::Copied.reached();
    let mut done = Vec::new();
    for (place, ((run, ready), copied)) in runs.iter().zip(ready).zip(copied).enumerate() {
        let at = |error: SyncError| Stopped { member: run.member, error };
        if place > 0 {
            plan_as_usual(txn).await.map_err(|e| at(e.into()))?;
        }
        match run.apply(txn, ready, copied).await.map_err(at)? {
            Step::Taken(one) => done.push(one),
            Step::NotPossible(why) => return Ok(Err((place, why))),
        }
    }
    Ok(Ok(done))
}
