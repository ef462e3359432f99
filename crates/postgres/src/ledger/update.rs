//! Checkpoints in the ledger, and the updates that move them.

use super::{Claim, EntryState};
use crate::PgResult;
use crate::error::Doing;
use chrono::{DateTime, Utc};
use lakefront_model::{SourceSchema, SyncedTableSpec, Version};
use postgres_types::Json;
use tokio_postgres::{Client, Transaction};

/// Finished updates kept for each table.
const HISTORY: i64 = 1000;

/// What is applied: the declaration, and the source at that version.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// the declaration
    pub spec: SyncedTableSpec,
    /// where the source was found
    pub location: String,
    /// the version
    pub version: Version,
    /// the Delta table's id
    pub source_table_id: String,
    /// the source's columns
    pub source_schema: SourceSchema,
    /// the source's comment
    pub source_comment: Option<String>,
    /// whether the source's commits after it record their changed rows
    pub source_feed: bool,
    /// columns that the source lost and that could not be dropped
    pub kept_columns: Vec<String>,
    /// bytes of the file of that version's commit, None where it is gone
    pub commit_bytes: Option<i64>,
    /// when that version was committed
    pub committed_at: Option<DateTime<Utc>>,
}

/// What an update did.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// `full`, `incremental` or `none`
    pub refresh: &'static str,
    /// why this way was taken
    pub reason: String,
    /// rows in the copy now
    pub rows: i64,
    /// rows inserted in PostgreSQL
    pub inserted: i64,
    /// rows updated in PostgreSQL
    pub updated: i64,
    /// rows deleted in PostgreSQL
    pub deleted: i64,
    /// rows set aside
    pub quarantined: i64,
    /// bytes read from the source
    pub bytes: i64,
}

/// Moves the checkpoint and ends the update, in the transaction that changes the data, and tells whoever listens
/// on the channel `lakefront` once it is committed.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn finish(
    txn: &Transaction<'_>,
    claim: Claim,
    checkpoint: &Checkpoint,
    outcome: &Outcome,
) -> PgResult<()> {
    let doing = || "moving the checkpoint".to_owned();
    let version = to_bigint(checkpoint.version);
    txn.execute(
        "UPDATE lakefront.synced_tables
         SET version = $2, source_version = greatest(source_version, $2), source_table_id = $3, committed_at = $4,
             synced_at = clock_timestamp(), row_count = $5, quarantined = $6, state = $7, condition = NULL, message = NULL,
             source_schema = $8, source_comment = $9, spec = $10,
             location = $11, name = $12, source_feed = $13, kept_columns = $14, commit_bytes = $15
         WHERE id = $1",
        &[
            &claim.table_id,
            &version,
            &checkpoint.source_table_id,
            &checkpoint.committed_at,
            &outcome.rows,
            &outcome.quarantined,
            &EntryState::Online.name(),
            &Json(&checkpoint.source_schema),
            &checkpoint.source_comment,
            &Json(&checkpoint.spec),
            &checkpoint.location,
            &checkpoint.spec.name.to_string(),
            &checkpoint.source_feed,
            &checkpoint.kept_columns,
            &checkpoint.commit_bytes,
        ],
    )
    .await
    .doing(doing)?;
    txn.execute(
        "UPDATE lakefront.updates
         SET refresh = $2, reason = $3, version = $4, ended_at = clock_timestamp(), inserted = $5, updated = $6,
             deleted = $7, quarantined = $8, bytes = $9
         WHERE id = $1",
        &[
            &claim.update_id,
            &outcome.refresh,
            &outcome.reason,
            &version,
            &outcome.inserted,
            &outcome.updated,
            &outcome.deleted,
            &outcome.quarantined,
            &outcome.bytes,
        ],
    )
    .await
    .doing(doing)?;
    txn.execute(
        "DELETE FROM lakefront.updates WHERE table_id = $1 AND id <
         (SELECT min(id) FROM (SELECT id FROM lakefront.updates WHERE table_id = $1 ORDER BY id DESC LIMIT $2) AS kept)",
        &[&claim.table_id, &HISTORY],
    )
    .await
    .doing(doing)?;
    let told =
        serde_json::json!({"table": checkpoint.spec.name.name.to_string(), "version": checkpoint.version})
            .to_string();
    txn.execute("SELECT pg_notify('lakefront', $1)", &[&told]).await.doing(doing)?;
    Ok(())
}

/// Whether an update has ended well, which the transaction with its data recorded. An older server process that
/// still runs that transaction holds the entry's lock, so this waits for it.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn has_ended(client: &Client, claim: Claim) -> PgResult<bool> {
    let doing = || "settling an uncertain commit".to_owned();
    client
        .execute("SELECT FROM lakefront.synced_tables WHERE id = $1 FOR NO KEY UPDATE", &[&claim.table_id])
        .await
        .doing(doing)?;
    let row = client
        .query_opt(
            "SELECT 1 FROM lakefront.updates WHERE id = $1 AND ended_at IS NOT NULL AND condition IS NULL",
            &[&claim.update_id],
        )
        .await
        .doing(doing)?;
    Ok(row.is_some())
}

/// Keeps the newest version seen at the source, for the lag that `status` shows.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn note_source_version(client: &Client, table_id: i64, version: Version) -> PgResult<()> {
    client
        .execute(
            "UPDATE lakefront.synced_tables SET source_version = $2 WHERE id = $1 AND source_version IS DISTINCT FROM $2",
            &[&table_id, &to_bigint(version)],
        )
        .await
        .doing(|| "recording the source's version".into())?;
    Ok(())
}

/// Delta versions are whole numbers from 0; PostgreSQL's widest is signed, which is wide enough for both.
pub(super) fn to_bigint(version: Version) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
