//! Refreshing on request.

use crate::failure::internal;
use crate::progress::Progress;
use crate::session::Session;
use crate::stopped::Stopped;
use crate::{Engine, RefreshReport, SyncError};
use lakefront_lake::Snapshot;
use lakefront_model::{Condition, MappingError, SyncedTableSpec, TableMapping, map_schema};
use lakefront_postgres::ledger;
use std::sync::Arc;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct RefreshRequest {
    /// the table's declaration
    pub spec: SyncedTableSpec,
    /// whether everything is to be copied again
    pub full: bool,
}

impl RefreshRequest {
    /// What was committed since the last time.
    pub fn of(spec: SyncedTableSpec) -> Self {
        Self { spec, full: false }
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
        let refreshed = self.refresh_together(std::slice::from_ref(request), progress).await;
        refreshed
            .into_iter()
            .next()
            .unwrap_or_else(|| Err(internal("there was nothing to refresh".to_owned())))
    }

    /// The same for several tables of this database, the tables of an atomic pipeline: they show their sources as they
    /// were at one moment, and become visible in one commit. If one fails, all stay as they were.
    pub async fn refresh_together(
        &self,
        requests: &[RefreshRequest],
        progress: &Arc<Progress>,
    ) -> Vec<Result<RefreshReport, SyncError>> {
        self.refresh_in(&mut Session::default(), requests, progress).await
    }

    /// A failure that came before the table was claimed shows in its status too. Best effort: the database may be what
    /// failed.
    pub(crate) async fn note_failure(&self, requests: &[RefreshRequest], stopped: &Stopped) {
        let noted = async {
            let client = self.connect().await?;
            if ledger::exists(&client).await? {
                for (member, request) in requests.iter().enumerate() {
                    let error = stopped.error_of(member, requests);
                    let target = &request.spec.name.name;
                    ledger::note_failure(&client, target, error.condition, &error.message).await?;
                }
            }
            Ok::<(), SyncError>(())
        };
        if stopped.error.condition != Condition::ConnectionError
            && let Err(e) = noted.await
        {
            tracing::warn!("a failure could not be recorded: {e}");
        }
    }

    /// The copy's columns. A key that the source had at the checkpoint and has no longer is a changed key rather than a
    /// mistake in the declaration.
    pub(crate) async fn map(
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
}
