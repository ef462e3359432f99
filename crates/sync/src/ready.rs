//! What is made ready for a table before the transaction that makes it visible, and what is done in it.

use crate::SyncError;
use crate::changes::{Copied, Unclear};
use crate::failpoint::FailPoint;
use crate::failure::internal;
use crate::plan::Plan;
use crate::progress::Phase;
use crate::report::{Done, FULL, INCREMENTAL};
use crate::reshape::KeptColumn;
use crate::run::Run;
use crate::stage::{Filled, Filling};
use crate::weigh::full_is_cheaper;
use lakefront_lake::{ChangeBase, ChangePlan, ChangeWay, Changes, ScanOptions};
use lakefront_model::Version;
use lakefront_postgres::difference;
use lakefront_postgres::ledger::Outcome;
use lakefront_postgres::table::{self, ShapeChange, Stage, StageKind, TableShape};
use std::sync::Arc;
use tokio_postgres::{Client, Transaction};

/// What a table waits with for its transaction.
pub(crate) enum Ready {
    /// the copy is at the source's newest version
    Nothing,
    /// a stage that becomes the table
    Create(Filled, String),
    /// a stage whose difference to the live table is to be applied
    Replace(Filled, String, ShapeChange),
    /// changes that are to be read
    Apply(Arc<ChangePlan>, String, ShapeChange),
}

/// How a step of the transaction ended.
#[must_use]
pub(crate) enum Step<T> {
    /// well
    Taken(T),
    /// the changes do not tell everything: all has to be copied again, because …
    NotPossible(String),
}

impl<T> Step<T> {
    fn from(result: Result<T, Unclear>) -> Result<Self, SyncError> {
        match result {
            Ok(taken) => Ok(Self::Taken(taken)),
            Err(Unclear::Changes(why)) => Ok(Self::NotPossible(why)),
            Err(Unclear::Failed(error)) => Err(error),
        }
    }
}

