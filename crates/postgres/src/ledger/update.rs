//! Updates in the ledger: claimed, fenced, finished or failed.

use super::{Entry, EntryState};
use crate::PgResult;
use crate::error::Doing;
use chrono::{DateTime, Utc};
use lakefront_model::{Condition, QualifiedName, SourceSchema, SyncedTableSpec, Version};
use postgres_types::Json;
use tokio_postgres::{Client, Transaction};

/// Namespace of the advisory locks that tables are refreshed under; the second half is the table's number.
const TABLE_LOCK: i32 = 0x6c61_6b65;

/// Finished updates kept for each table.
const HISTORY: i64 = 1000;

/// The right to move one table's checkpoint, until another process claims it.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// the table
    pub table_id: i64,
    /// the epoch that this claim began
    pub epoch: i64,
    /// the update's number
    pub update_id: i64,
}

/// Takes the table over: waits for another process that refreshes it (the lock ends with that process's
/// connection), raises the epoch, and records an update that began. The lock lives as long as `client`.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn begin(client: &Client, entry: &Entry) -> PgResult<Claim> {
    let doing = || format!("taking over {}", entry.name);
    client
        .execute("SELECT pg_advisory_lock($1, $2)", &[&TABLE_LOCK, &lock_number(entry.id)])
        .await
        .doing(doing)?;
    let state = if entry.version.is_some() { EntryState::Updating } else { EntryState::InitialSnapshot };
    let epoch = client
        .query_one(
            "UPDATE lakefront.synced_tables SET epoch = epoch + 1, state = $2 WHERE id = $1 RETURNING epoch",
            &[&entry.id, &state.name()],
        )
        .await
        .doing(doing)?
        .get(0);
    let update_id = client
        .query_one(
            "INSERT INTO lakefront.updates (table_id, from_version) VALUES ($1, $2) RETURNING id",
            &[&entry.id, &entry.version.map(to_bigint)],
        )
        .await
        .doing(doing)?
        .get(0);
    Ok(Claim { table_id: entry.id, epoch, update_id })
}

/// Lets go of the lock that [`begin`] took.
///
/// # Errors
/// When the server cannot be asked.
pub async fn release(client: &Client, claim: Claim) -> PgResult<()> {
    client
        .execute("SELECT pg_advisory_unlock($1, $2)", &[&TABLE_LOCK, &lock_number(claim.table_id)])
        .await
        .doing(|| "releasing the table".into())?;
    Ok(())
}

/// Lets go of a table for which there turned out to be nothing to do: as if it had never been claimed.
///
/// # Errors
/// When the server cannot be asked.
pub async fn abandon(client: &Client, claim: Claim) -> PgResult<()> {
    let doing = || "letting go of the table".to_owned();
    client.execute("DELETE FROM lakefront.updates WHERE id = $1", &[&claim.update_id]).await.doing(doing)?;
    let [online, online_failed, offline_failed] =
        [EntryState::Online, EntryState::OnlineFailed, EntryState::OfflineFailed].map(EntryState::name);
    client
        .execute(
            "UPDATE lakefront.synced_tables SET state = CASE WHEN version IS NULL THEN $5 WHEN condition IS NULL THEN $3 ELSE $4 END
             WHERE id = $1 AND epoch = $2",
            &[&claim.table_id, &claim.epoch, &online, &online_failed, &offline_failed],
        )
        .await
        .doing(doing)?;
    release(client, claim).await
}

fn lock_number(table_id: i64) -> i32 {
    (table_id % i64::from(i32::MAX)) as i32
}

/// Whether the claim still holds; locks the entry until the transaction ends, so that no other process can
/// claim it in between.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn fence(txn: &Transaction<'_>, claim: Claim) -> PgResult<bool> {
    let row = txn
        .query_opt(
            "SELECT epoch FROM lakefront.synced_tables WHERE id = $1 AND epoch = $2 FOR NO KEY UPDATE",
            &[&claim.table_id, &claim.epoch],
        )
        .await
        .doing(|| "checking that no other process took the table over".into())?;
    Ok(row.is_some())
}

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
             location = $11, name = $12, source_feed = $13, kept_columns = $14
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

/// Records that the update failed; the data and the checkpoint stay as they were.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn fail(
    client: &Client,
    claim: Claim,
    had_copy: bool,
    condition: Condition,
    message: &str,
) -> PgResult<()> {
    let doing = || "recording the failure".to_owned();
    let state = if had_copy { EntryState::OnlineFailed } else { EntryState::OfflineFailed };
    client
        .execute(
            "UPDATE lakefront.synced_tables SET state = $3, condition = $4, message = $5 WHERE id = $1 AND epoch = $2",
            &[&claim.table_id, &claim.epoch, &state.name(), &condition.name(), &message],
        )
        .await
        .doing(doing)?;
    client
        .execute(
            "UPDATE lakefront.updates SET ended_at = clock_timestamp(), condition = $2, message = $3 WHERE id = $1",
            &[&claim.update_id, &condition.name(), &message],
        )
        .await
        .doing(doing)?;
    Ok(())
}

/// Records that a table could not be refreshed, where no update had begun that would tell it.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn note_failure(
    client: &Client,
    target: &QualifiedName,
    condition: Condition,
    message: &str,
) -> PgResult<()> {
    let states = [EntryState::OnlineFailed, EntryState::OfflineFailed].map(EntryState::name);
    client
        .execute(
            "UPDATE lakefront.synced_tables SET state = CASE WHEN version IS NULL THEN $4 ELSE $3 END, condition = $5, message = $6
             WHERE schema_name = $1 AND table_name = $2 AND (condition, message) IS DISTINCT FROM ($5, $6)",
            &[&target.schema, &target.table, &states[0], &states[1], &condition.name(), &message],
        )
        .await
        .doing(|| "recording the failure".into())?;
    Ok(())
}

/// Records that a table that failed is at its source's version after all.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn forget_failure(client: &Client, table_id: i64) -> PgResult<()> {
    client
        .execute(
            "UPDATE lakefront.synced_tables SET state = $2, condition = NULL, message = NULL WHERE id = $1",
            &[&table_id, &EntryState::Online.name()],
        )
        .await
        .doing(|| "recording that the table is up to date".into())?;
    Ok(())
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

/// Delta versions are whole numbers from 0; PostgreSQL's widest is signed, which is wide enough for both.
fn to_bigint(version: Version) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
