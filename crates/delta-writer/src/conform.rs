//! Makes a caller's rows fit a table: its columns in its order, its types, its promises of NOT NULL.

use std::path::Path;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{Field, SchemaRef};

use crate::data_file::as_type;
use crate::error::DeltaWriteError;
use crate::schema::same_type;
use crate::table::DeltaTable;

impl DeltaTable {
    /// The rows under the table's schema. Columns go by name; one that is missing is NULL.
    pub(crate) fn conform(&self, rows: &RecordBatch) -> Result<RecordBatch, DeltaWriteError> {
        conform(self.path(), &self.schema(), rows)
    }
}

fn conform(table: &Path, schema: &SchemaRef, rows: &RecordBatch) -> Result<RecordBatch, DeltaWriteError> {
    if rows.schema_ref() == schema {
        return Ok(rows.clone());
    }
    let mismatch = |column: &str, reason: String| DeltaWriteError::ColumnMismatch {
        path: table.to_path_buf(),
        column: column.to_owned(),
        reason,
    };
    for field in rows.schema_ref().fields() {
        if schema.fields().find(field.name()).is_none() {
            return Err(mismatch(field.name(), "the table has no such column".to_owned()));
        }
    }
    let column = |field: &Field| -> Result<ArrayRef, DeltaWriteError> {
        let Some(column) = rows.column_by_name(field.name()) else {
            return Ok(new_null_array(field.data_type(), rows.num_rows()));
        };
        if !same_type(column.data_type(), field.data_type()) {
            let (found, wanted) = (column.data_type(), field.data_type());
            return Err(mismatch(field.name(), format!("the rows hold {found}, the table {wanted}")));
        }
        as_type(column, field.data_type())
    };
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = column(field)?;
            if !field.is_nullable() && column.null_count() > 0 {
                return Err(mismatch(field.name(), "NULL in a column that is NOT NULL".to_owned()));
            }
            Ok(column)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{Int32Array, Int64Array, StringArray};
    use arrow_schema::{DataType, Schema};
    use std::sync::Arc;

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("note", DataType::Utf8, true),
        ]))
    }

    fn refused(columns: Vec<(&str, ArrayRef)>) -> String {
        let rows = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        );
        conform(Path::new("t"), &schema(), &rows.unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn columns_go_by_name_and_missing_ones_are_null() {
        let id: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let note: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let rows = RecordBatch::try_from_iter([("note", note), ("id", id.clone())]).unwrap();
        let fitted = conform(Path::new("t"), &schema(), &rows).unwrap();
        assert_eq!(fitted.schema(), schema());
        let rows = RecordBatch::try_from_iter([("id", id)]).unwrap();
        assert_eq!(conform(Path::new("t"), &schema(), &rows).unwrap().column(1).null_count(), 2);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let id: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let other: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        let null: ArrayRef = Arc::new(Int64Array::from(vec![None]));
        assert!(refused(vec![("id", id), ("extra", other.clone())]).contains("column extra"));
        assert!(refused(vec![("id", other)]).contains("the rows hold Int32, the table Int64"));
        assert!(refused(vec![("id", null)]).contains("NOT NULL"));
    }
}
