//! Claims on tables: one process at a time, and only the newest claim moves a checkpoint.

use super::update::to_bigint;
use super::{Entry, EntryState};
use crate::PgResult;
use crate::error::Doing;
use lakefront_model::Condition;
use tokio_postgres::{Client, Transaction};

/// Namespace of the advisory locks that tables are refreshed under; the second half is the table's number.
const TABLE_LOCK: i32 = 0x6c61_6b65;

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

/// Ends, in the record, earlier updates of a claimed table that no longer run: their processes ended before they did.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn end_orphans(client: &Client, claim: Claim) -> PgResult<()> {
    client
        .execute(
            "UPDATE lakefront.updates SET ended_at = clock_timestamp(), condition = $3, message = $4
             WHERE table_id = $1 AND id < $2 AND ended_at IS NULL",
            &[
                &claim.table_id,
                &claim.update_id,
                &Condition::InternalError.name(),
                &"the process that ran it ended before it was done; nothing of it was kept",
            ],
        )
        .await
        .doing(|| "recording how earlier updates ended".into())?;
    Ok(())
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
