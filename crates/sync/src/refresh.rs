//! One refresh of one synced table, from the request to the report.

use crate::plan::Plan;
use crate::progress::{Phase, Progress};
use crate::report::NONE;
use crate::run::{Run, decide};
use crate::{Engine, RefreshReport, Source, SyncError};
use lakefront_lake::Snapshot;
use lakefront_model::{Condition, MappingError, SyncedTableSpec, TableMapping, map_schema};
use lakefront_postgres::ledger::Entry;
use lakefront_postgres::roles::Ownership;
use lakefront_postgres::{PgError, indexes, ledger, table};
use std::sync::Arc;
use std::time::Instant;
use tokio_postgres::Client;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct RefreshRequest {
    /// the table's declaration
    pub spec: SyncedTableSpec,
    /// whether everything is to be copied again
    pub full: bool,
}

/// What is kept from one refresh of a table to the next: the connection, and what was seen of the source.
#[derive(Default)]
pub(crate) struct Session {
    control: Option<(Client, Ownership)>,
    seen: Option<Seen>,
}

/// A source at its newest version.
#[derive(Clone)]
pub(crate) struct Seen {
    pub source: Source,
    pub snapshot: Snapshot,
}

impl Session {
    /// The source as it is now.
    pub(crate) async fn look(&mut self, engine: &Engine, source: &str) -> Result<Seen, SyncError> {
        let seen = match self.seen.take() {
            Some(Seen { source, snapshot }) => {
                let snapshot = source.table.newest_after(snapshot).await?;
                Seen { source, snapshot }
            }
            None => {
                let source = engine.open_source(source).await?;
                let snapshot = source.table.newest().await?;
                Seen { source, snapshot }
            }
        };
        self.seen = Some(seen.clone());
        Ok(seen)
    }

    /// The source as it was seen last.
    pub(crate) fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// Lets go of the connection for a long time without work. Returns what was seen of the source.
    pub(crate) fn rest(&mut self) -> Option<Seen> {
        self.control = None;
        self.seen.clone()
    }

