//! Refreshing tables together: all of them become visible in one commit, at one consistent set of versions. A table by
//! itself is the case of one.

use crate::progress::{Phase, Progress};
use crate::ready::{Ready, Step};
use crate::report::{Done, NONE};
use crate::run::{Run, decide};
use crate::session::{Seen, Session};
use crate::{Engine, RefreshReport, RefreshRequest, SyncError};
use lakefront_model::TableMapping;
use lakefront_postgres::ledger::Entry;
use lakefront_postgres::{PgError, indexes, ledger, table};
use std::sync::Arc;
use std::time::Instant;
use tokio_postgres::{Client, Transaction};

/// A member that could not be refreshed, which stops the others.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// its place
    pub member: usize,
    pub error: SyncError,
}

/// A member before anything is decided: its source, its columns, and what the ledger knows of it.
struct Found {
    seen: Seen,
    mapping: Arc<TableMapping>,
    entry: Entry,
}

impl Engine {
    /// Refreshes tables of one database together, in a session that goes on afterwards unless one fails.
    pub(crate) async fn refresh_in(
        &self,
        session: &mut Session,
        requests: &[RefreshRequest],
        progress: &Arc<Progress>,
    ) -> Vec<Result<RefreshReport, SyncError>> {
        let stopped = loop {
            match self.attempt(session, requests, progress).await {
                Ok(Some(reports)) => return reports.into_iter().map(Ok).collect(),
                Ok(None) => {}
                Err(stopped) => break stopped,
            }
        };
        *session = Session::default();
        let name = |request: &RefreshRequest| request.spec.name.to_string();
        let each = requests
            .iter()
            .enumerate()
            .map(|(member, request)| Err(stopped.error_of(member, requests).of_table(&name(request))));
        each.collect()
    }

    /// One try; None when another process came first and all is to be looked at anew.
    async fn attempt(
        &self,
        session: &mut Session,
        requests: &[RefreshRequest],
        progress: &Arc<Progress>,
    ) -> Result<Option<Vec<RefreshReport>>, Stopped> {
        let started = Instant::now();
        progress.enter(Phase::Planning);
        let found = match self.find(session, requests).await {
            Ok(found) => found,
            Err(stopped) => {
                self.note_failure(requests, &stopped).await;
                return Err(stopped);
            }
        };
        // Without a member to blame it is the first one's, which all are told of.
        let first = |error: SyncError| Stopped { member: 0, error };
        let (control, ownership) = session.control(self).await.map_err(first)?;

        // Nothing to do is told without a lock, so that asking often costs little.
        let mut work = Vec::new();
        for (member, (found, request)) in found.iter().zip(requests).enumerate() {
            let at = |error: PgError| Stopped { member, error: error.into() };
            let live = table::shape_of(control, &request.spec.name.name).await.map_err(at)?;
            let decided = decide(&found.entry, live.as_ref(), &found.seen.snapshot, &found.mapping, request);
            if !decided.is_ok_and(|plan| plan.is_nothing()) {
                work.push(member);
            }
        }
        // Always in the same order, so that two processes do not wait for each other.
        work.sort_by_key(|&member| found.get(member).map(|found| found.entry.id));
        let mut runs: Vec<Run<'_>> = Vec::new();
        for &member in &work {
            let (Some(Found { seen, mapping, entry }), Some(request)) =
                (found.get(member), requests.get(member))
            else {
                continue;
            };
            let at = |error: PgError| Stopped { member, error: error.into() };
            let claim = ledger::begin(control, entry).await.map_err(at)?;
            let location = seen.source.location.to_string();
            let now = ledger::register(control, &request.spec, &location).await.map_err(at)?;
            let came_second = now.version != entry.version;
            runs.push(Run {
                engine: self,
                member,
                request,
                location,
                snapshot: seen.snapshot.clone(),
                mapping: Arc::clone(mapping),
                ownership,
                entry: now,
                claim,
                progress,
            });
            if came_second {
                for run in &runs {
                    ledger::abandon(control, run.claim).await.map_err(at)?;
                }
                return Ok(None);
            }
        }

        let done = match self.carry_out(control, &runs).await {
            Ok(done) => done,
            Err(stopped) => {
                for run in &runs {
                    run.clean_up(&stopped.error_of(run.member, requests)).await;
                }
                return Err(stopped);
            }
        };
        // Where the connection broke at the COMMIT, the locks went with it.
        let broke = control.is_closed();
        let (control, _) = session.control(self).await.map_err(first)?;
        let mut done: Vec<(usize, Done)> = runs.iter().map(|run| run.member).zip(done).collect();
        for run in runs.iter().filter(|_| !broke) {
            let nothing =
                done.iter().any(|(member, done)| *member == run.member && done.outcome.refresh == NONE);
            let ended = if nothing {
                ledger::abandon(control, run.claim).await
            } else {
                ledger::release(control, run.claim).await
            };
            ended.map_err(|e| Stopped { member: run.member, error: e.into() })?;
        }
        let mut reports = Vec::new();
        for (member, (found, request)) in found.iter().zip(requests).enumerate() {
            let spec = &request.spec;
            let at = |error: PgError| Stopped { member, error: error.into() };
            indexes::reconcile(control, &spec.name.name, &spec.indexes).await.map_err(at)?;
            let version = found.seen.snapshot.version();
            let place = done.iter().position(|(of, done)| *of == member && done.outcome.refresh != NONE);
            reports.push(match place {
                Some(place) => done.swap_remove(place).1.report(&found.entry, spec, version, started),
                None => {
                    if found.entry.condition.is_some() {
                        ledger::forget_failure(control, found.entry.id).await.map_err(at)?;
                    }
                    RefreshReport::unchanged(&found.entry, spec, version, started)
                }
            });
        }
        Ok(Some(reports))
    }

