//! What one commit does.

use std::collections::BTreeMap;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::{ArrowError, FieldRef};

use crate::keyed_changes::KeyedChanges;
use crate::table::StagedFile;

/// Says which rows of a batch are meant; NULL counts as no.
pub type RowFilter<'a> = Box<dyn Fn(&RecordBatch) -> Result<BooleanArray, ArrowError> + 'a>;

/// Gives the new image of rows: as many rows, in the same order and of the same columns.
pub type RowUpdate<'a> = Box<dyn Fn(&RecordBatch) -> Result<RecordBatch, ArrowError> + 'a>;

/// The content of one commit.
#[non_exhaustive]
pub enum Operation<'a> {
    /// Adds rows.
    Append(Vec<RecordBatch>),
    /// Adds files that [`DeltaTable::stage`](crate::DeltaTable::stage) has written, in this order.
    AppendStaged(Vec<StagedFile>),
    /// Replaces all rows.
    Overwrite(Vec<RecordBatch>),
    /// Deletes the rows that the filter selects.
    Delete(RowFilter<'a>),
    /// Changes the rows that the filter selects.
    Update(RowFilter<'a>, RowUpdate<'a>),
    /// Inserts, updates and deletes rows by key.
    Merge(KeyedChanges),
    /// Joins files of fewer rows than half the layout's, changing no row.
    Optimize,
    /// Sets table properties; the protocol follows.
    SetProperties(BTreeMap<String, String>),
    /// Adds nullable columns at the end; old rows hold NULL in them.
    AddColumns(Vec<FieldRef>),
}

impl<'a> Operation<'a> {
    /// Deletes the rows that the filter selects.
    pub fn delete(filter: impl Fn(&RecordBatch) -> Result<BooleanArray, ArrowError> + 'a) -> Self {
        Self::Delete(Box::new(filter))
    }

    /// Gives the rows that the filter selects the images that `update` makes of them.
    pub fn update(
        filter: impl Fn(&RecordBatch) -> Result<BooleanArray, ArrowError> + 'a,
        update: impl Fn(&RecordBatch) -> Result<RecordBatch, ArrowError> + 'a,
    ) -> Self {
        Self::Update(Box::new(filter), Box::new(update))
    }
}
