//! Ending the transaction that moves data and checkpoint together: done, refused, or uncertain and then settled.

use crate::run::Run;
use crate::stopped::Stopped;
use crate::{Engine, SyncError};
use lakefront_postgres::{PgError, ledger};
use tokio_postgres::Transaction;

impl Engine {
    /// Commits. When the connection dies meanwhile nobody knows whether the server did it, so the ledger is read
    /// again over a new connection: the update is recorded as ended if and only if its data is there.
    pub(crate) async fn commit(&self, txn: Transaction<'_>, runs: &[Run<'_>]) -> Result<(), Stopped> {
        let Err(error) = txn.commit().await else { return Ok(()) };
        let error = PgError::new("committing", error);
        // What one of them says is true of all: they are in the same transaction.
        let Some(Run { member, claim, .. }) = runs.first() else { return Ok(()) };
        let at = |error: SyncError| Stopped { member: *member, error };
        if !error.is_connection_lost() {
            return Err(at(error.into()));
        }
        let client = self.connect().await.map_err(at)?;
        let ended = ledger::has_ended(&client, *claim).await.map_err(|e| at(e.into()))?;
        if ended { Ok(()) } else { Err(at(error.into())) }
    }

    /// Commits a transaction that can be asked for again without harm, so that an uncertain end needs no settling.
    pub(crate) async fn commit_plain(&self, txn: Transaction<'_>, doing: &str) -> Result<(), SyncError> {
        Ok(txn.commit().await.map_err(|e| PgError::new(doing, e))?)
    }
}
