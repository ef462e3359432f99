//! Verifying: the source at the checkpoint, copied anew beside the live table and compared with it row by row.

use crate::progress::{Phase, Progress};
use crate::stage::Filling;
use crate::{Engine, SyncError};
use lakefront_model::{Version, map_schema};
use lakefront_postgres::difference::{self, Comparison, Disagreement};
use lakefront_postgres::ledger::Entry;
use lakefront_postgres::table::{Stage, StageKind};
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use tokio_postgres::Client;

/// Disagreements of each kind that are named.
const EXAMPLES: i64 = 10;

/// How source and copy compare; the fields are those of `--json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerifyReport {
    /// the synced table
    pub table: String,
    /// its source
    pub source: String,
    /// the version compared: the checkpoint
    pub version: Version,
    /// whether source and copy hold the same rows
    pub same: bool,
    /// rows of the source at that version, those that policy sets aside left out
    pub source_rows: i64,
    /// rows of the copy
    pub rows: i64,
    /// rows that the copy lacks
    pub missing: i64,
    /// rows that only the copy has
    pub surplus: i64,
    /// rows whose values differ
    pub different: i64,
    /// some of them
    pub examples: Vec<Disagreement>,
    /// wall time in seconds
    pub seconds: f64,
}

impl Engine {
    /// Compares a synced table with its source at the checkpoint. Nothing is changed.
    ///
    /// # Errors
    /// When there is no copy, or the source can no longer be read at that version.
    pub async fn verify(&self, entry: &Entry, progress: &Arc<Progress>) -> Result<VerifyReport, SyncError> {
        self.try_verify(entry, progress).await.map_err(|e| e.of_table(&entry.name))
    }

    async fn try_verify(&self, entry: &Entry, progress: &Arc<Progress>) -> Result<VerifyReport, SyncError> {
        let started = Instant::now();
        progress.enter(Phase::Planning);
        let (control, _) = self.control().await?;
        let Some(version) = entry.version else {
            return Err(SyncError::new(
                lakefront_model::Condition::ResourceDoesNotExist,
                "there is no copy yet",
                "run: lakefront refresh",
            ));
        };
        let stage = Stage::for_verifying(entry.id);
        let compared = self.compare(&control, entry, version, &stage, progress).await;
        let dropped = stage.drop(&control).await;
        let compared = compared?;
        dropped?;
        Ok(VerifyReport {
            table: entry.name.clone(),
            source: entry.spec.source.clone(),
            version,
            same: compared.is_same(),
            source_rows: compared.source_rows,
            rows: compared.copy_rows,
            missing: compared.missing,
            surplus: compared.surplus,
            different: compared.different,
            examples: compared.examples,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    async fn compare(
        &self,
        control: &Client,
        entry: &Entry,
        version: Version,
        stage: &Stage,
        progress: &Arc<Progress>,
    ) -> Result<Comparison, SyncError> {
        let source = self.open_source(&entry.spec.source).await?;
        let snapshot = source.table.snapshot(Some(version)).await?;
        let mapping = Arc::new(map_schema(snapshot.schema(), &entry.spec)?);
        let filling = Filling {
            spec: &entry.spec,
            mapping: &mapping,
            snapshot: &snapshot,
            stage: stage.clone(),
            kind: StageKind::Difference,
        };
        self.fill_stage(control, filling, progress).await?;
        stage.analyze(control).await?;
        progress.enter(Phase::Comparing);
        Ok(difference::compare(control, &entry.target, stage, &mapping, EXAMPLES).await?)
    }
}
