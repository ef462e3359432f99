//! From the files that commits name to units of changed rows.

use super::Unlisted;
use super::commit::{FileAction, PartitionValues};
use super::density::Density;
use super::unit::{CHANGE_TYPE, ChangeKind, ChangeUnit};
use crate::kernel_error::{Reading, from_kernel};
use crate::scan::{
    DataFile, FileColumns, RowChoice, ScanSource, ScanUnit, arrow_schema, logical_columns, source_of,
    store_of, units,
};
use crate::snapshot::Snapshot;
use crate::{LakeError, ScanOptions};
use arrow_schema::SchemaRef;
use delta_kernel::ExpressionRef;
use delta_kernel::expressions::Expression;
use delta_kernel::scan::state::DvInfo;
use delta_kernel::schema::{DataType, StructField, StructType};
use lakefront_model::Version;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

/// What is said when a removed file's partition is not in the log.
const UNPLACED: &str = "the source's log does not say which partition a removed file belonged to";

/// What is needed to read any file of a table as one of its versions does.
pub(super) struct Files {
    snapshot: Snapshot,
    unit_bytes: u64,
    /// files of rows
    rows: Arc<ScanSource>,
    /// change data files, which have one column more; made for the first one, as a table without change data feed may
    /// have a column of that name itself
    recorded: OnceCell<Arc<ScanSource>>,
    density: Density,
}

impl Files {
    pub(super) fn new(
        snapshot: &Snapshot,
        options: &ScanOptions,
        density: Density,
    ) -> Result<Self, LakeError> {
        Ok(Self {
            snapshot: snapshot.clone(),
            unit_bytes: options.unit_bytes,
            rows: Arc::new(source_of(snapshot, options)?),
            recorded: OnceCell::new(),
            density,
        })
    }

    /// What files of a kind have in common.
    fn source(&self, kind: ChangeKind) -> Result<&Arc<ScanSource>, LakeError> {
        let rows = &self.rows;
        if kind != ChangeKind::Recorded {
            return Ok(rows);
        }
        if let Some(recorded) = self.recorded.get() {
            return Ok(recorded);
        }
        let reading = Reading::log(self.snapshot.location());
        let with_type = |schema: &StructType| {
            let change_type = StructField::nullable(CHANGE_TYPE, DataType::STRING);
            let fields = schema.fields().cloned().chain(std::iter::once(change_type));
            StructType::try_new(fields).map(Arc::new).map_err(|e| from_kernel(&reading, e))
        };
        let recorded = ScanSource {
            columns: Arc::new(FileColumns::new(with_type(&rows.columns.kernel)?)),
            logical: with_type(&rows.logical)?,
            ..ScanSource::clone(rows)
        };
        Ok(self.recorded.get_or_init(|| Arc::new(recorded)))
    }

    /// The columns of the batches, without that of the change's type.
    pub(super) fn schema(&self) -> Result<SchemaRef, LakeError> {
        arrow_schema(&Reading::log(self.snapshot.location()), &self.rows)
    }

    /// All rows of a file as changed rows of one kind.
    pub(super) fn unit(
        &self,
        version: Version,
        kind: ChangeKind,
        file: &FileAction,
    ) -> Result<Vec<ChangeUnit>, Unlisted> {
        self.chosen(version, kind, file, RowChoice::Without(file.deletion_vector.clone()))
    }

