//! A Delta table that is open for writing.

use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use chrono::Utc;
use serde_json::json;
use uuid::Uuid;

use crate::action::{AddFile, Format, LogLine, Metadata};
use crate::change_file::CHANGE_FOLDER;
use crate::checkpoint;
use crate::commit::{Commit, CommitOptions};
use crate::data_file;
use crate::draft::Draft;
use crate::error::{DeltaWriteError, io_at};
use crate::log;
use crate::operation::Operation;
use crate::protocol;
use crate::schema;
use crate::spec::{FileLayout, TableSpec};
use crate::state::TableState;
use crate::stats;

/// A Delta table on a local file system, at the version that it was opened or last committed at.
///
/// Several writers may hold the same table: a commit that finds its version taken fails with
/// [`DeltaWriteError::Conflict`] and leaves nothing behind.
#[derive(Debug)]
pub struct DeltaTable {
    root: PathBuf,
    layout: FileLayout,
    state: TableState,
}

/// A data file of the present version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The file's address relative to the table.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows, where the log says so.
    pub rows: Option<u64>,
}

/// A data file that is written and not yet part of the table.
#[derive(Debug)]
pub struct StagedFile {
    pub(crate) add: AddFile,
    pub(crate) rows: u64,
}

impl DeltaTable {
    /// Creates a table without rows, as version 0. The folder is made where it is missing.
    ///
    /// # Errors
    /// [`DeltaWriteError::AlreadyExists`] when the folder holds a table,
    /// [`DeltaWriteError::UnsupportedType`] for a column type that Delta lacks, and failures of the file system.
    pub fn create(path: impl AsRef<Path>, spec: TableSpec) -> Result<Self, DeltaWriteError> {
        let root = path.as_ref().to_path_buf();
        let schema_string = schema::to_delta(&spec.schema)?;
        if checkpoint::newest(&root)?.is_some() {
            // A log whose first commits were cleaned away: version 0 is free, and not ours to take.
            return Err(DeltaWriteError::AlreadyExists { path: root });
        }
        let folder = log::folder(&root);
        fs::create_dir_all(&folder).map_err(io_at(folder))?;
        let timestamp = Utc::now().timestamp_millis();
        let mut draft = Draft::new(&root, "CREATE TABLE");
        draft.blind_append = true;
        draft.parameters.insert("isManaged".to_owned(), json!("false"));
        draft.protocol = Some(protocol::needed(&spec.schema, &spec.properties, None));
        draft.metadata = Some(Metadata {
            id: Uuid::new_v4().to_string(),
            name: spec.name,
            description: spec.description,
            format: Format::default(),
            schema_string,
            partition_columns: Vec::new(),
            configuration: spec.properties,
            created_time: Some(timestamp),
        });
        match log::write_commit(&root, 0, &draft.lines(None, timestamp, None)) {
            Err(DeltaWriteError::Conflict { path, .. }) => {
                return Err(DeltaWriteError::AlreadyExists { path });
            }
            written => written?,
        }
        Ok(Self::open(root)?.with_layout(spec.layout))
    }

