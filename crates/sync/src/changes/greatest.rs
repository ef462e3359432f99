//! Applying changed rows of a table with a timeseries key.

use super::copy::{Copied, Destination};
use super::{Unclear, disagrees, next};
use crate::run::Run;
use lakefront_lake::ScanOptions;
use lakefront_model::TargetColumn;
use lakefront_postgres::changes::{ChangeStage, Greatest, Lost};
use lakefront_postgres::difference::Counts;
use tokio_postgres::Transaction;

impl Run<'_> {
    /// Applies the rows that the source got and lost. Where a key lost its greatest row, its next one is looked for in
    /// the source.
    pub(super) async fn apply_greatest(
        &self,
        txn: &Transaction<'_>,
        stage: &ChangeStage<'_>,
        by: &TargetColumn,
        copied: Copied,
    ) -> Result<Counts, Unclear> {
        let live_rows = self.entry.rows.unwrap_or_default();
        let greatest = Greatest { stage, target: self.target(), by };
        let replaced = match greatest.weigh(txn, copied.rows, live_rows).await? {
            Lost::Lesser => Counts::default(),
            Lost::Unknown => return Err(disagrees()),
            Lost::Greatest => {
                let scan = self.goal.snapshot.scan(ScanOptions::default()).await?;
                self.progress.expect(0, scan.bytes);
                let (spec, mapping) = (self.request.spec.clone(), self.goal.mapping.clone());
                let progress = self.progress.clone();
                let read = move |sender| next::read(&scan, &copied.lost, &spec, &mapping, &sender, &progress);
                self.copy(txn, Destination::Stage(stage), read).await?;
                greatest.replace_lost(txn).await?
            }
        };
        let taken = greatest.take_greater(txn).await?;
        Ok(Counts {
            inserted: taken.inserted,
            updated: replaced.updated + taken.updated,
            deleted: replaced.deleted,
        })
    }
}
