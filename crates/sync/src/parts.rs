//! A source that is very many commits ahead is followed in parts, each one transaction: what is known of so many commits
//! would not fit into memory, and what a part brought is not lost when a later one fails.
//!
//! Tables of an atomic pipeline are not, as they show their sources at one moment only.

use crate::found::Found;
use crate::goal::Goal;
use crate::plan::Plan;
use crate::report::FULL;
use crate::{RefreshReport, RefreshRequest};
use lakefront_lake::LakeError;
use lakefront_model::{Version, map_schema};
use lakefront_postgres::{PgError, table};
use std::sync::Arc;
use std::time::Instant;
use tokio_postgres::Client;

/// Commits of a part. A process that applies so many of ten rows each peaks at 50 MiB and takes a second, so that another
/// transaction does not count.
const MOST_COMMITS: Version = 10_000;

/// How far a refresh has come.
pub(crate) struct Parts {
    started: Instant,
    /// what the parts that are applied came to
    report: Option<RefreshReport>,
    applied: usize,
    /// why the rest of the way is a full copy
    full_because: Option<String>,
}

impl Parts {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), report: None, applied: 0, full_because: None }
    }

    /// The goal of the next step for the only table that is refreshed: its source's newest version, or a part of the way.
    pub(crate) async fn next_goal(
        &self,
        control: &Client,
        found: &Found,
        request: &RefreshRequest,
    ) -> Result<Goal, PgError> {
        let newest = Goal {
            replaced_before: self.replaced(),
            full_because: self.full_because.clone(),
            ..found.goal.clone()
        };
        let Some(version) = found.entry.version.map(|applied| applied + MOST_COMMITS) else {
            return Ok(newest);
        };
        if newest.full_because.is_some() || newest.snapshot.version() <= version {
            return Ok(newest);
        }
        let live = table::shape_of(control, &request.spec.name.name).await?;
        let is_applied =
            |goal: &Goal| matches!(goal.plan(&found.entry, live.as_ref(), request), Ok(Plan::Apply { .. }));
        if !is_applied(&newest) {
            return Ok(newest);
        }
        match part(version, &newest, found, request).await {
            Ok(Some(part)) if is_applied(&part) => Ok(part),
            // What cannot be had on the way may well be had at its end.
            _ => Ok(newest),
        }
    }

    /// Rows that the parts which are applied replaced.
    fn replaced(&self) -> u64 {
        let rows = self.report.as_ref().map_or(0, |report| report.updated + report.deleted);
        u64::try_from(rows).unwrap_or_default()
    }

    /// A part is applied.
    pub(crate) fn add(&mut self, part: RefreshReport) {
        self.report = Some(self.with(part));
        self.applied += 1;
    }

    /// The way cannot be gone in parts any further.
    pub(crate) fn give_up(&mut self, why: String) {
        self.full_because = Some(why);
    }

    /// What all parts came to, with the last one's report. A full copy at the end is all there is to tell of rows.
    pub(crate) fn with(&mut self, last: RefreshReport) -> RefreshReport {
        let Some(before) = self.report.take() else { return last };
        let last = RefreshReport {
            from_version: before.from_version,
            bytes: before.bytes + last.bytes,
            seconds: self.started.elapsed().as_secs_f64(),
            ..last
        };
        if last.refresh == FULL {
            return last;
        }
        let commits = before.from_version.map_or(last.version, |from| last.version - from);
        RefreshReport {
            refresh: before.refresh,
            inserted: before.inserted + last.inserted,
            updated: before.updated + last.updated,
            deleted: before.deleted + last.deleted,
            reason: format!("{commits} new commits, in {} parts", self.applied + 1),
            ..last
        }
    }
}

/// A part of the way to the newest version. None where the source has no columns there that the copy could have.
async fn part(
    version: Version,
    newest: &Goal,
    found: &Found,
    request: &RefreshRequest,
) -> Result<Option<Goal>, LakeError> {
    let snapshot = found.seen.source.table.at(version).await?;
    let mapping = map_schema(snapshot.schema(), &request.spec).ok();
    Ok(mapping.map(|mapping| Goal { snapshot, mapping: Arc::new(mapping), is_part: true, ..newest.clone() }))
}
