//! One synced table in the ledger.

use crate::error::Doing;
use crate::{PgError, PgResult};
use chrono::{DateTime, Utc};
use lakefront_model::{QualifiedName, SourceSchema, SyncedTableSpec, Version};
use postgres_types::Json;
use tokio_postgres::{Client, GenericClient, Row};

/// Where a synced table stands; names of the control-plane API (`detailed_state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// declared, nothing copied yet. Set by `register`.
    Provisioning,
    /// the first copy is under way. Set when a first update begins.
    InitialSnapshot,
    /// a copy is there and no update runs. Set when an update ends well.
    Online,
    /// an update runs on a table that is there. Set when a later update begins.
    Updating,
    /// the last update failed and the last good copy is there. Set when an update fails.
    OnlineFailed,
    /// the last update failed and there is no copy. Set when a first update fails.
    OfflineFailed,
}

impl EntryState {
    /// As stored and as the API shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "SYNCED_TABLE_PROVISIONING",
            Self::InitialSnapshot => "SYNCED_TABLE_PROVISIONING_INITIAL_SNAPSHOT",
            Self::Online => "SYNCED_TABLE_ONLINE_NO_PENDING_UPDATE",
            Self::Updating => "SYNCED_TABLE_ONLINE_TRIGGERED_UPDATE",
            Self::OnlineFailed => "SYNCED_TABLE_ONLINE_PIPELINE_FAILED",
            Self::OfflineFailed => "SYNCED_TABLE_OFFLINE_FAILED",
        }
    }
}

/// One row of `lakefront.synced_tables`.
#[derive(Debug, Clone)]
pub struct Entry {
    /// its number
    pub id: i64,
    /// its full name as declared
    pub name: String,
    /// its name in PostgreSQL
    pub target: QualifiedName,
    /// what it should be
    pub spec: SyncedTableSpec,
    /// the address its source was last found at
    pub location: String,
    /// the Delta table's id at the checkpoint
    pub source_table_id: Option<String>,
    /// the source's columns at the checkpoint
    pub source_schema: Option<SourceSchema>,
    /// the source's comment at the checkpoint
    pub source_comment: Option<String>,
    /// whether the source's commits after the checkpoint record their changed rows
    pub source_feed: bool,
    /// columns that the source lost and that could not be dropped so far
    pub kept_columns: Vec<String>,
    /// the newest version seen at the source
    pub source_version: Option<Version>,
    /// the checkpoint
    pub version: Option<Version>,
    /// bytes of the file of the checkpoint's commit when it was applied
    pub commit_bytes: Option<i64>,
    /// when the checkpoint's commit was made at the source
    pub committed_at: Option<DateTime<Utc>>,
    /// when the checkpoint became visible
    pub synced_at: Option<DateTime<Utc>>,
    /// rows in the copy
    pub rows: Option<i64>,
    /// rows set aside at the checkpoint
    pub quarantined: i64,
    /// state, by its API name
    pub state: String,
    /// why it stopped, if it did
    pub condition: Option<String>,
    /// what to tell about it
    pub message: Option<String>,
}

const COLUMNS: &str = "id, name, schema_name, table_name, spec, location, source_table_id, source_schema, source_comment, source_feed, kept_columns, source_version, version, commit_bytes, \
                       committed_at, synced_at, row_count, quarantined, state, condition, message";

fn version(row: &Row, column: &str) -> Result<Option<Version>, tokio_postgres::Error> {
    Ok(row.try_get::<_, Option<i64>>(column)?.and_then(|v| Version::try_from(v).ok()))
}

impl Entry {
    /// Whether an update runs, or was running when its process ended.
    pub fn is_updating(&self) -> bool {
        [EntryState::Updating, EntryState::InitialSnapshot].iter().any(|state| state.name() == self.state)
    }

    fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            target: QualifiedName { schema: row.try_get("schema_name")?, table: row.try_get("table_name")? },
            spec: row.try_get::<_, Json<SyncedTableSpec>>("spec")?.0,
            location: row.try_get("location")?,
            source_table_id: row.try_get("source_table_id")?,
            source_schema: row.try_get::<_, Option<Json<SourceSchema>>>("source_schema")?.map(|j| j.0),
            source_comment: row.try_get("source_comment")?,
            source_feed: row.try_get("source_feed")?,
            kept_columns: row.try_get("kept_columns")?,
            source_version: version(row, "source_version")?,
            version: version(row, "version")?,
            commit_bytes: row.try_get("commit_bytes")?,
            committed_at: row.try_get("committed_at")?,
            synced_at: row.try_get("synced_at")?,
            rows: row.try_get("row_count")?,
            quarantined: row.try_get("quarantined")?,
            state: row.try_get("state")?,
            condition: row.try_get("condition")?,
            message: row.try_get("message")?,
        })
    }
}

/// All entries, by name.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn list(client: &Client) -> PgResult<Vec<Entry>> {
    let doing = || "reading lakefront.synced_tables".to_owned();
    let rows = client
        .query(&format!("SELECT {COLUMNS} FROM lakefront.synced_tables ORDER BY name"), &[])
        .await
        .doing(doing)?;
    rows.iter().map(Entry::read).collect::<Result<_, _>>().doing(doing)
}

/// The entry of a target table.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn find(client: &Client, target: &QualifiedName) -> PgResult<Option<Entry>> {
    let doing = || "reading lakefront.synced_tables".to_owned();
    let row = client
        .query_opt(
            &format!(
                "SELECT {COLUMNS} FROM lakefront.synced_tables WHERE schema_name = $1 AND table_name = $2"
            ),
            &[&target.schema, &target.table],
        )
        .await
        .doing(doing)?;
    row.as_ref().map(Entry::read).transpose().doing(doing)
}

/// The entry of a table, made if there is none. An entry that is there keeps the spec of its last good update.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn register(client: &Client, spec: &SyncedTableSpec, location: &str) -> PgResult<Entry> {
    let doing = || format!("recording {} in the ledger", spec.name);
    let target = &spec.name.name;
    client
        .execute(
            "INSERT INTO lakefront.synced_tables (name, schema_name, table_name, spec, location)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (schema_name, table_name) DO NOTHING",
            &[&spec.name.to_string(), &target.schema, &target.table, &Json(spec), &location],
        )
        .await
        .doing(doing)?;
    let row = client
        .query_one(
            &format!(
                "SELECT {COLUMNS} FROM lakefront.synced_tables WHERE schema_name = $1 AND table_name = $2"
            ),
            &[&target.schema, &target.table],
        )
        .await
        .doing(doing)?;
    Entry::read(&row).map_err(|e| PgError::new(doing(), e))
}

/// Takes a table's entry out, its history and quarantine with it.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn remove(client: &impl GenericClient, id: i64) -> PgResult<()> {
    client
        .execute("DELETE FROM lakefront.synced_tables WHERE id = $1", &[&id])
        .await
        .doing(|| "removing the table from the ledger".into())?;
    Ok(())
}
