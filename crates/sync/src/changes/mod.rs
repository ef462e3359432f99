//! Incremental refresh: what changed at the source since the checkpoint, applied in one transaction with it.

mod ahead;
mod copy;
mod fold;
mod greatest;
mod moved;
mod net;
mod next;
mod print;
mod read;
mod rewritten;

use crate::SyncError;
use crate::progress::Phase;
use crate::report::{Done, INCREMENTAL};
use crate::run::Run;
use copy::Copied;
use lakefront_lake::{ChangeBase, ChangeWay, Changes, LakeError, ScanOptions};
use lakefront_model::Version;
use lakefront_postgres::PgError;
use lakefront_postgres::changes::{Applied, ChangeStage};
use lakefront_postgres::difference::Counts;
use lakefront_postgres::encode::EncodeError;
use lakefront_postgres::ledger::Outcome;
use lakefront_postgres::table::ShapeChange;
use tokio_postgres::{Client, Transaction};

/// How an incremental refresh ended.
#[must_use]
pub(crate) enum Incremental {
    /// applied and committed
    Done(Done),
    /// nothing was changed: everything has to be copied, because …
    NotPossible(String),
}

/// Why reading changes ended early.
enum Unclear {
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
            other => Self::Failed(other.into()),
        }
    }
}

impl Run<'_> {
    /// Applies the changes since version `base` and changes the live table's shape, all in one transaction.
    pub(crate) async fn apply(
        &self,
        control: &mut Client,
        base: Version,
        change: &ShapeChange,
    ) -> Result<Incremental, SyncError> {
        let base = ChangeBase { version: base, has_change_data_feed: self.entry.source_feed };
        let changes = match self.snapshot.changes_since(base, ScanOptions::default()).await? {
            Changes::Known(changes) => changes,
            Changes::Unknown(why) => return Ok(Incremental::NotPossible(why)),
        };
        let way = match changes.way {
            ChangeWay::Feed => "from the change data feed",
            ChangeWay::Files => "from the files that changed",
        };
        let commits = self.snapshot.version() - base.version;
        let reason = format!("{commits} new {}, {way}", if commits == 1 { "commit" } else { "commits" });
        let bytes = i64::try_from(changes.bytes).unwrap_or(i64::MAX);

        let mut txn = self.begin(control).await?;
        let stage = ChangeStage::new(self.entry.id, &self.mapping);
        self.progress.enter(Phase::Copying);
        let copied = match self.copy_changes(&txn, &stage, changes).await {
            Ok(copied) => copied,
            Err(Unclear::Failed(error)) => return Err(error),
            Err(Unclear::Changes(why)) => return Ok(Incremental::NotPossible(why)),
        };
        self.progress.enter(Phase::Applying);
        self.alter_with_data(&mut txn, change).await?;
        let counts = match self.apply_rows(&txn, &stage, copied).await {
            Ok(counts) => counts,
            Err(Unclear::Failed(error)) => return Err(error),
            Err(Unclear::Changes(why)) => return Ok(Incremental::NotPossible(why)),
        };
        let kept = self.drop_columns(&mut txn, change).await?;
        let [inserted, updated, deleted] =
            [counts.inserted, counts.updated, counts.deleted].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let outcome = Outcome {
            refresh: INCREMENTAL,
            reason,
            rows: self.entry.rows.unwrap_or_default() + inserted - deleted,
            inserted,
            updated,
            deleted,
            quarantined: self.entry.quarantined,
            bytes,
        };
        self.finish(txn, &outcome, &kept).await?;
        let mut notices = self.notices();
        notices.extend(kept.into_iter().map(|column| column.told));
        Ok(Incremental::Done(Done { outcome, notices, ..Done::default() }))
    }

    /// Applies the rows that were copied.
    async fn apply_rows(
        &self,
        txn: &Transaction<'_>,
        stage: &ChangeStage<'_>,
        copied: Copied,
    ) -> Result<Counts, Unclear> {
        if copied.rows == Counts::default() {
            return Ok(copied.rows);
        }
        if self.entry.quarantined > 0 && stage.touches_quarantine(txn, self.entry.id).await? {
            return Err(Unclear::Changes("a key that rows are set aside for changed".to_owned()));
        }
        if let Some(by) = self.mapping.timeseries_key.and_then(|by| self.mapping.columns.get(by)) {
            return self.apply_greatest(txn, stage, by, copied).await;
        }
        let live_rows = self.entry.rows.unwrap_or_default();
        match stage.apply(txn, &self.spec.name.name, copied.rows, live_rows).await? {
            Applied::Done(counts) => Ok(counts),
            Applied::Disagrees => Err(disagrees()),
        }
    }
}

fn disagrees() -> Unclear {
    Unclear::Changes("the copy does not hold the rows that the changes speak of".to_owned())
}
