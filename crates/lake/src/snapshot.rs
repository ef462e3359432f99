//! One version of a table.

use crate::kernel_error::{Reading, from_kernel};
use crate::refusal;
use crate::schema::source_schema;
use crate::table::DeltaTable;
use crate::{LakeError, Location, ScanOptions, ScanPlan};
use delta_kernel::history_manager::{HistoryCommitType, get_earliest_commit};
use delta_kernel::object_store::ObjectMeta;
use delta_kernel::{KernelError, SnapshotRef};
use lakefront_model::{SourceSchema, Version};
use std::collections::HashMap;
use std::sync::Arc;

/// A table at one version. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Snapshot {
    table: DeltaTable,
    kernel: SnapshotRef,
    schema: Arc<SourceSchema>,
    committed_at: Option<i64>,
    /// what its commit's file was when it was looked at; None when it never was, or was gone
    mark: Option<ObjectMeta>,
}

/// What a version's files hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileStatistics {
    /// data files
    pub files: u64,
    /// their bytes
    pub bytes: u64,
    /// their rows less the deleted ones, when the log says so for each file
    pub rows: Option<u64>,
}

impl Snapshot {
    /// Builds the snapshot; blocks.
    pub(crate) fn load(table: DeltaTable, version: Option<Version>) -> Result<Self, LakeError> {
        let engine = table.store().engine();
        let mut builder = delta_kernel::Snapshot::builder_for(table.location().url());
        if let Some(version) = version {
            builder = builder.at_version(version);
        }
        let kernel = match builder.build(engine) {
            Ok(kernel) => kernel,
            Err(error) => {
                return Err(match version.and_then(|version| not_available(&table, version)) {
                    Some(unavailable) => unavailable,
                    None => refusal::explain(&table, version, error),
                });
            }
        };
        Self::of(table, kernel)
    }

    /// The newest version of its table, from what it knows already; blocks.
    pub(crate) fn renew(self) -> Result<Self, LakeError> {
        let engine = self.table.store().engine();
        match delta_kernel::Snapshot::builder_from(Arc::clone(&self.kernel)).build(engine) {
            Ok(kernel) if kernel.version() == self.version() => Ok(self),
            Ok(kernel) => Self::of(self.table, kernel),
            Err(error) => Err(refusal::explain(&self.table, None, error)),
        }
    }

    fn of(table: DeltaTable, kernel: SnapshotRef) -> Result<Self, LakeError> {
        let engine = table.store().engine();
        let reading = Reading::log(table.location());
        let schema = Arc::new(source_schema(
            &reading,
            &kernel.schema(),
            kernel.table_configuration().column_mapping_mode(),
            kernel.table_properties().column_mapping_max_column_id,
        )?);
        let committed_at = match kernel.get_timestamp(engine) {
            Ok(millis) => Some(millis),
            // The commit's file has been cleaned up and only a checkpoint holds this version.
            Err(error) if matches!(error.without_backtrace(), KernelError::MissingVersion(_)) => None,
            Err(error) => return Err(from_kernel(&reading, error)),
        };
        Ok(Self { table, kernel, schema, committed_at, mark: None })
    }

    /// What its commit's file was when it was looked at; None when it never was, or was gone.
    pub(crate) fn mark(&self) -> Option<&ObjectMeta> {
        self.mark.as_ref()
    }

    pub(crate) fn with_mark(self, mark: Option<ObjectMeta>) -> Self {
        Self { mark, ..self }
    }

    /// Bytes of its commit's file when it was looked at; None when it never was, or was gone.
    pub fn commit_bytes(&self) -> Option<u64> {
        self.mark.as_ref().map(|found| found.size)
    }

    /// Its version.
    pub fn version(&self) -> Version {
        self.kernel.version()
    }

    /// Where its table is.
    pub fn location(&self) -> &Location {
        self.table.location()
    }

    /// The table's id (a UUID as a rule): another one under the same name is another table.
    pub fn table_id(&self) -> &str {
        self.kernel.table_configuration().metadata().id()
    }

    /// Its columns, by their logical names, partition columns included.
    pub fn schema(&self) -> &SourceSchema {
        &self.schema
    }

    /// The table's comment.
    pub fn comment(&self) -> Option<&str> {
        self.kernel.table_configuration().metadata().description().filter(|text| !text.is_empty())
    }

    /// The columns that partition it, by their logical names.
    pub fn partition_columns(&self) -> &[String] {
        self.kernel.table_configuration().metadata().partition_columns()
    }

    /// The table's properties as its log has them.
    pub fn properties(&self) -> &HashMap<String, String> {
        self.kernel.metadata_configuration()
    }

    /// Whether commits from here on record their changed rows (`delta.enableChangeDataFeed`).
    pub fn has_change_data_feed(&self) -> bool {
        self.kernel.table_properties().enable_change_data_feed == Some(true)
    }

    /// When its commit was made, in milliseconds since 1970 UTC: the in-commit timestamp where the table has
    /// these, else the time of the commit's file (Delta protocol, section "In-Commit Timestamps"). None when
    /// the commit's file is gone and only a checkpoint holds this version.
    pub fn committed_at(&self) -> Option<i64> {
        self.committed_at
    }

    /// Adds up its files.
    ///
    /// # Errors
    /// [`LakeError::CorruptLog`], [`LakeError::Access`] or [`LakeError::Io`].
    pub async fn statistics(&self) -> Result<FileStatistics, LakeError> {
        let snapshot = self.clone();
        self.table.blocking(move || crate::scan::statistics(&snapshot)).await
    }

    /// Lists its files and divides them into units of work.
    ///
    /// # Errors
    /// [`LakeError::NoSuchColumn`], [`LakeError::CorruptLog`], [`LakeError::UnsupportedFeature`],
    /// [`LakeError::MissingFile`], [`LakeError::UnreadableFile`], [`LakeError::Access`] or [`LakeError::Io`].
    pub async fn scan(&self, options: ScanOptions) -> Result<ScanPlan, LakeError> {
        let snapshot = self.clone();
        self.table.blocking(move || crate::scan::plan(&snapshot, options)).await
    }

    pub(crate) fn table(&self) -> &DeltaTable {
        &self.table
    }

    pub(crate) fn kernel(&self) -> &SnapshotRef {
        &self.kernel
    }
}

/// The error for a version that the log does not hold; None when it should hold it.
fn not_available(table: &DeltaTable, version: Version) -> Option<LakeError> {
    let log = table.log_url().ok()?;
    let engine = table.store().engine();
    let earliest = get_earliest_commit(engine, &log, None, HistoryCommitType::Recreatable).ok();
    let versions = {
        let table = table.clone();
        table.store().clone().wait_for(async move { table.commit_versions().await })
    };
    let latest = versions.and_then(Result::ok)?.into_iter().max();
    let there = earliest.is_none_or(|earliest| earliest <= version) && latest.is_some_and(|l| version <= l);
    (!there).then(|| LakeError::VersionNotAvailable {
        location: table.location().to_string(),
        version,
        earliest,
        latest,
    })
}
