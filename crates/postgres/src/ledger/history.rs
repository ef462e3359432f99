//! The history of updates, read.

use crate::PgResult;
use crate::error::Doing;
use chrono::{DateTime, Utc};
use tokio_postgres::Client;

/// The last update of a table, for `status`.
#[derive(Debug, Clone, serde::Serialize)]
pub struct LastUpdate {
    /// when it began
    pub started_at: DateTime<Utc>,
    /// when it ended, absent while it runs
    pub ended_at: Option<DateTime<Utc>>,
    /// `full`, `incremental` or `none`; absent where it did not come so far
    pub refresh: Option<String>,
    /// why this way was taken
    pub reason: Option<String>,
    /// rows inserted
    pub inserted: Option<i64>,
    /// rows updated
    pub updated: Option<i64>,
    /// rows deleted
    pub deleted: Option<i64>,
    /// the condition that stopped it
    pub condition: Option<String>,
    /// and what it said
    pub message: Option<String>,
}

/// The last update of a table.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn last_update(client: &Client, table_id: i64) -> PgResult<Option<LastUpdate>> {
    let doing = || "reading lakefront.updates".to_owned();
    let row = client
        .query_opt(
            "SELECT started_at, ended_at, refresh, reason, inserted, updated, deleted, condition, message
             FROM lakefront.updates WHERE table_id = $1 ORDER BY id DESC LIMIT 1",
            &[&table_id],
        )
        .await
        .doing(doing)?;
    let read = |row: &tokio_postgres::Row| {
        Ok(LastUpdate {
            started_at: row.try_get(0)?,
            ended_at: row.try_get(1)?,
            refresh: row.try_get(2)?,
            reason: row.try_get(3)?,
            inserted: row.try_get(4)?,
            updated: row.try_get(5)?,
            deleted: row.try_get(6)?,
            condition: row.try_get(7)?,
            message: row.try_get(8)?,
        })
    };
    row.as_ref().map(read).transpose().doing(doing)
}
