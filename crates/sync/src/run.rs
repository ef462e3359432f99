//! A refresh on its way: the plan carried out under the table's lock.

use crate::changes::Incremental;
use crate::failure::internal;
use crate::plan::{Facts, Plan, plan};
use crate::progress::{Phase, Progress};
use crate::report::{Done, FULL, NONE};
use crate::reshape::KeptColumn;
use crate::stage::{Filled, Filling};
use crate::{Engine, RefreshRequest, SyncError};
use chrono::{DateTime, Utc};
use lakefront_lake::Snapshot;
use lakefront_model::{Condition, SchedulingPolicy, SyncedTableSpec, TableMapping};
use lakefront_postgres::ledger::{self, Checkpoint, Claim, Entry, Outcome};
use lakefront_postgres::roles::Ownership;
use lakefront_postgres::table::{self, ShapeChange, Stage, StageKind, TableShape};
use lakefront_postgres::{PgError, difference, indexes};
use std::sync::Arc;
use tokio_postgres::{Client, Transaction};

/// What all steps of one refresh need.
pub(crate) struct Run<'a> {
    pub engine: &'a Engine,
    pub spec: &'a SyncedTableSpec,
    pub location: String,
    pub snapshot: Snapshot,
    pub mapping: Arc<TableMapping>,
    pub ownership: Ownership,
    pub entry: Entry,
    pub claim: Claim,
    pub progress: &'a Arc<Progress>,
}

/// The plan for what is found now.
pub(crate) fn decide(
    entry: &Entry,
    live: Option<&TableShape>,
    snapshot: &Snapshot,
    mapping: &TableMapping,
    request: &RefreshRequest,
) -> Result<Plan, SyncError> {
    let (old, new) = (&entry.spec, &request.spec);
    let only_full = if new.scheduling_policy == SchedulingPolicy::Snapshot {
        Some("the policy is SNAPSHOT")
    } else if mapping.key.is_empty() {
        Some("without a key all rows are copied")
    } else {
        None
    };
    plan(&Facts {
        checkpoint: entry.version.map(|v| (v, entry.source_table_id.as_deref())),
        live,
        source: (snapshot.version(), snapshot.table_id()),
        schema: snapshot.schema(),
        mapping,
        before: entry.source_schema.as_ref(),
        kept_columns: &entry.kept_columns,
        quarantined: entry.quarantined > 0,
        full: request.full,
        only_full,
        respecified: old.timeseries_key != new.timeseries_key
            || old.null_key != new.null_key
            || old.duplicate_key != new.duplicate_key
            || old.nul_byte != new.nul_byte
            || old.generated_columns != new.generated_columns,
    })
}

