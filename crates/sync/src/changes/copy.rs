//! Copying changed rows to the server, in the running transaction.

use super::{Unclear, append, disagrees, net, read};
use crate::SyncError;
use crate::failure::internal;
use crate::load::{Sender, queue};
use crate::run::Run;
use bytes::Bytes;
use lakefront_lake::ChangePlan;
use lakefront_postgres::changes::ChangeStage;
use lakefront_postgres::copy::CopyIn;
use lakefront_postgres::difference::Counts;
use lakefront_postgres::encode::{COPY_HEADER, COPY_TRAILER};
use lakefront_postgres::{ident, left_out};
use std::sync::Arc;
use tokio_postgres::Transaction;

/// What was copied.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    /// rows of each fate
    pub(super) rows: Counts,
    /// with a timeseries key, the keys of which rows went
    pub(super) lost: net::Keys,
    /// whether the live table has the rows already
    pub(super) is_applied: bool,
}

/// Where rows are copied to.
pub(super) enum Destination<'a> {
    /// beside the live table, each with a mark
    Stage(&'a ChangeStage<'a>),
    /// the live table itself
    Live,
}

impl Run<'_> {
    /// Copies the rows that say what is to become of the changed keys, beside the live table where not all are new.
    pub(crate) async fn copy_changes(
        &self,
        txn: &Transaction<'_>,
        changes: Arc<ChangePlan>,
        is_in_shape: bool,
    ) -> Result<Copied, Unclear> {
        if changes.units.is_empty() {
            return Ok(Copied::default());
        }
        self.progress.expect(0, changes.bytes);
        let (spec, mapping, progress) =
            (self.request.spec.clone(), self.goal.mapping.clone(), self.progress.clone());
        let has_one_row_per_key = mapping.timeseries_key.is_none() && self.entry.quarantined == 0;
        if is_in_shape && has_one_row_per_key && append::is_append(&changes) {
            let read = move |sender| append::read(&changes, &spec, &mapping, &sender, &progress);
            let (landed, sent) = self.copy(txn, Destination::Live, read).await?;
            if landed != sent {
                let rows = sent.saturating_sub(landed);
                return Err(left_out::error(txn, self.target(), rows).await.into());
            }
            let rows = Counts { inserted: landed, ..Counts::default() };
            return Ok(Copied { rows, is_applied: true, ..Copied::default() });
        }
        let read = move |sender| match mapping.timeseries_key {
            Some(_) => net::read(&changes, &spec, &mapping, sender, &progress),
            None => {
                let rows = read::read(&changes, &spec, &mapping, sender, &progress)?;
                Ok(Copied { rows, ..Copied::default() })
            }
        };
        let stage = ChangeStage::new(self.entry.id, &self.goal.mapping);
        let (landed, copied) = self.copy(txn, Destination::Stage(&stage), read).await?;
        all_landed(landed, copied.rows.inserted + copied.rows.updated + copied.rows.deleted)?;
        Ok(copied)
    }

    /// Copies what `read` sends. Returns the rows that landed, and what `read` returned.
    pub(super) async fn copy<T: Send + 'static>(
        &self,
        txn: &Transaction<'_>,
        destination: Destination<'_>,
        read: impl FnOnce(Sender) -> Result<T, Unclear> + Send + 'static,
    ) -> Result<(u64, T), Unclear> {
        let (sender, receiver) = queue(1);
        let reading = tokio::task::spawn_blocking(move || read(sender));
        let sent = async {
            let Some(first) = receiver.next().await else { return Ok(0) };
            let mut copy = match destination {
                Destination::Stage(stage) => {
                    stage.ensure(txn).await?;
                    CopyIn::start(txn.client(), &stage.sql(), &stage.columns()).await?
                }
                Destination::Live => {
                    let columns: Vec<_> = self.goal.mapping.columns.iter().map(|c| c.name.as_str()).collect();
                    CopyIn::start(txn.client(), &ident::qualified(self.target()), &columns).await?
                }
            };
            copy.send(Bytes::from_static(&COPY_HEADER)).await?;
            copy.send(first).await?;
            while let Some(chunk) = receiver.next().await {
                copy.send(chunk).await?;
            }
            copy.send(Bytes::from_static(&COPY_TRAILER)).await?;
            copy.finish().await
        };
        let landed = sent.await;
        // Ends the threads if they still read.
        receiver.close();
        let read = reading
            .await
            .unwrap_or_else(|e| Err(internal(format!("a task that read changes ended: {e}")).into()));
        match landed {
            // The key of a new row is there: the copy is not what the ledger says, or the source has the key twice.
            Err(error) if self.is_key_taken(&error) => Err(disagrees()),
            landed => Ok((landed?, read?)),
        }
    }
}

fn all_landed(landed: u64, sent: u64) -> Result<(), SyncError> {
    if landed == sent {
        return Ok(());
    }
    Err(internal(format!("{sent} changed rows were sent and {landed} landed")))
}
