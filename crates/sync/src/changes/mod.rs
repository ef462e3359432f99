//! Incremental refresh: what changed at the source since the checkpoint, applied in one transaction with it.

mod ahead;
mod fold;
mod moved;
mod read;
mod rewritten;

use crate::SyncError;
use crate::failure::internal;
use crate::load::queue;
use crate::progress::Phase;
use crate::report::{Done, INCREMENTAL};
use crate::run::Run;
use crate::weigh::full_is_cheaper;
use bytes::Bytes;
use lakefront_lake::{ChangeBase, ChangePlan, ChangeWay, Changes, LakeError, ScanOptions};
use lakefront_model::Version;
use lakefront_postgres::changes::{Applied, ChangeStage};
use lakefront_postgres::copy::CopyIn;
use lakefront_postgres::difference::Counts;
use lakefront_postgres::encode::{COPY_HEADER, COPY_TRAILER, EncodeError};
use lakefront_postgres::ledger::Outcome;
use lakefront_postgres::table::ShapeChange;
use tokio_postgres::{Client, Transaction};

/// How an incremental refresh ended.
#[must_use]
pub(crate) enum Incremental {
    /// applied and committed
    Done(Done),
    /// nothing was changed: everything is to be copied, because …
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
        if let Some(why) = full_is_cheaper(&changes, self.entry.rows, self.spec) {
            return Ok(Incremental::NotPossible(why));
        }
        let way = match changes.way {
            ChangeWay::Feed => "from the change data feed",
            ChangeWay::Files => "from the files that changed",
        };
        let commits = self.snapshot.version() - base.version;
        let reason = format!("{commits} new {}, {way}", if commits == 1 { "commit" } else { "commits" });
        let bytes = i64::try_from(changes.bytes).unwrap_or(i64::MAX);

        let target = &self.spec.name.name;
        let mut txn = self.begin(control).await?;
        let stage = ChangeStage::new(self.entry.id, &self.mapping);
        self.progress.enter(Phase::Copying);
        let expected = match self.copy_changes(&txn, &stage, changes).await {
            Ok(expected) => expected,
            Err(Unclear::Failed(error)) => return Err(error),
            Err(Unclear::Changes(why)) => return Ok(Incremental::NotPossible(why)),
        };
        self.progress.enter(Phase::Applying);
        self.alter_with_data(&mut txn, change).await?;
        let live_rows = self.entry.rows.unwrap_or_default();
        let mut counts = Counts::default();
        if expected != counts {
            match stage.apply(&txn, target, expected, live_rows).await? {
                Applied::Done(applied) => counts = applied,
                Applied::Disagrees => {
                    let why = "the copy does not hold the rows that the changes speak of";
                    return Ok(Incremental::NotPossible(why.to_owned()));
                }
            }
        }
        let kept = self.drop_columns(&mut txn, change).await?;
        let [inserted, updated, deleted] =
            [counts.inserted, counts.updated, counts.deleted].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let outcome = Outcome {
            refresh: INCREMENTAL,
            reason,
            rows: live_rows + inserted - deleted,
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

    /// Copies each changed key's last word beside the live table, in the running transaction.
    async fn copy_changes(
        &self,
        txn: &Transaction<'_>,
        stage: &ChangeStage<'_>,
        changes: ChangePlan,
    ) -> Result<Counts, Unclear> {
        if changes.units.is_empty() {
            return Ok(Counts::default());
        }
        self.progress.expect(0, changes.bytes);
        let (sender, receiver) = queue(1);
        let (spec, mapping, progress) = (self.spec.clone(), self.mapping.clone(), self.progress.clone());
        let reading =
            tokio::task::spawn_blocking(move || read::read(&changes, &spec, &mapping, sender, &progress));
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
        // Ends the thread if it still reads.
        receiver.close();
        let read = reading
            .await
            .unwrap_or_else(|e| Err(internal(format!("a task that read changes ended: {e}")).into()));
        let landed = landed?;
        let counts = read?;
        let all = counts.inserted + counts.updated + counts.deleted;
        if landed != all {
            return Err(internal(format!("{all} changed rows were sent and {landed} landed")).into());
        }
        Ok(counts)
    }
}
