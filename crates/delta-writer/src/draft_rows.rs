//! Operations on rows, turned into drafts: which files leave, which come, what changed.

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use serde_json::json;

use crate::action::{AddFile, ChangeFile};
use crate::change_file::{ChangeType, RowChanges};
use crate::draft::Draft;
use crate::error::DeltaWriteError;
use crate::keyed_changes::KeyedChanges;
use crate::operation::{Operation, RowFilter, RowUpdate};
use crate::protocol::is_on;
use crate::rewrite::Edit;
use crate::spec::CHANGE_DATA_FEED;
use crate::table::{DeltaTable, StagedFile, num_records};

impl Operation<'_> {
    /// Writes the operation's files and lists its actions; the table is unchanged.
    pub(crate) fn draft(self, table: &DeltaTable) -> Result<Draft, DeltaWriteError> {
        if self.takes_rows_away() && is_on(&table.state().metadata.configuration, "delta.appendOnly") {
            return Err(DeltaWriteError::UnsupportedFeature {
                path: table.path().to_path_buf(),
                feature: "a change of rows in a table with delta.appendOnly".to_owned(),
            });
        }
        match self {
            Self::Append(batches) => append(table, &batches),
            Self::AppendStaged(files) => Ok(append_staged(table, files)),
            Self::Overwrite(batches) => overwrite(table, &batches),
            Self::Delete(filter) => delete(table, &filter),
            Self::Update(filter, update) => update_rows(table, &filter, &update),
            Self::Merge(changes) => merge(table, changes),
            Self::Optimize => optimize(table),
            Self::SetProperties(properties) => Ok(table.draft_properties(properties)),
            Self::AddColumns(fields) => table.draft_columns(&fields),
        }
    }

    fn takes_rows_away(&self) -> bool {
        matches!(self, Self::Overwrite(_) | Self::Delete(_) | Self::Update(..) | Self::Merge(_))
    }
}

impl Draft {
    fn add_files(&mut self, table: &DeltaTable, rows: &RecordBatch) -> Result<(), DeltaWriteError> {
        for chunk in chunks(rows, table.layout().rows_per_file) {
            let staged = table.write_data_file(self.adds.len(), &chunk)?;
            self.adds.push(staged.add);
        }
        Ok(())
    }

    /// Rows that the table did not hold, as files of their own.
    fn insert(&mut self, table: &DeltaTable, batches: &[RecordBatch]) -> Result<(), DeltaWriteError> {
        let batches = batches.iter().map(|rows| table.conform(rows)).collect::<Result<Vec<_>, _>>()?;
        let rows = concat_batches(&table.schema(), &batches)?;
        self.rows.inserted += rows.num_rows() as u64;
        self.add_files(table, &rows)
    }

    fn record_changes(&mut self, table: &DeltaTable, changes: RowChanges) -> Result<(), DeltaWriteError> {
        if !is_on(&table.state().metadata.configuration, CHANGE_DATA_FEED) {
            return Ok(());
        }
        let Some(rows) = changes.into_rows(&table.schema())? else {
            return Ok(());
        };
        for chunk in chunks(&rows, table.layout().rows_per_file) {
            let (path, size) = table.write_change_file(self.changes.len(), &chunk)?;
            self.changes.push(ChangeFile {
                path,
                partition_values: Default::default(),
                size,
                data_change: false,
            });
        }
        Ok(())
    }

    /// Replaces one file by what an edit leaves of it.
    fn replace(
        &mut self,
        table: &DeltaTable,
        file: &AddFile,
        rows: &RecordBatch,
        edit: &Edit,
        changes: &mut RowChanges,
    ) -> Result<(), DeltaWriteError> {
        if edit.is_empty() {
            return Ok(());
        }
        let edited = edit.apply(rows, changes)?;
        self.rows.deleted += edited.counts.deleted;
        self.rows.updated += edited.counts.updated;
        self.copied += edited.copied;
        self.removes.push(file.clone());
        self.add_files(table, &edited.rows)
    }
}

fn append(table: &DeltaTable, batches: &[RecordBatch]) -> Result<Draft, DeltaWriteError> {
    let mut draft = Draft::new(table.path(), "WRITE");
    draft.parameters.insert("mode".to_owned(), json!("Append"));
    draft.blind_append = true;
    draft.insert(table, batches)?;
    Ok(draft)
}

fn append_staged(table: &DeltaTable, files: Vec<StagedFile>) -> Draft {
    let mut draft = Draft::new(table.path(), "WRITE");
    draft.parameters.insert("mode".to_owned(), json!("Append"));
    draft.blind_append = true;
    draft.rows.inserted = files.iter().map(|file| file.rows).sum();
    draft.adds = files.into_iter().map(|file| file.add).collect();
    draft
}

/// Readers of the change feed derive a delete and an insert of each row from the files alone.
fn overwrite(table: &DeltaTable, batches: &[RecordBatch]) -> Result<Draft, DeltaWriteError> {
    let mut draft = Draft::new(table.path(), "WRITE");
    draft.parameters.insert("mode".to_owned(), json!("Overwrite"));
    draft.removes = table.state().files.values().cloned().collect();
    draft.rows.deleted = draft.removes.iter().filter_map(num_records).sum();
    draft.insert(table, batches)?;
    Ok(draft)
}