    async fn control(&mut self, engine: &Engine) -> Result<(&mut Client, Ownership), SyncError> {
        let (client, ownership) = match self.control.take() {
            Some(open) => open,
            None => {
                let (client, ownership) = engine.control().await?;
                // What the ledger keeps besides the data needs no wait for the disk: it counts only until the process
                // or the server ends. The transactions with data wait (Run::begin).
                let relaxed = client.batch_execute("SET synchronous_commit = off").await;
                relaxed.map_err(|e| PgError::new("setting synchronous_commit", e))?;
                (client, ownership)
            }
        };
        let (client, ownership) = self.control.insert((client, ownership));
        Ok((client, *ownership))
    }
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
        self.refresh_in(&mut Session::default(), request, progress).await
    }

    /// The same, in a session that goes on afterwards unless the refresh fails.
    pub(crate) async fn refresh_in(
        &self,
        session: &mut Session,
        request: &RefreshRequest,
        progress: &Arc<Progress>,
    ) -> Result<RefreshReport, SyncError> {
        let name = request.spec.name.to_string();
        let refreshed = self.try_refresh(session, request, progress).await;
        if refreshed.is_err() {
            *session = Session::default();
        }
        refreshed.map_err(|e| e.of_table(&name))
    }

    /// The source as it is now, the copy's columns, and what the ledger knows of the table.
    async fn prepare(
        &self,
        session: &mut Session,
        spec: &SyncedTableSpec,
    ) -> Result<(Seen, TableMapping, Entry), SyncError> {
        let seen = session.look(self, &spec.source).await?;
        let mapping = self.map(session, &seen.snapshot, spec).await?;
        let (control, _) = session.control(self).await?;
        let known = ledger::register(control, spec, &seen.source.location.to_string()).await?;
        ledger::note_source_version(control, known.id, seen.snapshot.version()).await?;
        Ok((seen, mapping, known))
    }

    /// A failure that came before the table was claimed shows in its status too. Best effort: the database may be what
    /// failed.
    async fn note_failure(&self, spec: &SyncedTableSpec, error: &SyncError) {
        let noted = async {
            let client = self.connect().await?;
            if ledger::exists(&client).await? {
                let target = &spec.name.name;
                ledger::note_failure(&client, target, error.condition, &error.message).await?;
            }
            Ok::<(), SyncError>(())
        };
        if error.condition != Condition::ConnectionError
            && let Err(e) = noted.await
        {
            tracing::warn!(table = %spec.name, "the failure could not be recorded: {e}");
        }
    }

    /// The copy's columns. A key that the source had at the checkpoint and has no longer is a changed key rather than a
    /// mistake in the declaration.
    async fn map(
        &self,
        session: &mut Session,
        snapshot: &Snapshot,
        spec: &SyncedTableSpec,
    ) -> Result<TableMapping, SyncError> {
        let error = match map_schema(snapshot.schema(), spec) {
            Ok(mapping) => return Ok(mapping),
            Err(error) => error,
        };
        if let MappingError::KeyColumnMissing { column, .. } = &error
            && let Ok((control, _)) = session.control(self).await
            && let Some(entry) = ledger::find(control, &spec.name.name).await?
            && entry.source_schema.is_some_and(|before| before.find(column).is_some())
        {
            return Err(SyncError::new(
                Condition::ChangedPrimaryKey,
                error.to_string(),
                "declare the key by its new name if the column was renamed (for load: --key), else delete the synced table and make it again; the last good data stays until then",
            ));
        }
        Err(error.into())
    }

    async fn try_refresh(
        &self,
        session: &mut Session,
        request: &RefreshRequest,
        progress: &Arc<Progress>,
    ) -> Result<RefreshReport, SyncError> {
        let started = Instant::now();
        progress.enter(Phase::Planning);
        let spec = &request.spec;
        let prepared = match self.prepare(session, spec).await {
            Ok(prepared) => prepared,
            Err(error) => {
                self.note_failure(spec, &error).await;
                return Err(error);
            }
        };
        let (Seen { source, mut snapshot }, mapping, known) = prepared;
        let mut mapping = Arc::new(mapping);
        let location = source.location.to_string();
        let (control, ownership) = session.control(self).await?;

        // Nothing to do is told without a lock, so that asking often costs little.
        let live = table::shape_of(control, &spec.name.name).await?;
        let decided = decide(&known, live.as_ref(), &snapshot, &mapping, request);
        if let (Ok(Plan::Nothing), Some(version)) = (&decided, known.version) {
            if known.condition.is_some() {
                ledger::forget_failure(control, known.id).await?;
            }
            indexes::reconcile(control, &spec.name.name, &spec.indexes).await?;
            return Ok(RefreshReport::unchanged(&known, spec, version, started));
        }

        let claim = ledger::begin(control, &known).await?;
        let entry = ledger::register(control, spec, &location).await?;
        if entry.version != known.version {
            // Another process came first, perhaps to a version that is newer than what was seen here.
            snapshot = source.table.snapshot(None).await?;
            mapping = Arc::new(map_schema(snapshot.schema(), spec)?);
        }
        let run = Run { engine: self, spec, location, snapshot, mapping, ownership, entry, claim, progress };
        let done = match run.go(control, request).await {
            Ok(done) => done,
            Err(error) => {
                run.clean_up(&error).await;
                return Err(error);
            }
        };
        ledger::release(control, claim).await?;
        let version = run.snapshot.version();
        if done.outcome.refresh == NONE {
            return Ok(RefreshReport::unchanged(&run.entry, spec, version, started));
        }
        indexes::reconcile(control, &spec.name.name, &spec.indexes).await?;
        Ok(done.report(&run.entry, spec, version, started))
    }
}