    /// The members as they are now.
    async fn find(&self, session: &mut Session, requests: &[RefreshRequest]) -> Result<Vec<Found>, Stopped> {
        let mut found = Vec::new();
        for (member, seen) in session.look(self, requests).await?.into_iter().enumerate() {
            let at = |error: SyncError| Stopped { member, error };
            let Some(RefreshRequest { spec, .. }) = requests.get(member) else { continue };
            let mapping = Arc::new(self.map(session, &seen.snapshot, spec).await.map_err(at)?);
            let (control, _) = session.control(self).await.map_err(at)?;
            let location = seen.source.location.to_string();
            let known = async {
                let entry = ledger::register(control, spec, &location).await?;
                ledger::note_source_version(control, entry.id, seen.snapshot.version()).await?;
                Ok::<Entry, PgError>(entry)
            };
            let entry = known.await.map_err(|e| at(e.into()))?;
            found.push(Found { seen, mapping, entry });
        }
        Ok(found)
    }

    /// Does what is to be done for each, all of it in one transaction at the end.
    async fn carry_out(&self, control: &mut Client, runs: &[Run<'_>]) -> Result<Vec<Done>, Stopped> {
        let mut ready = Vec::new();
        for run in runs {
            ready.push(run.ready(control).await.map_err(|error| Stopped { member: run.member, error })?);
        }
        if ready.iter().all(|ready| matches!(ready, Ready::Nothing)) {
            return Ok(runs.iter().map(|_| Done::nothing()).collect());
        }
        loop {
            let mut txn = self.begin(control, runs).await?;
            match apply(&mut txn, runs, &ready).await? {
                Ok(done) => {
                    self.commit(txn, runs).await?;
                    return Ok(done);
                }
                Err((place, why)) => {
                    let undone = txn.rollback().await;
                    let (Some(run), Some(ready)) = (runs.get(place), ready.get_mut(place)) else { continue };
                    let at = |error: SyncError| Stopped { member: run.member, error };
                    undone.map_err(|e| at(PgError::new("undoing the changes", e).into()))?;
                    tracing::info!(table = %run.request.spec.name, "everything is copied again: {why}");
                    *ready = run.copy_again(control, &why).await.map_err(at)?;
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
        match run.copy_beside(txn, ready).await.map_err(|error| Stopped { member: run.member, error })? {
            Step::Taken(rows) => copied.push(rows),
            Step::NotPossible(why) => return Ok(Err((place, why))),
        }
    }
    let mut done = Vec::new();
    for (place, ((run, ready), copied)) in runs.iter().zip(ready).zip(copied).enumerate() {
        match run.apply(txn, ready, copied).await.map_err(|error| Stopped { member: run.member, error })? {
            Step::Taken(one) => done.push(one),
            Step::NotPossible(why) => return Ok(Err((place, why))),
        }
    }
    Ok(Ok(done))
}

impl Stopped {
    /// The error as a member's own.
    pub(crate) fn error_of(&self, member: usize, requests: &[RefreshRequest]) -> SyncError {
        let error = self.error.clone();
        let failed = requests.get(self.member).filter(|_| member != self.member);
        let Some(RefreshRequest { spec, .. }) = failed else { return error };
        SyncError {
            message: format!("held back, since {} of the same pipeline failed: {error}", spec.name),
            causes: Vec::new(),
            hint: format!("the tables of an atomic pipeline go on together once {} does", spec.name),
            ..error
        }
    }
}
