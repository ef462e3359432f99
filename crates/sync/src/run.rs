//! One table's part of a refresh, under the table's lock.

use crate::failure::internal;
use crate::goal::Goal;
use crate::progress::Progress;
use crate::reshape::KeptColumn;
use crate::stopped::Stopped;
use crate::{Engine, RefreshRequest, SyncError};
use chrono::{DateTime, Utc};
use lakefront_model::{Condition, QualifiedName};
use lakefront_postgres::ledger::{self, Checkpoint, Claim, Entry, Outcome};
use lakefront_postgres::roles::Ownership;
use lakefront_postgres::table::{self, Stage};
use lakefront_postgres::{PgError, indexes};
use std::sync::Arc;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

/// What all steps of one refresh need.
pub(crate) struct Run<'a> {
    pub engine: &'a Engine,
    /// its place among the tables that are refreshed together
    pub member: usize,
    pub request: &'a RefreshRequest,
    pub location: String,
    pub goal: Goal,
    pub ownership: Ownership,
    pub entry: Entry,
    pub claim: Claim,
    /// what the primary key of the live table is called
    pub key_name: Option<String>,
    pub progress: &'a Arc<Progress>,
}

impl Engine {
    /// Begins the transaction that moves data and checkpoints.
    pub(crate) async fn begin<'c>(
        &self,
        control: &'c mut Client,
        runs: &[Run<'_>],
    ) -> Result<Transaction<'c>, Stopped> {
        let at = |member: usize| move |error: PgError| Stopped { member, error: error.into() };
        let first = at(runs.first().map_or(0, |run| run.member));
        let begun = control.transaction().await;
        let txn = begun.map_err(|e| first(PgError::new("beginning the transaction of the change", e)))?;
        // A session relaxes it for what is not data.
        let relaxed = txn.batch_execute("SET LOCAL synchronous_commit TO DEFAULT").await;
        relaxed.map_err(|e| first(PgError::new("setting synchronous_commit", e)))?;
        for run in runs {
            if !ledger::fence(&txn, run.claim).await.map_err(at(run.member))? {
                return Err(Stopped { member: run.member, error: taken_over() });
            }
        }
        Ok(txn)
    }
}

impl Run<'_> {
    /// The live table's name.
    pub(crate) fn target(&self) -> &QualifiedName {
        &self.request.spec.name.name
    }

    /// Whether the live table refused a row since its key is there, rather than for what users ask of the table.
    pub(crate) fn is_key_taken(&self, error: &PgError) -> bool {
        let Some(refusal) = error.refusal() else { return false };
        let is_key = self.key_name.is_some() && refusal.constraint() == self.key_name.as_deref();
        is_key && *refusal.code() == SqlState::UNIQUE_VIOLATION
    }

    /// Moves the checkpoint to the snapshot's version.
    pub(crate) async fn move_checkpoint(
        &self,
        txn: &Transaction<'_>,
        outcome: &Outcome,
        kept: &[KeptColumn],
    ) -> Result<(), SyncError> {
        let before = (self.entry.source_schema.as_ref(), self.entry.source_comment.as_deref());
        let comment = self.goal.snapshot.comment();
        table::follow_source_comments(txn, self.target(), &self.goal.mapping, comment, before).await?;
        let committed_at = self.goal.snapshot.committed_at().and_then(DateTime::<Utc>::from_timestamp_millis);
        let checkpoint = Checkpoint {
            spec: self.request.spec.clone(),
            location: self.location.clone(),
            version: self.goal.snapshot.version(),
            source_table_id: self.goal.snapshot.table_id().to_owned(),
            source_schema: self.goal.snapshot.schema().clone(),
            source_comment: comment.map(str::to_owned),
            source_feed: self.goal.snapshot.has_change_data_feed(),
            commit_bytes: self.goal.snapshot.commit_bytes().and_then(|bytes| i64::try_from(bytes).ok()),
            kept_columns: kept.iter().map(|column| column.name.clone()).collect(),
            committed_at,
        };
        Ok(ledger::finish(txn, self.claim, &checkpoint, outcome).await?)
    }

    /// Secondary indexes, several at once, and statistics.
    pub(crate) async fn build_indexes(&self, control: &Client, stage: &Stage) -> Result<(), SyncError> {
        let declared = Arc::new(std::sync::Mutex::new(self.request.spec.indexes.clone()));
        let workers = self.engine.connections().min(self.request.spec.indexes.len());
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
    /// the failure may be the old one's; what is left behind is dropped by the next refresh. Returns whether another process
    /// took the table over, which then is what happened.
    pub(crate) async fn clean_up(&self, error: &SyncError) -> bool {
        let cleaned = async {
            let client = self.engine.connect().await?;
            Stage::for_loading(&self.claim).drop(&client).await?;
            let had_copy = self.entry.version.is_some();
            Ok::<bool, SyncError>(
                ledger::fail(&client, self.claim, had_copy, error.condition, &error.message).await?,
            )
        };
        match cleaned.await {
            Ok(is_held) => !is_held,
            Err(e) => {
                tracing::warn!(table = %self.request.spec.name, "the failure could not be recorded: {e}");
                false
            }
        }
    }
}

/// What stops a process that lost its claim.
pub(crate) fn taken_over() -> SyncError {
    SyncError::new(
        Condition::ResourceConflict,
        "another Lakefront process took this table over",
        "stop one of the two; the other one goes on with the table",
    )
}
