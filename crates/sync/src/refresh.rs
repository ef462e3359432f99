//! One refresh of one synced table, from the request to the report.

use crate::plan::Plan;
use crate::progress::{Phase, Progress};
use crate::report::NONE;
use crate::run::{Run, decide};
use crate::{Engine, RefreshReport, Source, SyncError};
use lakefront_model::{SyncedTableSpec, map_schema};
use lakefront_postgres::{indexes, ledger, table};
use std::sync::Arc;
use std::time::Instant;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct RefreshRequest {
    /// the table's declaration
    pub spec: SyncedTableSpec,
    /// whether everything is to be copied again
    pub full: bool,
}

impl Engine {
    /// Brings a synced table to its source's newest version, making it where it is not there yet.
    ///
    /// # Errors
    /// [`SyncError`] with its condition; the last good data stays as it was.
    pub async fn refresh(
        &self,
        request: &RefreshRequest,
        progress: &Arc<Progress>,
    ) -> Result<RefreshReport, SyncError> {
        let name = request.spec.name.to_string();
        self.try_refresh(request, progress).await.map_err(|e| e.of_table(&name))
    }

    async fn try_refresh(
        &self,
        request: &RefreshRequest,
        progress: &Arc<Progress>,
    ) -> Result<RefreshReport, SyncError> {
        let started = Instant::now();
        progress.enter(Phase::Planning);
        let spec = &request.spec;
        let Source { location, table } = self.open_source(&spec.source).await?;
        let snapshot = table.snapshot(None).await?;
        let mapping = Arc::new(map_schema(snapshot.schema(), spec)?);
        let (mut control, ownership) = self.control().await?;
        let known = ledger::register(&control, spec, &location.to_string()).await?;
        ledger::note_source_version(&control, known.id, snapshot.version()).await?;

        // Nothing to do is told without a lock, so that asking often costs little.
        let live = table::shape_of(&control, &spec.name.name).await?;
        let decided = decide(&known, live.as_ref(), &snapshot, &mapping, request);
        if let (Ok(Plan::Nothing), Some(version)) = (&decided, known.version) {
            indexes::reconcile(&control, &spec.name.name, &spec.indexes).await?;
            return Ok(RefreshReport::unchanged(&known, spec, version, started));
        }

        let claim = ledger::begin(&control, &known).await?;
        let entry = ledger::register(&control, spec, &location.to_string()).await?;
        let location = location.to_string();
        let run = Run { engine: self, spec, location, snapshot, mapping, ownership, entry, claim, progress };
        let done = match run.go(&mut control, request).await {
            Ok(done) => done,
            Err(error) => {
                run.clean_up(&error).await;
                return Err(error);
            }
        };
        ledger::release(&control, claim).await?;
        let version = run.snapshot.version();
        if done.outcome.refresh == NONE {
            return Ok(RefreshReport::unchanged(&run.entry, spec, version, started));
        }
        indexes::reconcile(&control, &spec.name.name, &spec.indexes).await?;
        Ok(done.report(&run.entry, spec, version, started))
    }
}
