//! The ledger: the schema `lakefront` in the target database, which holds specs, checkpoints, the history
//! of updates and the quarantine.

mod claim;
mod entry;
mod failure;
mod history;
mod quarantine;
mod update;

pub use claim::{Claim, abandon, begin, end_orphans, fence, release};
pub use entry::{Entry, EntryState, find, list, register, remove};
pub use failure::{fail, forget_failure, note_failure};
pub use history::{LastUpdate, last_update};
pub use quarantine::left_out;
pub use update::{Checkpoint, Outcome, finish, has_ended, note_source_version};

use crate::error::Doing;
use crate::{PgResult, ident, roles};
use tokio_postgres::{Client, GenericClient};

/// The format of the ledger that this Lakefront writes.
pub const FORMAT: i32 = 3;

/// The advisory lock under which the ledger and schemas are made; a number of Lakefront's own.
pub(crate) const LEDGER_LOCK: i64 = 0x6c61_6b65_6672_6e74;

/// What [`ensure`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Readiness {
    /// the ledger is there, in this Lakefront's format
    Ready,
    /// another, newer Lakefront made it
    TooNew(i32),
}

/// Whether the database has a ledger at all; nothing is made.
///
/// # Errors
/// When the database cannot be asked.
pub async fn exists(client: &Client) -> PgResult<bool> {
    let row = client
        .query_one("SELECT to_regclass('lakefront.ledger_format') IS NOT NULL", &[])
        .await
        .doing(|| "looking for the schema lakefront".into())?;
    Ok(row.get(0))
}

/// Makes the ledger where it is missing.
///
/// # Errors
/// When the user may not create a schema, or the database cannot be asked.
pub async fn ensure(client: &mut Client, ownership: roles::Ownership) -> PgResult<Readiness> {
    if !exists(client).await? {
        let doing = || "creating the schema lakefront".to_owned();
        let txn = client.transaction().await.doing(doing)?;
        txn.execute("SELECT pg_advisory_xact_lock($1)", &[&LEDGER_LOCK]).await.doing(doing)?;
        // Asked of the catalog itself: the session's cache may still say "not there" after waiting for the lock.
        let raced: bool = txn
            .query_one(
                "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'lakefront' AND c.relname = 'ledger_format')",
                &[],
            )
            .await
            .doing(doing)?
            .get(0);
        if !raced {
            txn.batch_execute(include_str!("schema.sql")).await.doing(doing)?;
            if ownership == roles::Ownership::Role {
                let owner = ident::quote(roles::OWNER);
                let owned = format!(
                    "ALTER SCHEMA lakefront OWNER TO {owner}; ALTER VIEW lakefront.freshness OWNER TO {owner};
                     ALTER TABLE lakefront.synced_tables OWNER TO {owner}; ALTER TABLE lakefront.updates OWNER TO {owner};
                     ALTER TABLE lakefront.quarantine OWNER TO {owner}; ALTER TABLE lakefront.ledger_format OWNER TO {owner}"
                );
                txn.batch_execute(&owned).await.doing(doing)?;
            }
        }
        txn.commit().await.doing(doing)?;
    }
    ready(client).await
}

/// Brings a ledger that is there to this Lakefront's format.
///
/// # Errors
/// When the user may not change it, or the database cannot be asked.
pub async fn ready(client: &mut Client) -> PgResult<Readiness> {
    match format(client).await? {
        FORMAT => Ok(Readiness::Ready),
        older if older < FORMAT => upgrade(client).await,
        newer => Ok(Readiness::TooNew(newer)),
    }
}

async fn format(client: &impl GenericClient) -> PgResult<i32> {
    let row = client.query_one("SELECT format FROM lakefront.ledger_format", &[]).await;
    Ok(row.doing(|| "reading lakefront.ledger_format".into())?.get(0))
}

/// Brings a ledger that an earlier Lakefront made to this one's format.
async fn upgrade(client: &mut Client) -> PgResult<Readiness> {
    let doing = || "bringing the schema lakefront to this Lakefront's format".to_owned();
    let txn = client.transaction().await.doing(doing)?;
    txn.execute("SELECT pg_advisory_xact_lock($1)", &[&LEDGER_LOCK]).await.doing(doing)?;
    if format(&txn).await? == 1 {
        txn.batch_execute(include_str!("from_1.sql")).await.doing(doing)?;
    }
    if format(&txn).await? == 2 {
        txn.batch_execute(include_str!("from_2.sql")).await.doing(doing)?;
    }
    txn.commit().await.doing(doing)?;
    Ok(Readiness::Ready)
}
