//! Rows that PostgreSQL cannot take: what the table's policies say of them, and the account that is kept.

use crate::SyncError;
use lakefront_model::{Condition, NulBytePolicy, RowPolicy, SyncedTableSpec};
use lakefront_postgres::encode::{RejectCause, RejectedRow};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is done with a rejected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// the refresh fails once all such rows are counted
    Fail,
    /// the row goes into the quarantine
    SetAside,
}

/// What the spec says of a cause.
pub(crate) fn verdict(spec: &SyncedTableSpec, cause: &RejectCause) -> Verdict {
    let set_aside = match cause {
        RejectCause::NullKey => spec.null_key == RowPolicy::Quarantine,
        RejectCause::NulByte => spec.nul_byte == NulBytePolicy::Quarantine,
        _ => false,
    };
    if set_aside { Verdict::SetAside } else { Verdict::Fail }
}

/// Rejected rows of one load, by condition and column.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    failed: BTreeMap<(&'static str, Arc<str>), Failed>,
    set_aside: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct Failed {
    condition: Condition,
    rows: u64,
    example: String,
    cause: String,
}

impl Tally {
    pub(crate) fn failed(&mut self, row: &RejectedRow, key: impl FnOnce() -> String) {
        let condition = row.cause.condition();
        self.failed
            .entry((condition.name(), row.column.clone()))
            .and_modify(|f| f.rows += 1)
            .or_insert_with(|| Failed { condition, rows: 1, example: key(), cause: row.cause.to_string() });
    }

    pub(crate) fn set_aside(&mut self, reason: &'static str, rows: u64) {
        if rows > 0 {
            *self.set_aside.entry(reason).or_default() += rows;
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (key, failed) in other.failed {
            let rows = failed.rows;
            self.failed.entry(key).and_modify(|f| f.rows += rows).or_insert(failed);
        }
        for (reason, rows) in other.set_aside {
            self.set_aside(reason, rows);
        }
    }

    /// Rows set aside, by reason.
    pub(crate) fn left_out(&self) -> BTreeMap<String, u64> {
        self.set_aside.iter().map(|(&reason, &rows)| (reason.to_owned(), rows)).collect()
    }

    /// The error that the failed rows make, if there are any: it names column, key and count.
    pub(crate) fn error(&self) -> Option<SyncError> {
        let failed = self.failed.iter().next();
        failed.map(|((_, column), f)| {
            let rows = if f.rows == 1 { "1 row".to_owned() } else { format!("{} rows", f.rows) };
            let first = if f.rows == 1 { "its key" } else { "the first one's key" };
            let message = format!("column \"{column}\", {rows}: {}; {first}: {}", f.cause, f.example);
            SyncError::new(f.condition, message, hint(f.condition))
        })
    }
}

/// What can be done about rows that share a key or have none.
pub(crate) fn hint(condition: Condition) -> &'static str {
    match condition {
        Condition::NullPrimaryKey => {
            "fill the key at the source, choose another key, or set null_key = \"quarantine\" for this table"
        }
        Condition::CharacterNotInRepertoire => {
            "PostgreSQL's text cannot hold 0x00: clean the source, or set nul_byte = \"strip\" or \"quarantine\" for this table"
        }
        Condition::PrimaryKeyConstraintViolation => {
            "choose a key that is unique, give a timeseries key, or set duplicate_key = \"quarantine\" for this table"
        }
        Condition::ValueOutOfRange => "correct the value at the source, or the type override of the column",
        _ => "",
    }
}
