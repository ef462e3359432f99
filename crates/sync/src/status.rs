//! Where synced tables stand.

use crate::{Engine, SyncError};
use chrono::{DateTime, Utc};
use lakefront_model::{Pipeline, SyncedTableSpec, Trigger, Version};
use lakefront_postgres::ledger::{self, Entry, EntryState, LastUpdate};
use serde::Serialize;

/// One table's status; the fields are those of `status --json`.
#[derive(Debug, Clone, Serialize)]
pub struct TableStatus {
    /// its name
    pub name: String,
    /// its source
    pub source: String,
    /// its scheduling policy
    pub policy: String,
    /// the pipeline that it belongs to, where it was given one
    pub pipeline: Option<Pipeline>,
    /// what has it refreshed by itself: `schedule` or `source_change`
    pub trigger: Option<Trigger>,
    /// the next time of its schedule
    pub next_refresh: Option<DateTime<Utc>>,
    /// its state, as the control-plane API names it
    pub state: String,
    /// what there is to say: `CONDITION: text` after a failure
    pub message: Option<String>,
    /// the version applied
    pub version: Option<Version>,
    /// the newest version at the source
    pub source_version: Option<Version>,
    /// commits not applied yet
    pub lag_versions: Option<u64>,
    /// seconds since the first commit was made that is not applied yet; 0 when there is none
    pub lag_seconds: Option<f64>,
    /// rows in the copy
    pub rows: Option<i64>,
    /// rows set aside
    pub quarantined: i64,
    /// the last update
    pub last_update: Option<LastUpdate>,
}

impl TableStatus {
    /// The status of a table that is declared and was never refreshed.
    pub fn declared(spec: &SyncedTableSpec) -> Self {
        Self {
            name: spec.name.to_string(),
            source: spec.source.clone(),
            policy: spec.scheduling_policy.to_string(),
            next_refresh: next_refresh(spec),
            pipeline: spec.pipeline.clone(),
            trigger: spec.trigger.clone(),
            state: EntryState::Provisioning.name().to_owned(),
            message: None,
            version: None,
            source_version: None,
            lag_versions: None,
            lag_seconds: None,
            rows: None,
            quarantined: 0,
            last_update: None,
        }
    }
}

impl Engine {
    /// The status of one synced table, whose declaration may be newer than its last update. The source is asked for its
    /// newest version; one that cannot be read is told in the message.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn status_of(&self, entry: Entry, spec: &SyncedTableSpec) -> Result<TableStatus, SyncError> {
        let client = self.connect().await?;
        let last_update = ledger::last_update(&client, entry.id).await?;
        let newest = async {
            let source = self.open_source(&entry.spec.source).await?;
            let snapshot = source.table.snapshot(None).await?;
            // The first commit that waits tells since when; where it is gone, the newest one does.
            let waits = entry.version.map(|applied| applied + 1).filter(|next| *next < snapshot.version());
            let since = match waits {
                Some(next) => source.table.written_at(next).await?,
                None => None,
            };
            Ok::<_, SyncError>((snapshot.version(), since.or(snapshot.committed_at())))
        };
        let mut message = match (&entry.condition, &entry.message) {
            (Some(condition), Some(text)) => Some(format!("{condition}: {text}")),
            (_, text) => text.clone(),
        };
        let (source_version, committed) = match newest.await {
            Ok((version, committed)) => (Some(version), committed),
            Err(e) => {
                message.get_or_insert_with(|| format!("{}: {}", e.condition, e.message));
                (entry.source_version, None)
            }
        };
        let lag_versions =
            source_version.zip(entry.version).map(|(source, applied)| source.saturating_sub(applied));
        let lag_seconds = match lag_versions {
            Some(0) => Some(0.0),
            Some(_) => committed.map(|at| {
                let now = Utc::now().timestamp_millis();
                (now - at).max(0) as f64 / 1000.0
            }),
            None => None,
        };
        Ok(TableStatus {
            name: entry.name,
            source: entry.spec.source,
            policy: spec.scheduling_policy.to_string(),
            next_refresh: next_refresh(spec),
            pipeline: spec.pipeline.clone(),
            trigger: spec.trigger.clone(),
            state: entry.state,
            message,
            version: entry.version,
            source_version,
            lag_versions,
            lag_seconds,
            rows: entry.rows,
            quarantined: entry.quarantined,
            last_update,
        })
    }
}

/// The next time of its schedule, where it has one.
fn next_refresh(spec: &SyncedTableSpec) -> Option<DateTime<Utc>> {
    match &spec.trigger {
        Some(Trigger::Schedule(schedule)) => schedule.next_after(Utc::now()),
        Some(Trigger::SourceChange { .. }) | None => None,
    }
}
