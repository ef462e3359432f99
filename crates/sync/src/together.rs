//! Refreshing tables together: all of them become visible in one commit, at one consistent set of versions. A table by
//! itself is the case of one.

use crate::claims::{Finding, let_go, to_do};
use crate::failpoint::FailPoint;
use crate::found::Found;
use crate::goal::Goal;
use crate::parts::Parts;
use crate::progress::{Phase, Progress};
use crate::ready::Step;
use crate::report::NONE;
use crate::run::taken_over;
use crate::session::Session;
use crate::stopped::Stopped;
use crate::{Engine, RefreshReport, RefreshRequest, SyncError};
use lakefront_model::Version;
use lakefront_postgres::ledger::Entry;
use lakefront_postgres::{PgError, indexes, ledger};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// How one try ended.
enum Tried {
    /// each is at its goal
    Done(Vec<RefreshReport>),
    /// another process came first; all is to be looked at anew
    Outrun,
    /// the goal, a part of the way, cannot be reached by what was committed: why
    NotInParts(String),
}

impl Engine {
    /// Refreshes tables of one database together, in a session that goes on afterwards unless one fails.
    pub(crate) async fn refresh_in(
        &self,
        session: &mut Session,
        requests: &[RefreshRequest],
        progress: &Arc<Progress>,
    ) -> Vec<Result<RefreshReport, SyncError>> {
        let stopped = match self.refresh_in_parts(session, requests, progress).await {
            Ok(reports) => return reports.into_iter().map(Ok).collect(),
            Err(stopped) => stopped,
        };
        *session = Session::default();
        let name = |request: &RefreshRequest| request.spec.name.to_string();
        let each = requests
            .iter()
            .enumerate()
            .map(|(member, request)| Err(stopped.error_of(member, requests).of_table(&name(request))));
        each.collect()
    }

    async fn refresh_in_parts(
        &self,
        session: &mut Session,
        requests: &[RefreshRequest],
        progress: &Arc<Progress>,
    ) -> Result<Vec<RefreshReport>, Stopped> {
        let mut parts = Parts::new();
        loop {
            progress.enter(Phase::Planning);
            let found = match self.find_next(session, requests, &parts).await {
                Ok(found) => found,
                Err(stopped) => {
                    self.note_failure(requests, &stopped).await;
                    return Err(stopped);
                }
            };
            FailPoint::Found.reached();
            let is_part = found.iter().any(|found| found.goal.is_part);
            match self.attempt(session, requests, &found, progress).await {
                Ok(Tried::Done(reports)) if is_part => reports.into_iter().for_each(|part| parts.add(part)),
                Ok(Tried::Done(reports)) => {
                    return Ok(reports.into_iter().map(|report| parts.with(report)).collect());
                }
                Ok(Tried::Outrun) => {}
                Ok(Tried::NotInParts(why)) => parts.give_up(why),
                Err(stopped) => return Err(stopped),
            }
        }
    }

