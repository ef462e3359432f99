//! Failures in the ledger: noted, and forgotten.

use super::{Claim, EntryState};
use crate::PgResult;
use crate::error::Doing;
use lakefront_model::{Condition, QualifiedName};
use tokio_postgres::Client;

/// Records that the update failed; the data and the checkpoint stay as they were. Returns false, and records nothing, when
/// another process has claimed the table since.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn fail(
    client: &Client,
    claim: Claim,
    had_copy: bool,
    condition: Condition,
    message: &str,
) -> PgResult<bool> {
    let doing = || "recording the failure".to_owned();
    let state = if had_copy { EntryState::OnlineFailed } else { EntryState::OfflineFailed };
    let held = client
        .execute(
            "UPDATE lakefront.synced_tables SET state = $3, condition = $4, message = $5 WHERE id = $1 AND epoch = $2",
            &[&claim.table_id, &claim.epoch, &state.name(), &condition.name(), &message],
        )
        .await
        .doing(doing)?;
    if held == 0 {
        return Ok(false);
    }
    client
        .execute(
            "UPDATE lakefront.updates SET ended_at = clock_timestamp(), condition = $2, message = $3 WHERE id = $1",
            &[&claim.update_id, &condition.name(), &message],
        )
        .await
        .doing(doing)?;
    Ok(true)
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