    /// Opens a table at its newest version by replaying its log.
    ///
    /// # Errors
    /// [`DeltaWriteError::NotATable`], [`DeltaWriteError::UnsupportedFeature`] for a table whose
    /// rules this writer could break, [`DeltaWriteError::MalformedLog`], and failures of the file system.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DeltaWriteError> {
        let root = path.as_ref().to_path_buf();
        let state = TableState::load(&root)?;
        Ok(Self { root, layout: FileLayout::default(), state })
    }

    /// Cuts files in another way from now on; the log does not remember it.
    #[must_use]
    pub fn with_layout(mut self, layout: FileLayout) -> Self {
        self.layout = layout;
        self
    }

    /// Takes in the commits that other writers made since.
    ///
    /// # Errors
    /// As [`DeltaTable::open`].
    pub fn refresh(&mut self) -> Result<u64, DeltaWriteError> {
        // A copy, so that a commit that this writer does not understand leaves the table as it was.
        let mut state = self.state.clone();
        state.catch_up(&self.root)?;
        self.state = state;
        Ok(self.state.version)
    }

    /// The table's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The version that this writer sees.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.state.version
    }

    /// The identity that the table got when it was created.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.state.metadata.id
    }

    /// The table's columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.state.schema.clone()
    }

    /// The data files of the present version, by path.
    #[must_use]
    pub fn files(&self) -> Vec<DataFile> {
        let file = |add: &AddFile| DataFile {
            path: add.path.clone(),
            size: u64::try_from(add.size).unwrap_or_default(),
            rows: num_records(add),
        };
        self.state.files.values().map(file).collect()
    }

    /// The rows of one data file, of all columns or of some.
    ///
    /// # Errors
    /// When the file is missing or no readable Parquet.
    pub fn read(&self, file: &str, columns: Option<&[&str]>) -> Result<RecordBatch, DeltaWriteError> {
        let columns: Option<Vec<String>> =
            columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        data_file::read(&self.root.join(file), &self.state.schema, columns.as_deref())
    }

    /// Writes rows as one data file that is no part of the table yet; several threads may do so
    /// at once. Commit it with [`Operation::AppendStaged`].
    ///
    /// # Errors
    /// [`DeltaWriteError::ColumnMismatch`] when the rows do not fit, and failures of the file system.
    pub fn stage(&self, rows: &RecordBatch) -> Result<StagedFile, DeltaWriteError> {
        let rows = self.conform(rows)?;
        self.write_data_file(0, &rows)
    }

    /// Commits an operation as the next version.
    ///
    /// # Errors
    /// [`DeltaWriteError::Conflict`] when another writer took the version, after which nothing of
    /// this commit is left; otherwise what the operation's own reading and writing meets.
    pub fn commit(&mut self, operation: Operation<'_>) -> Result<Commit, DeltaWriteError> {
        self.commit_with(operation, &CommitOptions::default())
    }

    /// [`DeltaTable::commit`] with a timestamp or a note.
    ///
    /// # Errors
    /// As [`DeltaTable::commit`].
    pub fn commit_with(
        &mut self,
        operation: Operation<'_>,
        options: &CommitOptions,
    ) -> Result<Commit, DeltaWriteError> {
        let mut draft = operation.draft(self)?;
        let now = options.timestamp.unwrap_or_else(|| Utc::now().timestamp_millis());
        let timestamp = now.max(self.state.timestamp.saturating_add(1));
        let mut commit = Commit {
            version: self.state.version,
            written: !draft.is_empty(),
            timestamp: self.state.timestamp,
            rows: draft.rows,
            files_added: draft.adds.len(),
            files_removed: draft.removes.len(),
        };
        if !commit.written {
            return Ok(commit);
        }
        commit.version += 1;
        commit.timestamp = timestamp;
        let lines: Vec<LogLine> = draft.lines(Some(&self.state), timestamp, options.note.as_deref());
        match log::write_commit(&self.root, commit.version, &lines) {
            Err(error @ DeltaWriteError::Conflict { .. }) => return Err(error),
            // Whether the name was taken may be unknown after another failure: the files stay.
            outcome => {
                draft.keep_files();
                outcome?;
            }
        }
        self.state.advance(&self.root, lines)?;
        Ok(commit)
    }

    /// Writes a checkpoint of the present version, so that readers need not replay every commit.
    ///
    /// # Errors
    /// When the log holds actions that a checkpoint by this writer would lose, and failures of the file system.
    pub fn checkpoint(&self) -> Result<(), DeltaWriteError> {
        checkpoint::write(&self.root, &self.state, self.tombstones_kept_since())
    }

    /// Removed files are remembered for a week, the protocol's default (`delta.deletedFileRetentionDuration`).
    fn tombstones_kept_since(&self) -> i64 {
        const WEEK_MILLISECONDS: i64 = 7 * 24 * 3_600_000;
        self.state.timestamp.saturating_sub(WEEK_MILLISECONDS)
    }

    pub(crate) fn state(&self) -> &TableState {
        &self.state
    }

    pub(crate) fn state_mut(&mut self) -> &mut TableState {
        &mut self.state
    }

    pub(crate) fn layout(&self) -> FileLayout {
        self.layout
    }

    /// Writes one data file of rows that already have the table's columns.
    pub(crate) fn write_data_file(
        &self,
        number: usize,
        rows: &RecordBatch,
    ) -> Result<StagedFile, DeltaWriteError> {
        let name = format!("part-{number:05}-{}-c000.snappy.parquet", Uuid::new_v4());
        let written = data_file::write(&self.root.join(&name), rows, self.layout.rows_per_group)?;
        Ok(StagedFile {
            add: AddFile {
                path: name,
                partition_values: Default::default(),
                size: written.size,
                modification_time: written.modified,
                data_change: true,
                stats: Some(stats::of(rows)),
                deletion_vector: None,
            },
            rows: rows.num_rows() as u64,
        })
    }

    /// Writes one change data file; gives its address and size.
    pub(crate) fn write_change_file(
        &self,
        number: usize,
        rows: &RecordBatch,
    ) -> Result<(String, i64), DeltaWriteError> {
        let folder = self.root.join(CHANGE_FOLDER);
        fs::create_dir_all(&folder).map_err(io_at(&folder))?;
        let name = format!("cdc-{number:05}-{}.c000.snappy.parquet", Uuid::new_v4());
        let written = data_file::write(&folder.join(&name), rows, self.layout.rows_per_group)?;
        Ok((format!("{CHANGE_FOLDER}/{name}"), written.size))
    }
}

pub(crate) fn num_records(add: &AddFile) -> Option<u64> {
    let stats: serde_json::Value = serde_json::from_str(add.stats.as_deref()?).ok()?;
    stats.get("numRecords")?.as_u64()
}
