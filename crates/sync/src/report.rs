//! What a refresh tells.

use lakefront_model::{SyncedTableSpec, Version};
use lakefront_postgres::ledger::{Entry, Outcome};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// Everything was copied again.
pub(crate) const FULL: &str = "full";
/// Commits were applied.
pub(crate) const INCREMENTAL: &str = "incremental";
/// There was no new commit.
pub(crate) const NONE: &str = "none";

/// What was done; the fields are those of `--json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RefreshReport {
    /// the synced table, as named
    pub table: String,
    /// its source, as named
    pub source: String,
    /// `full`, `incremental` or `none`
    pub refresh: &'static str,
    /// the version applied before
    pub from_version: Option<Version>,
    /// the version applied now
    pub version: Version,
    /// rows in the copy now
    pub rows: i64,
    /// rows inserted
    pub inserted: i64,
    /// rows updated
    pub updated: i64,
    /// rows deleted
    pub deleted: i64,
    /// rows put aside by policy
    pub quarantined: i64,
    /// rows put aside, by reason
    pub left_out: BTreeMap<String, u64>,
    /// bytes read from the source
    pub bytes: u64,
    /// wall time in seconds
    pub seconds: f64,
    /// why this way was taken
    pub reason: String,
    /// what else the user should know, such as a void column that has no counterpart
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// What a run did, before it is a report.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub outcome: Outcome,
    pub left_out: BTreeMap<String, u64>,
    pub notices: Vec<String>,
}

impl Done {
    /// What is done where there is no new commit.
    pub(crate) fn nothing() -> Self {
        Self { outcome: Outcome { refresh: NONE, ..Outcome::default() }, ..Self::default() }
    }

    pub(crate) fn report(
        self,
        entry: &Entry,
        spec: &SyncedTableSpec,
        version: Version,
        started: Instant,
    ) -> RefreshReport {
        RefreshReport {
            table: spec.name.to_string(),
            source: spec.source.clone(),
            refresh: self.outcome.refresh,
            from_version: entry.version,
            version,
            rows: self.outcome.rows,
            inserted: self.outcome.inserted,
            updated: self.outcome.updated,
            deleted: self.outcome.deleted,
            quarantined: self.outcome.quarantined,
            left_out: self.left_out,
            bytes: u64::try_from(self.outcome.bytes).unwrap_or_default(),
            seconds: started.elapsed().as_secs_f64(),
            reason: self.outcome.reason,
            notices: self.notices,
        }
    }
}

impl RefreshReport {
    /// The report of a table that is at its source's newest version already.
    pub(crate) fn unchanged(
        entry: &Entry,
        spec: &SyncedTableSpec,
        version: Version,
        started: Instant,
    ) -> Self {
        let outcome = Outcome {
            refresh: NONE,
            reason: "no new commit".to_owned(),
            rows: entry.rows.unwrap_or_default(),
            quarantined: entry.quarantined,
            ..Outcome::default()
        };
        let done = Done { outcome, ..Done::default() };
        Self { from_version: Some(version), ..done.report(entry, spec, version, started) }
    }
}
