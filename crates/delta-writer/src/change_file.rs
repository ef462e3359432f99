//! Change data files: the rows that a commit inserts, deletes and updates, each with the kind of
//! its change (Delta protocol, "Change Data Files").

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;

use crate::error::DeltaWriteError;

/// The folder of change data files inside a table.
pub(crate) const CHANGE_FOLDER: &str = "_change_data";
/// The column that says what kind of change a row is.
const CHANGE_TYPE: &str = "_change_type";

/// The kinds of a row's change, in the words of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeType {
    Insert,
    UpdatePreimage,
    UpdatePostimage,
    Delete,
}

impl ChangeType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::UpdatePreimage => "update_preimage",
            Self::UpdatePostimage => "update_postimage",
            Self::Delete => "delete",
        }
    }
}

/// Row changes gathered over the files of one commit.
#[derive(Default)]
pub(crate) struct RowChanges {
    changes: Vec<(ChangeType, RecordBatch)>,
}

impl RowChanges {
    pub fn push(&mut self, kind: ChangeType, rows: RecordBatch) {
        if rows.num_rows() > 0 {
            self.changes.push((kind, rows));
        }
    }

    /// The content of the change data file; `None` without changes.
    pub fn into_rows(self, schema: &SchemaRef) -> Result<Option<RecordBatch>, DeltaWriteError> {
        if self.changes.is_empty() {
            return Ok(None);
        }
        let mut fields = schema.fields().to_vec();
        fields.push(Arc::new(Field::new(CHANGE_TYPE, DataType::Utf8, true)));
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let batches = self
            .changes
            .into_iter()
            .map(|(kind, rows)| {
                let kinds =
                    StringArray::from_iter_values(std::iter::repeat_n(kind.as_str(), rows.num_rows()));
                let mut columns = rows.columns().to_vec();
                columns.push(Arc::new(kinds) as ArrayRef);
                RecordBatch::try_new(schema.clone(), columns)
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Some(concat_batches(&schema, &batches)?))
    }
}