    /// The rows that files took with them and those that others brought. Of a file that only got another deletion
    /// vector just the rows in between count.
    pub(super) fn rewritten(
        &self,
        version: Version,
        removed: &[FileAction],
        added: &[FileAction],
    ) -> Result<Vec<ChangeUnit>, Unlisted> {
        let mut before: HashMap<&str, &FileAction> = HashMap::new();
        for file in removed.iter().filter(|file| file.data_change) {
            before.insert(&file.path, file);
        }
        let mut deleted = Vec::new();
        let mut inserted = Vec::new();
        for file in added.iter().filter(|file| file.data_change) {
            let Some(old) = before.remove(file.path.as_str()) else {
                inserted.extend(self.unit(version, ChangeKind::Inserted, file)?);
                continue;
            };
            // The new entry is the one that is sure to say all about the file.
            let only = |deleted_by: &DvInfo, not_by: &DvInfo| RowChoice::Only {
                deleted_by: deleted_by.clone(),
                not_by: not_by.clone(),
            };
            let (was, is) = (&old.deletion_vector, &file.deletion_vector);
            deleted.extend(self.chosen(version, ChangeKind::Deleted, file, only(is, was))?);
            inserted.extend(self.chosen(version, ChangeKind::Inserted, file, only(was, is))?);
        }
        for file in removed
            .iter()
            .filter(|file| before.get(file.path.as_str()).is_some_and(|f| f.vector_id == file.vector_id))
        {
            deleted.extend(self.unit(version, ChangeKind::Deleted, file)?);
        }
        deleted.append(&mut inserted);
        Ok(deleted)
    }

    /// Chosen rows of a file.
    fn chosen(
        &self,
        version: Version,
        kind: ChangeKind,
        file: &FileAction,
        choice: RowChoice,
    ) -> Result<Vec<ChangeUnit>, Unlisted> {
        if matches!(&choice, RowChoice::Only { deleted_by, .. } if !deleted_by.has_vector()) {
            return Ok(Vec::new());
        }
        let source = self.source(kind)?;
        let reading = Reading::log(&source.location);
        let transform = self.transform(kind, file)?;
        let replaced = self.replaced(kind, file, &choice);
        let url = source.location.url().join(&file.path).map_err(|e| reading.damaged(e))?;
        let store = store_of(self.snapshot.table().lake(), source, &url)?;
        let data_file = DataFile::new(Arc::clone(source), store, url, file.size, choice, transform);
        let reading = data_file.reading();
        let units = units(vec![Arc::new(data_file)], self.unit_bytes)?;
        // What is known of the file is told with its first unit.
        let mut replaced = std::iter::once(replaced).chain(std::iter::repeat(Some(0)));
        let unit = |rows: ScanUnit| {
            let replaced = replaced.next().flatten();
            ChangeUnit { version, kind, replaced, rows, reading: reading.clone() }
        };
        Ok(units.into_iter().map(unit).collect())
    }

    /// About how many rows of the table the chosen rows of a file take out or replace.
    fn replaced(&self, kind: ChangeKind, file: &FileAction, choice: &RowChoice) -> Option<u64> {
        match (kind, choice) {
            (ChangeKind::Inserted, _) => Some(0),
            (ChangeKind::Deleted, RowChoice::Without(_)) => self.density.rows(file),
            (ChangeKind::Deleted, RowChoice::Only { deleted_by, not_by }) => {
                let rows = |vector: &DvInfo| Some(vector.cardinality().ok()?.unwrap_or_default());
                Some(rows(deleted_by)?.saturating_sub(rows(not_by)?))
            }
            // As a rule they are updates, each with the row that was and the row that is.
            (ChangeKind::Recorded, _) => self.density.rows(file).map(|rows| rows / 2),
        }
    }

    /// What makes the table's columns of a file's. None when they are the same.
    fn transform(&self, kind: ChangeKind, file: &FileAction) -> Result<Option<ExpressionRef>, Unlisted> {
        let none = PartitionValues::new();
        let values = match &file.partition_values {
            Some(values) => values,
            None if self.snapshot.partition_columns().is_empty() => &none,
            None => return Err(Unlisted::Unknown(UNPLACED)),
        };
        let value = |name: &str| values.get(name).and_then(Option::as_deref);
        let Some(mut columns) = logical_columns(&self.snapshot, &self.rows.logical, value)? else {
            return Ok(None);
        };
        if kind == ChangeKind::Recorded {
            columns.push(Expression::column([CHANGE_TYPE]));
        }
        Ok(Some(Arc::new(Expression::struct_from(columns))))
    }
}
