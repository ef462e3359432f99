//! Row changes by key: which rows shall be there afterwards, and which not.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use arrow_array::{BooleanArray, RecordBatch, UInt64Array};
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;

use crate::action::AddFile;
use crate::error::DeltaWriteError;
use crate::key::{KeyPart, keys_of};
use crate::rewrite::Edit;

/// Rows to insert, update and delete in one commit, found by key.
#[derive(Debug, Clone)]
pub struct KeyedChanges {
    pub(crate) key: Vec<String>,
    upserts: Vec<RecordBatch>,
    deletes: Vec<RecordBatch>,
}

impl KeyedChanges {
    /// Changes to rows that these columns identify. Key columns are whole numbers, strings,
    /// dates, timestamps or booleans.
    pub fn by<S: Into<String>>(key: impl IntoIterator<Item = S>) -> Self {
        Self { key: key.into_iter().map(Into::into).collect(), upserts: Vec::new(), deletes: Vec::new() }
    }

    /// Rows with all columns: a row whose key is in the table replaces it, another is inserted.
    #[must_use]
    pub fn upsert(mut self, rows: RecordBatch) -> Self {
        self.upserts.push(rows);
        self
    }

    /// Rows that shall be gone; only the key columns count. A key that is not in the table is no error.
    #[must_use]
    pub fn delete(mut self, keys: RecordBatch) -> Self {
        self.deletes.push(keys);
        self
    }

    /// Makes the changes ready to be looked up. `conform` turns a caller's rows into the table's columns.
    pub(crate) fn index(
        self,
        table: &Path,
        schema: &SchemaRef,
        conform: impl Fn(&RecordBatch) -> Result<RecordBatch, DeltaWriteError>,
    ) -> Result<KeyIndex, DeltaWriteError> {
        let refuse = |reason: String| DeltaWriteError::Key { path: table.to_path_buf(), reason };
        if self.key.is_empty() {
            return Err(refuse("no column is named".to_owned()));
        }
        let upserts = self.upserts.iter().map(conform).collect::<Result<Vec<_>, _>>()?;
        let rows = concat_batches(schema, &upserts)?;
        let mut wanted = HashMap::new();
        let mut plan = |batch: &RecordBatch, delete: bool| {
            for (row, key) in keys_of(table, batch, &self.key)?.into_iter().enumerate() {
                let key = key.ok_or_else(|| refuse(format!("row {row} has a NULL key")))?;
                let change = if delete { Change::Delete } else { Change::Row(row) };
                if let Some(twice) = wanted.insert(key, change).and(Some(row)) {
                    return Err(refuse(format!("row {twice} repeats the key of another change")));
                }
            }
            Ok(())
        };
        plan(&rows, false)?;
        for batch in &self.deletes {
            plan(batch, true)?;
        }
        let leading = wanted.keys().filter_map(|key| key.first().cloned()).collect();
        let found = vec![false; rows.num_rows()];
        Ok(KeyIndex { key: self.key, rows, wanted, leading, found })
    }
}

#[derive(Clone, Copy)]
enum Change {
    Delete,
    /// The row of [`KeyIndex::rows`] that replaces.
    Row(usize),
}

/// Changes by key, ready to be matched with the rows of files.
pub(crate) struct KeyIndex {
    key: Vec<String>,
    rows: RecordBatch,
    wanted: HashMap<Vec<KeyPart>, Change>,
    /// The keys' first parts, to pass over files by their statistics.
    leading: BTreeSet<KeyPart>,
    found: Vec<bool>,
}

impl KeyIndex {
    pub fn key(&self) -> &[String] {
        &self.key
    }

    /// False when a file's statistics prove that it holds none of the keys.
    pub fn may_touch(&self, file: &AddFile) -> bool {
        let Some(column) = self.key.first() else {
            return true;
        };
        let stats: Option<serde_json::Value> =
            file.stats.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let bound = |side: &str| {
            let value = stats.as_ref()?.get(side)?.get(column)?;
            value
                .as_i64()
                .map(KeyPart::Integer)
                .or_else(|| value.as_str().map(|text| KeyPart::Text(text.to_owned())))
        };
        let (Some(least), Some(greatest)) = (bound("minValues"), bound("maxValues")) else {
            return true;
        };
        // A date or timestamp is text in the statistics and a number here: no conclusion then.
        let comparable = |part: &KeyPart| std::mem::discriminant(part) == std::mem::discriminant(&least);
        if !self.leading.iter().all(comparable) {
            return true;
        }
        least <= greatest && self.leading.range(least..=greatest).next().is_some()
    }

    /// Whether any of these rows (the key columns suffice) is to change.
    pub fn touches(&self, table: &Path, rows: &RecordBatch) -> Result<bool, DeltaWriteError> {
        let keys = keys_of(table, rows, &self.key)?;
        Ok(keys.iter().flatten().any(|key| self.wanted.contains_key(key)))
    }

    /// What becomes of the rows of one file.
    pub fn edit(&mut self, table: &Path, rows: &RecordBatch) -> Result<Edit, DeltaWriteError> {
        let keys = keys_of(table, rows, &self.key)?;
        let mut delete = Vec::with_capacity(keys.len());
        let mut update = Vec::with_capacity(keys.len());
        let mut images = Vec::new();
        for key in keys {
            let change = key.and_then(|key| self.wanted.get(&key).copied());
            delete.push(matches!(change, Some(Change::Delete)));
            update.push(matches!(change, Some(Change::Row(_))));
            if let Some(Change::Row(row)) = change {
                images.push(row as u64);
                if let Some(found) = self.found.get_mut(row) {
                    *found = true;
                }
            }
        }
        Ok(Edit {
            delete: BooleanArray::from(delete),
            update: BooleanArray::from(update),
            images: take_record_batch(&self.rows, &UInt64Array::from(images))?,
        })
    }

    /// The rows whose key no file held.
    pub fn unmatched(&self) -> Result<RecordBatch, DeltaWriteError> {
        let unmatched: BooleanArray = self.found.iter().map(|found| Some(!found)).collect();
        Ok(arrow_select::filter::filter_record_batch(&self.rows, &unmatched)?)
    }
}
