//! Filling a stage: rows, then the key with what the table's policies say of rows that share one.

use crate::failpoint::FailPoint;
use crate::load::{Job, Loaded, load};
use crate::policy::hint;
use crate::progress::{Phase, Progress};
use crate::{Engine, SyncError};
use lakefront_lake::{ScanOptions, Snapshot};
use lakefront_model::{Condition, RowPolicy, SyncedTableSpec, TableMapping};
use lakefront_postgres::keys::{self, KeyBuild};
use lakefront_postgres::table::{self, Pgvector, Stage, StageKind};
use std::sync::Arc;
use tokio_postgres::Client;

/// A filled stage.
#[derive(Debug)]
pub(crate) struct Filled {
    pub stage: Stage,
    pub loaded: Loaded,
}

/// What a stage is filled from, and for.
pub(crate) struct Filling<'a> {
    pub spec: &'a SyncedTableSpec,
    pub mapping: &'a Arc<TableMapping>,
    pub snapshot: &'a Snapshot,
    pub stage: Stage,
    pub kind: StageKind,
}

impl Engine {
    /// Makes the stage, copies the snapshot's rows into it and gives it its key. What it holds afterwards is just
    /// what the live table should hold.
    pub(crate) async fn fill_stage(
        &self,
        control: &Client,
        filling: Filling<'_>,
        progress: &Arc<Progress>,
    ) -> Result<Filled, SyncError> {
        let Filling { spec, mapping, snapshot, stage, kind } = filling;
        if mapping.needs_pgvector() && table::ensure_pgvector(control).await? == Pgvector::NotInstalled {
            return Err(no_pgvector(mapping));
        }
        let scan = snapshot.scan(ScanOptions::default()).await?;
        stage.create(control, mapping, &spec.generated_columns, kind).await?;
        FailPoint::StageMade.reached();
        progress.enter(Phase::Copying);
        let job = Job {
            spec: spec.clone(),
            mapping: mapping.clone(),
            stage: stage.clone(),
            scan,
            progress: progress.clone(),
        };
        let mut loaded = load(self, control, job).await?;
        progress.enter(Phase::Indexing);
        if !mapping.key.is_empty() {
            settle_key(control, spec, mapping, &stage, &mut loaded).await?;
        }
        Ok(Filled { stage, loaded })
    }
}

/// Builds the primary key; where rows share one, the policies decide and it is built again.
async fn settle_key(
    control: &Client,
    spec: &SyncedTableSpec,
    mapping: &TableMapping,
    stage: &Stage,
    loaded: &mut Loaded,
) -> Result<(), SyncError> {
    if matches!(keys::build_primary_key(control, stage, mapping).await?, KeyBuild::Built) {
        return Ok(());
    }
    if let Some(by) = mapping.timeseries_key {
        loaded.rows -= keys::keep_greatest(control, stage, mapping, by).await?;
    } else if spec.duplicate_key == RowPolicy::Quarantine {
        let aside = keys::put_duplicates_aside(control, stage, mapping).await?;
        loaded.rows -= aside;
        loaded.tally.set_aside(Condition::PrimaryKeyConstraintViolation.name(), aside);
    } else {
        return Err(shared_key(control, mapping, stage).await?);
    }
    match keys::build_primary_key(control, stage, mapping).await? {
        KeyBuild::Built => Ok(()),
        KeyBuild::Duplicates => Err(shared_key(control, mapping, stage).await?),
    }
}

async fn shared_key(control: &Client, mapping: &TableMapping, stage: &Stage) -> Result<SyncError, SyncError> {
    let condition = Condition::PrimaryKeyConstraintViolation;
    let columns = mapping.key_names().join(", ");
    let message = match keys::find_duplicates(control, stage, mapping).await? {
        Some(found) => format!(
            "the key ({columns}) is not unique: {} {} shared by {} rows; the first: {} ({} rows)",
            found.keys,
            if found.keys == 1 { "key is" } else { "keys are" },
            found.rows,
            found.example,
            found.example_rows
        ),
        None => format!("the key ({columns}) is not unique"),
    };
    Ok(SyncError::new(condition, message, hint(condition)))
}

fn no_pgvector(mapping: &TableMapping) -> SyncError {
    let columns: Vec<String> = mapping
        .columns
        .iter()
        .filter(|c| c.pg_type.needs_pgvector())
        .map(|c| format!("\"{}\" ({})", c.name, c.pg_type))
        .collect();
    SyncError::new(
        Condition::UnsupportedType,
        format!(
            "column {} needs the extension pgvector, which this PostgreSQL does not have",
            columns.join(", ")
        ),
        "install pgvector on the database server (Debian, Ubuntu: postgresql-NN-pgvector; macOS: brew install pgvector), or leave the override out",
    )
}
