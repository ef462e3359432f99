//! Incremental refresh: what changed at the source since the checkpoint, applied in one transaction with it.

mod ahead;
mod append;
mod copy;
mod encoded;
mod fold;
mod greatest;
mod moved;
mod net;
mod next;
mod passes;
mod print;
mod read;
mod rewritten;
mod side_by_side;

use crate::SyncError;
use crate::run::Run;
pub(crate) use copy::Copied;
use lakefront_lake::LakeError;
use lakefront_postgres::PgError;
use lakefront_postgres::changes::{Applied, ChangeStage};
use lakefront_postgres::difference::Counts;
use lakefront_postgres::encode::EncodeError;
use lakefront_postgres::ledger::Outcome;
use tokio_postgres::Transaction;

/// Why reading changes ended early.
pub(crate) enum Unclear {
    /// the work failed
    Failed(SyncError),
    /// the changes alone do not say what the copy should hold: why
    Changes(String),
}

impl From<SyncError> for Unclear {
    fn from(error: SyncError) -> Self {
        Self::Failed(error)
    }
}

impl From<PgError> for Unclear {
    fn from(error: PgError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EncodeError> for Unclear {
    fn from(error: EncodeError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<LakeError> for Unclear {
    fn from(error: LakeError) -> Self {
        match error {
            LakeError::MissingFile { file, .. } => {
                Self::Changes(format!("file {file}, which held changed rows, is gone from the source"))
            }
            // Where it is still part of the table, copying everything says so.
            LakeError::UnreadableFile { file, reason, .. } => {
                Self::Changes(format!("file {file}, which holds changed rows, cannot be read: {reason}"))
            }
            other => Self::Failed(other.into()),
        }
    }
}

impl Run<'_> {
    /// Applies the rows that were copied. Returns what came of it, as far as rows are concerned.
    pub(crate) async fn apply_rows(&self, txn: &Transaction<'_>, copied: Copied) -> Result<Outcome, Unclear> {
        let stage = ChangeStage::new(self.entry.id, &self.goal.mapping);
        let counts = self.change_rows(txn, &stage, copied).await?;
        let [inserted, updated, deleted] =
            [counts.inserted, counts.updated, counts.deleted].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        Ok(Outcome {
            rows: self.entry.rows.unwrap_or_default() + inserted - deleted,
            inserted,
            updated,
            deleted,
            quarantined: self.entry.quarantined,
            ..Outcome::default()
        })
    }

    async fn change_rows(
        &self,
        txn: &Transaction<'_>,
        stage: &ChangeStage<'_>,
        copied: Copied,
    ) -> Result<Counts, Unclear> {
        if copied.rows == Counts::default() || copied.is_applied {
            return Ok(copied.rows);
        }
        if self.entry.quarantined > 0 && stage.touches_quarantine(txn, self.entry.id).await? {
            return Err(Unclear::Changes("a key that rows are set aside for changed".to_owned()));
        }
        if let Some(by) = self.goal.mapping.timeseries_key.and_then(|by| self.goal.mapping.columns.get(by)) {
            return self.apply_greatest(txn, stage, by, copied).await;
        }
        let live_rows = self.entry.rows.unwrap_or_default();
        match stage.apply(txn, self.target(), copied.rows, live_rows).await {
            Ok(Applied::Done(counts)) => Ok(counts),
            Ok(Applied::Disagrees) => Err(disagrees()),
            Err(error) if self.is_key_taken(&error) => Err(disagrees()),
            Err(error) => Err(error.into()),
        }
    }
}

fn disagrees() -> Unclear {
    Unclear::Changes("the copy does not hold the rows that the changes speak of".to_owned())
}
