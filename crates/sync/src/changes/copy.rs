//! Copying changed rows beside the live table, in the running transaction.

use super::{Unclear, net, read};
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
use std::sync::Arc;
use tokio_postgres::Transaction;

/// What was copied.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    /// rows of each fate
    pub(super) rows: Counts,
    /// with a timeseries key, the keys of which rows went
    pub(super) lost: net::Keys,
}

impl Run<'_> {
    /// Copies the rows that say what is to become of the changed keys.
    pub(crate) async fn copy_changes(
        &self,
        txn: &Transaction<'_>,
        changes: Arc<ChangePlan>,
    ) -> Result<Copied, Unclear> {
        if changes.units.is_empty() {
            return Ok(Copied::default());
        }
        self.progress.expect(0, changes.bytes);
        let (spec, mapping, progress) =
            (self.request.spec.clone(), self.mapping.clone(), self.progress.clone());
        let read = move |sender| match mapping.timeseries_key {
            Some(_) => net::read(&changes, &spec, &mapping, sender, &progress),
            None => {
                let rows = read::read(&changes, &spec, &mapping, sender, &progress)?;
                Ok(Copied { rows, ..Copied::default() })
            }
        };
        let stage = ChangeStage::new(self.entry.id, &self.mapping);
        let (landed, copied) = self.copy(txn, &stage, read).await?;
        let rows = copied.rows.inserted + copied.rows.updated + copied.rows.deleted;
        if landed != rows {
            return Err(internal(format!("{rows} changed rows were sent and {landed} landed")).into());
        }
        Ok(copied)
    }

    /// Copies what `read` sends. Returns the rows that landed, and what `read` returned.
    pub(super) async fn copy<T: Send + 'static>(
        &self,
        txn: &Transaction<'_>,
        stage: &ChangeStage<'_>,
        read: impl FnOnce(Sender) -> Result<T, Unclear> + Send + 'static,
    ) -> Result<(u64, T), Unclear> {
        let (sender, receiver) = queue(1);
        let reading = tokio::task::spawn_blocking(move || read(sender));
        let sent = async {
            let Some(first) = receiver.next().await else { return Ok(0) };
            stage.ensure(txn).await?;
            let mut copy = CopyIn::start(txn.client(), &stage.sql(), &stage.columns()).await?;
            copy.send(Bytes::from_static(&COPY_HEADER)).await?;
            copy.send(first).await?;
            while let Some(chunk) = receiver.next().await {
                copy.send(chunk).await?;
            }
            copy.send(Bytes::from_static(&COPY_TRAILER)).await?;
            Ok::<u64, SyncError>(copy.finish().await?)
        };
        let landed = sent.await;
        // Ends the threads if they still read.
        receiver.close();
        let read = reading
            .await
            .unwrap_or_else(|e| Err(internal(format!("a task that read changes ended: {e}")).into()));
        Ok((landed?, read?))
    }
}
