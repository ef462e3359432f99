//! How fresh the table is, as the view `lakefront.freshness` says.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;

/// State of a synced table in one snapshot of the database. Two reads with equal freshness saw equal data,
/// because Lakefront moves it in the transaction that changes the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Version of the source that the table shows.
    pub version: i64,
    /// When that version was committed at the source.
    pub committed_at: Option<DateTime<Utc>>,
    /// When it became visible here.
    pub synced_at: Option<DateTime<Utc>>,
}

impl Freshness {
    /// Reads the three columns that [`super::sql`] puts first; `None` when the table is none of Lakefront's.
    pub(super) fn read(row: &Row) -> Option<Self> {
        let version = row.try_get::<_, Option<i64>>(0).ok().flatten()?;
        Some(Self {
            version,
            committed_at: row.try_get(1).ok().flatten(),
            synced_at: row.try_get(2).ok().flatten(),
        })
    }
}