    /// One try to bring tables to their goals.
    async fn attempt(
        &self,
        session: &mut Session,
        requests: &[RefreshRequest],
        found: &[Found],
        progress: &Arc<Progress>,
    ) -> Result<Tried, Stopped> {
        let started = Instant::now();
        let (control, ownership) = session.control(self).await.map_err(Stopped::first)?;
        let work = to_do(control, found, requests).await?;
        let found_by = Finding { engine: self, requests, found, ownership, progress };
        let Some(runs) = found_by.claim(control, &work).await? else { return Ok(Tried::Outrun) };
        let mut done = match self.carry_out(control, &runs).await {
            Ok(Step::Taken(done)) => done,
            Ok(Step::NotPossible(why)) => {
                let_go(control, &runs, &BTreeMap::new()).await?;
                return Ok(Tried::NotInParts(why));
            }
            Err(stopped) => {
                let mut lost = None;
                for run in &runs {
                    if run.clean_up(&stopped.error_of(run.member, requests)).await {
                        lost = Some(run.member);
                    }
                }
                if let Some(member) = lost {
                    let causes = vec![stopped.error.message];
                    return Err(Stopped { member, error: SyncError { causes, ..taken_over() } });
                }
                if stopped.error.is_transient || !runs.iter().any(|run| run.goal.is_part) {
                    return Err(stopped);
                }
                // What stands in the way there may be gone at its end. The claim goes with the connection.
                *session = Session::default();
                return Ok(Tried::NotInParts(format!(
                    "a state of the source was refused: {}",
                    stopped.error
                )));
            }
        };
        // Where the connection broke at the COMMIT, the locks went with it.
        let broke = control.is_closed();
        let (control, _) = session.control(self).await.map_err(Stopped::first)?;
        if !broke {
            let_go(control, &runs, &done).await?;
        }
        let mut reports = Vec::new();
        for (member, (found, request)) in found.iter().zip(requests).enumerate() {
            let (spec, version) = (&request.spec, found.goal.snapshot.version());
            let at = |error: PgError| Stopped { member, error: error.into() };
            indexes::reconcile(control, &spec.name.name, &spec.indexes).await.map_err(at)?;
            let mut report = match done.remove(&member).filter(|done| done.outcome.refresh != NONE) {
                Some(done) => done.report(&found.entry, spec, version, started),
                None => {
                    if found.entry.condition.is_some() {
                        ledger::forget_failure(control, found.entry.id).await.map_err(at)?;
                    }
                    RefreshReport::unchanged(&found.entry, spec, version, started)
                }
            };
            if report.quarantined > 0 && report.left_out.is_empty() {
                report.left_out = ledger::left_out(control, found.entry.id).await.map_err(at)?;
            }
            reports.push(report);
        }
        Ok(Tried::Done(reports))
    }

    /// The members as they are now, each with its goal.
    async fn find_next(
        &self,
        session: &mut Session,
        requests: &[RefreshRequest],
        parts: &Parts,
    ) -> Result<Vec<Found>, Stopped> {
        let mut found = self.find_for_sure(session, requests).await?;
        if let ([found], [request]) = (found.as_mut_slice(), requests) {
            let (control, _) = session.control(self).await.map_err(Stopped::first)?;
            let goal = parts.next_goal(control, found, request).await;
            found.goal = goal.map_err(|e| Stopped::first(e.into()))?;
        }
        Ok(found)
    }

    /// The members as they are now. A source that is behind its copy may have been looked at before another process
    /// looked and applied what was new, so then it is looked at again: only what is seen after the ledger was read has
    /// really gone back.
    async fn find_for_sure(
        &self,
        session: &mut Session,
        requests: &[RefreshRequest],
    ) -> Result<Vec<Found>, Stopped> {
        let mut known: Vec<Option<Version>> = vec![None; requests.len()];
        loop {
            let found = self.find(session, requests).await?;
            let is_doubtful = |(found, known): (&Found, &Option<Version>)| {
                let seen = Some(found.seen.snapshot.version());
                seen < found.entry.version && seen >= *known
            };
            if !found.iter().zip(&known).any(is_doubtful) {
                return Ok(found);
            }
            known = found.iter().map(|found| found.entry.version).collect();
        }
    }

    async fn find(&self, session: &mut Session, requests: &[RefreshRequest]) -> Result<Vec<Found>, Stopped> {
        let mut found = Vec::new();
        for (member, seen) in session.look(self, requests).await?.into_iter().enumerate() {
            let at = |error: SyncError| Stopped { member, error };
            let Some(RefreshRequest { spec, .. }) = requests.get(member) else { continue };
            let mapping = self.map(session, &seen.snapshot, spec).await.map_err(at)?;
            let (control, _) = session.control(self).await.map_err(at)?;
            let location = seen.source.location.to_string();
            let known = async {
                let entry = ledger::register(control, spec, &location).await?;
                ledger::note_source_version(control, entry.id, seen.snapshot.version()).await?;
                Ok::<Entry, PgError>(entry)
            };
            let entry = known.await.map_err(|e| at(e.into()))?;
            let is_revised = seen.has_revised(&entry).await.map_err(at)?;
            let goal = Goal::newest(&seen, mapping, is_revised);
            found.push(Found { seen, entry, goal });
        }
        Ok(found)
    }
}