fn delete(table: &DeltaTable, filter: &RowFilter<'_>) -> Result<Draft, DeltaWriteError> {
    edit_matching(table, "DELETE", |rows| {
        let delete = checked_filter(filter, rows)?;
        Ok(Edit {
            update: BooleanArray::from(vec![false; rows.num_rows()]),
            delete,
            images: rows.slice(0, 0),
        })
    })
}

fn update_rows(
    table: &DeltaTable,
    filter: &RowFilter<'_>,
    update: &RowUpdate<'_>,
) -> Result<Draft, DeltaWriteError> {
    edit_matching(table, "UPDATE", |rows| {
        let selected = checked_filter(filter, rows)?;
        let old = filter_record_batch(rows, &selected)?;
        let images = if old.num_rows() == 0 { old.clone() } else { table.conform(&update(&old)?)? };
        if images.num_rows() != old.num_rows() {
            let (wanted, given) = (old.num_rows(), images.num_rows());
            let reason = format!("the update gave {given} images for {wanted} rows");
            return Err(ArrowError::InvalidArgumentError(reason).into());
        }
        Ok(Edit { delete: BooleanArray::from(vec![false; rows.num_rows()]), update: selected, images })
    })
}

fn checked_filter(filter: &RowFilter<'_>, rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
    let selected = filter(rows)?;
    if selected.len() == rows.num_rows() {
        return Ok(selected);
    }
    let (wanted, given) = (rows.num_rows(), selected.len());
    let reason = format!("the filter gave {given} answers for {wanted} rows");
    Err(ArrowError::InvalidArgumentError(reason))
}

fn edit_matching(
    table: &DeltaTable,
    operation: &'static str,
    mut decide: impl FnMut(&RecordBatch) -> Result<Edit, DeltaWriteError>,
) -> Result<Draft, DeltaWriteError> {
    let mut draft = Draft::new(table.path(), operation);
    let mut changes = RowChanges::default();
    for file in table.state().files.values() {
        let rows = table.read(&file.path, None)?;
        let edit = decide(&rows)?;
        draft.replace(table, file, &rows, &edit, &mut changes)?;
    }
    draft.record_changes(table, changes)?;
    Ok(draft)
}

fn merge(table: &DeltaTable, changes: KeyedChanges) -> Result<Draft, DeltaWriteError> {
    let schema = table.schema();
    let mut index = changes.index(table.path(), &schema, |rows| table.conform(rows))?;
    let mut draft = Draft::new(table.path(), "MERGE");
    draft.parameters.insert("key".to_owned(), json!(index.key().join(", ")));
    let mut changes = RowChanges::default();
    for file in table.state().files.values() {
        if !index.may_touch(file) {
            continue;
        }
        let key: Vec<&str> = index.key().iter().map(String::as_str).collect();
        if !index.touches(table.path(), &table.read(&file.path, Some(&key))?)? {
            continue;
        }
        let rows = table.read(&file.path, None)?;
        let edit = index.edit(table.path(), &rows)?;
        draft.replace(table, file, &rows, &edit, &mut changes)?;
    }
    let inserted = index.unmatched()?;
    let only_inserts = draft.removes.is_empty();
    draft.insert(table, std::slice::from_ref(&inserted))?;
    if !only_inserts {
        // A commit with change data files is read from them alone, so they name the inserts too.
        changes.push(ChangeType::Insert, inserted);
    }
    draft.record_changes(table, changes)?;
    Ok(draft)
}

fn optimize(table: &DeltaTable) -> Result<Draft, DeltaWriteError> {
    let mut draft = Draft::new(table.path(), "OPTIMIZE");
    draft.data_change = false;
    let limit = table.layout().rows_per_file as u64;
    let small = |file: &&AddFile| num_records(file).is_some_and(|rows| rows.saturating_mul(2) < limit);
    let small: Vec<&AddFile> = table.state().files.values().filter(small).collect();
    let mut group: Vec<&AddFile> = Vec::new();
    let mut rows_in_group = 0;
    let mut groups = Vec::new();
    for file in small {
        let rows = num_records(file).unwrap_or_default();
        if rows_in_group + rows > limit {
            groups.push(std::mem::take(&mut group));
            rows_in_group = 0;
        }
        rows_in_group += rows;
        group.push(file);
    }
    groups.push(group);
    for group in groups.into_iter().filter(|group| group.len() > 1) {
        let batches = group.iter().map(|file| table.read(&file.path, None)).collect::<Result<Vec<_>, _>>()?;
        let rows = concat_batches(&table.schema(), &batches)?;
        draft.copied += rows.num_rows() as u64;
        draft.removes.extend(group.into_iter().cloned());
        draft.add_files(table, &rows)?;
    }
    Ok(draft)
}

/// The rows in pieces of at most `size`.
fn chunks(rows: &RecordBatch, size: usize) -> impl Iterator<Item = RecordBatch> + '_ {
    let size = size.max(1);
    let starts = (0..rows.num_rows()).step_by(size);
    starts.map(move |start| rows.slice(start, size.min(rows.num_rows() - start)))
}