impl Run<'_> {
    pub(crate) async fn go(&self, control: &mut Client, request: &RefreshRequest) -> Result<Done, SyncError> {
        // Planned again under the lock: another process may have refreshed the table meanwhile.
        let live = table::shape_of(control, &self.spec.name.name).await?;
        match decide(&self.entry, live.as_ref(), &self.snapshot, &self.mapping, request)? {
            Plan::Nothing => {
                Ok(Done { outcome: Outcome { refresh: NONE, ..Outcome::default() }, ..Done::default() })
            }
            Plan::Create { reason } => self.create(control, reason).await,
            Plan::Apply { base, change } => match self.apply(control, base, &change).await? {
                Incremental::Done(done) => Ok(done),
                Incremental::NotPossible(why) => {
                    tracing::info!(table = %self.spec.name, "everything is copied again: {why}");
                    self.replace(control, live.as_ref(), &why, &change).await
                }
            },
            Plan::Replace { reason, change } => self.replace(control, live.as_ref(), reason, &change).await,
        }
    }

    fn filling(&self, kind: StageKind) -> Filling<'_> {
        Filling {
            spec: self.spec,
            mapping: &self.mapping,
            snapshot: &self.snapshot,
            stage: Stage::new(self.entry.id, "load"),
            kind,
        }
    }

    /// The first copy: the stage gets its indexes and becomes the table.
    async fn create(&self, control: &mut Client, reason: &str) -> Result<Done, SyncError> {
        let filled = self.engine.fill_stage(control, self.filling(StageKind::Table), self.progress).await?;
        self.build_indexes(control, &filled.stage).await?;
        self.progress.enter(Phase::Applying);
        let mut done = self.done(&filled, reason);
        let target = &self.spec.name.name;
        let txn = self.begin(control).await?;
        done.outcome.quarantined = filled.stage.publish_rejected(&txn, self.entry.id, self.version()).await?;
        table::publish(&txn, &filled.stage, target, self.ownership).await?;
        self.finish(txn, &done.outcome, &[]).await?;
        Ok(done)
    }

    /// A later copy: what differs is applied to the live table.
    async fn replace(
        &self,
        control: &mut Client,
        live: Option<&TableShape>,
        reason: &str,
        change: &ShapeChange,
    ) -> Result<Done, SyncError> {
        if let Some(live) = live {
            self.prepare_live(control, live, change).await?;
        }
        let filled =
            self.engine.fill_stage(control, self.filling(StageKind::Difference), self.progress).await?;
        filled.stage.analyze(control).await?;
        self.progress.enter(Phase::Applying);
        let mut done = self.done(&filled, reason);
        let target = &self.spec.name.name;
        let mut txn = self.begin(control).await?;
        if self.mapping.key.is_empty() {
            difference::replace_all(&txn, target, &filled.stage, &self.mapping).await?;
        } else {
            difference::apply(&txn, target, &filled.stage, &self.mapping).await?;
        }
        let kept = self.drop_columns(&mut txn, change).await?;
        done.outcome.quarantined = filled.stage.publish_rejected(&txn, self.entry.id, self.version()).await?;
        filled.stage.drop(&txn).await?;
        self.finish(txn, &done.outcome, &kept).await?;
        done.notices.extend(kept.into_iter().map(|column| column.told));
        Ok(done)
    }

    fn done(&self, filled: &Filled, reason: &str) -> Done {
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
            notices: self.notices(),
        }
    }

    /// What the user should know of any refresh of this table.
    pub(crate) fn notices(&self) -> Vec<String> {
        let void = self.mapping.left_out.iter().map(|column| {
            format!("column \"{column}\" is of type void, which holds nothing but NULL: it is left out")
        });
        void.collect()
    }

    fn version(&self) -> i64 {
        i64::try_from(self.snapshot.version()).unwrap_or(i64::MAX)
    }

    /// Begins the transaction that moves data and checkpoint.
    pub(crate) async fn begin<'c>(&self, control: &'c mut Client) -> Result<Transaction<'c>, SyncError> {
        let txn = control
            .transaction()
            .await
            .map_err(|e| PgError::new("beginning the transaction of the change", e))?;
        // A session relaxes it for what is not data.
        txn.batch_execute("SET LOCAL synchronous_commit TO DEFAULT")
            .await
            .map_err(|e| PgError::new("setting synchronous_commit", e))?;
        if !ledger::fence(&txn, self.claim).await? {
            return Err(SyncError::new(
                Condition::ResourceConflict,
                "another Lakefront process took this table over",
                "stop one of the two; the other one goes on with the table",
            ));
        }
        Ok(txn)
    }

    /// Ends the transaction with the checkpoint at the snapshot's version.
    pub(crate) async fn finish(
        &self,
        txn: Transaction<'_>,
        outcome: &Outcome,
        kept: &[KeptColumn],
    ) -> Result<(), SyncError> {
        let target = &self.spec.name.name;
        let before = (self.entry.source_schema.as_ref(), self.entry.source_comment.as_deref());
        let comment = self.snapshot.comment();
        table::follow_source_comments(&txn, target, &self.mapping, comment, before).await?;
        let committed_at = self.snapshot.committed_at().and_then(DateTime::<Utc>::from_timestamp_millis);
        let checkpoint = Checkpoint {
            spec: self.spec.clone(),
            location: self.location.clone(),
            version: self.snapshot.version(),
            source_table_id: self.snapshot.table_id().to_owned(),
            source_schema: self.snapshot.schema().clone(),
            source_comment: comment.map(str::to_owned),
            source_feed: self.snapshot.has_change_data_feed(),
            kept_columns: kept.iter().map(|column| column.name.clone()).collect(),
            committed_at,
        };
        ledger::finish(&txn, self.claim, &checkpoint, outcome).await?;
        self.engine.commit(txn, self.claim).await
    }

    /// Secondary indexes, several at once, and statistics.
    async fn build_indexes(&self, control: &Client, stage: &Stage) -> Result<(), SyncError> {
        let declared = Arc::new(std::sync::Mutex::new(self.spec.indexes.clone()));
        let workers = self.engine.connections().min(self.spec.indexes.len());
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..workers {
            let client = self.engine.connect().await?;
            let (declared, table) = (declared.clone(), stage.sql());
            running.spawn(async move {
                loop {
                    let next = declared.lock().ok().and_then(|mut left| left.pop());
                    let Some(declaration) = next else { return Ok::<(), SyncError>(()) };
                    indexes::create(&client, &table, &declaration).await?;
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            ended.unwrap_or_else(|e| Err(internal(format!("an indexing task ended: {e}"))))?;
        }
        Ok(stage.analyze(control).await?)
    }

    /// After a failure: the stage goes, and the ledger says what happened. Best effort over a new connection, since
    /// the failure may be the old one's; what is left behind is dropped by the next refresh.
    pub(crate) async fn clean_up(&self, error: &SyncError) {
        let cleaned = async {
            let client = self.engine.connect().await?;
            Stage::new(self.entry.id, "load").drop(&client).await?;
            let had_copy = self.entry.version.is_some();
            ledger::fail(&client, self.claim, had_copy, error.condition, &error.message).await?;
            Ok::<(), SyncError>(())
        };
        if let Err(e) = cleaned.await {
            tracing::warn!(table = %self.spec.name, "the failure could not be recorded: {e}");
        }
    }
}