impl Run<'_> {
    /// Makes ready what can be before the transaction. Planned again under the lock: the table's shape may be another
    /// one meanwhile.
    pub(crate) async fn ready(&self, control: &mut Client) -> Result<Step<Ready>, SyncError> {
        let live = table::shape_of(control, self.target()).await?;
        let ready = match self.goal.plan(&self.entry, live.as_ref(), self.request)? {
            Plan::Nothing => Ready::Nothing,
            Plan::Create { reason } => {
                let filling = self.filling(StageKind::Table);
                let filled = self.engine.fill_stage(control, filling, self.progress).await?;
                FailPoint::Staged.reached();
                self.build_indexes(control, &filled.stage).await?;
                Ready::Create(filled, reason.to_owned())
            }
            Plan::Apply { base, change } => match self.changes_since(base).await? {
                Step::Taken((changes, reason)) => Ready::Apply(Arc::new(changes), reason, change),
                Step::NotPossible(why) if self.goal.is_part => return Ok(Step::NotPossible(why)),
                Step::NotPossible(why) => self.copy_again(control, live.as_ref(), &why, change).await?,
            },
            Plan::Replace { reason, change } => self.replace(control, live.as_ref(), reason, change).await?,
        };
        Ok(Step::Taken(ready))
    }

    /// Makes a full copy ready in the place of changes that turned out, in a transaction that is undone, not to tell
    /// everything.
    pub(crate) async fn instead(
        &self,
        control: &mut Client,
        changes: &Ready,
        why: &str,
    ) -> Result<Ready, SyncError> {
        let Ready::Apply(.., change) = changes else {
            return Err(internal(format!("a full copy does not tell everything: {why}")));
        };
        let live = table::shape_of(control, self.target()).await?;
        self.copy_again(control, live.as_ref(), why, change.clone()).await
    }

    /// Makes a full copy ready where an incremental refresh was planned.
    async fn copy_again(
        &self,
        control: &mut Client,
        live: Option<&TableShape>,
        why: &str,
        change: ShapeChange,
    ) -> Result<Ready, SyncError> {
        tracing::info!(table = %self.request.spec.name, "everything is copied again: {why}");
        self.replace(control, live, why, change).await
    }

    async fn changes_since(&self, version: Version) -> Result<Step<(ChangePlan, String)>, SyncError> {
        if let Some(why) = &self.goal.full_because {
            return Ok(Step::NotPossible(why.clone()));
        }
        let base = ChangeBase { version, has_change_data_feed: self.entry.source_feed };
        let changes = match self.goal.snapshot.changes_since(base, ScanOptions::default()).await? {
            Changes::Known(changes) => changes,
            Changes::Unknown(why) => return Ok(Step::NotPossible(why)),
        };
        if let Some(why) =
            full_is_cheaper(&changes, self.goal.replaced_before, self.entry.rows, &self.request.spec)
        {
            return Ok(Step::NotPossible(why));
        }
        let way = match changes.way {
            ChangeWay::Feed => "from the change data feed",
            ChangeWay::Files => "from the files that changed",
        };
        let commits = self.goal.snapshot.version() - version;
        let reason = format!("{commits} new {}, {way}", if commits == 1 { "commit" } else { "commits" });
        Ok(Step::Taken((changes, reason)))
    }

    fn filling(&self, kind: StageKind) -> Filling<'_> {
        Filling {
            spec: &self.request.spec,
            mapping: &self.goal.mapping,
            snapshot: &self.goal.snapshot,
            stage: Stage::for_loading(&self.claim),
            kind,
        }
    }

    async fn replace(
        &self,
        control: &mut Client,
        live: Option<&TableShape>,
        why: &str,
        change: ShapeChange,
    ) -> Result<Ready, SyncError> {
        if let Some(live) = live {
            self.prepare_live(control, live, &change).await?;
        }
        let filling = self.filling(StageKind::Difference);
        let filled = self.engine.fill_stage(control, filling, self.progress).await?;
        FailPoint::Staged.reached();
        filled.stage.analyze(control).await?;
        Ok(Ready::Replace(filled, why.to_owned(), change))
    }

    /// The part of the transaction that hinders nobody: changed rows are copied beside the live table, or into it where
    /// they are new.
    pub(crate) async fn copy_rows(
        &self,
        txn: &Transaction<'_>,
        ready: &Ready,
    ) -> Result<Step<Copied>, SyncError> {
        let Ready::Apply(changes, _, change) = ready else { return Ok(Step::Taken(Copied::default())) };
        self.progress.enter(Phase::Copying);
        Step::from(self.copy_changes(txn, Arc::clone(changes), change.is_none()).await)
    }

    /// The rest of it: data, shape and checkpoint.
    pub(crate) async fn apply(
        &self,
        txn: &mut Transaction<'_>,
        ready: &Ready,
        copied: Copied,
    ) -> Result<Step<Done>, SyncError> {
        self.progress.enter(Phase::Applying);
        let (mut done, kept) = match ready {
            Ready::Nothing => return Ok(Step::Taken(Done::nothing())),
            Ready::Create(filled, reason) => {
                let mut done = self.copied(filled, reason);
                done.outcome.quarantined = self.publish_rejected(txn, filled).await?;
                table::publish(txn, &filled.stage, self.target(), self.ownership).await?;
                (done, Vec::new())
            }
            Ready::Replace(filled, reason, change) => {
                if self.goal.mapping.key.is_empty() {
                    let rows = filled.loaded.rows;
                    difference::replace_all(txn, self.target(), &filled.stage, &self.goal.mapping, rows)
                        .await?;
                } else {
                    difference::apply(txn, self.target(), &filled.stage, &self.goal.mapping).await?;
                }
                let kept = self.drop_columns(txn, change).await?;
                let mut done = self.copied(filled, reason);
                done.outcome.quarantined = self.publish_rejected(txn, filled).await?;
                filled.stage.drop(txn).await?;
                (done, kept)
            }
            Ready::Apply(changes, reason, change) => {
                self.alter_with_data(txn, change).await?;
                let outcome = match Step::from(self.apply_rows(txn, copied).await)? {
                    Step::Taken(outcome) => outcome,
                    Step::NotPossible(why) => return Ok(Step::NotPossible(why)),
                };
                let kept = self.drop_columns(txn, change).await?;
                let bytes = i64::try_from(changes.bytes).unwrap_or(i64::MAX);
                let outcome = Outcome { refresh: INCREMENTAL, reason: reason.clone(), bytes, ..outcome };
                (Done { outcome, ..Done::default() }, kept)
            }
        };
        FailPoint::Applied.reached();
        self.move_checkpoint(txn, &done.outcome, &kept).await?;
        done.notices = self.notices();
        done.notices.extend(kept.into_iter().map(|KeptColumn { told, .. }| told));
        Ok(Step::Taken(done))
    }

    async fn publish_rejected(&self, txn: &Transaction<'_>, filled: &Filled) -> Result<i64, SyncError> {
        let version = i64::try_from(self.goal.snapshot.version()).unwrap_or(i64::MAX);
        Ok(filled.stage.publish_rejected(txn, self.entry.id, version).await?)
    }

    fn copied(&self, filled: &Filled, reason: &str) -> Done {
        let rows = i64::try_from(filled.loaded.rows).unwrap_or(i64::MAX);
        Done {
            outcome: Outcome {
                refresh: FULL,
                reason: reason.to_owned(),
                rows,
                inserted: rows,
                bytes: i64::try_from(filled.loaded.bytes).unwrap_or(i64::MAX),
                ..Outcome::default()
            },
            left_out: filled.loaded.tally.left_out(),
            ..Done::default()
        }
    }

    /// What the user should know of any refresh of this table.
    fn notices(&self) -> Vec<String> {
        let void = self.goal.mapping.left_out.iter().map(|column| {
            format!("column \"{column}\" is of type void, which holds nothing but NULL: it is left out")
        });
        void.collect()
    }
}
