//! Deleting a synced table: the table is kept as an ordinary one, or purged.

use crate::{Engine, SyncError};
use lakefront_postgres::ledger::{self, Entry};
use lakefront_postgres::table::{self, Stage};
use lakefront_postgres::{PgError, roles};
use serde::Serialize;

/// What was deleted; the fields are those of `--json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeleteReport {
    /// the synced table
    pub table: String,
    /// whether its PostgreSQL table was dropped; otherwise it stays as an ordinary table
    pub purged: bool,
}

impl Engine {
    /// Ends a synced table. With `purge` its PostgreSQL table is dropped, else it stays, no longer refreshed, and
    /// belongs to the connected user.
    ///
    /// # Errors
    /// When something depends on a table that is to be dropped: nothing is deleted then.
    pub async fn delete(&self, entry: &Entry, purge: bool) -> Result<DeleteReport, SyncError> {
        self.try_delete(entry, purge).await.map_err(|e| e.of_table(&entry.name))
    }

    async fn try_delete(&self, entry: &Entry, purge: bool) -> Result<DeleteReport, SyncError> {
        let (mut client, ownership) = self.control().await?;
        let claim = ledger::begin(&client, entry).await?;
        let txn = client.transaction().await.map_err(|e| PgError::new("beginning the deletion", e))?;
        if purge {
            table::drop_live(&txn, &entry.target).await?;
        } else if ownership == roles::Ownership::Role {
            table::hand_over(&txn, &entry.target).await?;
        }
        for stage in [Stage::for_loading(&claim), Stage::for_verifying(entry.id)] {
            stage.drop_all(&txn).await?;
        }
        ledger::remove(&txn, entry.id).await?;
        self.commit_plain(txn, "deleting").await?;
        ledger::release(&client, claim).await?;
        Ok(DeleteReport { table: entry.name.clone(), purged: purge })
    }
}
