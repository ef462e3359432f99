//! Texts as views: where they lie in a page, instead of a copy of each.
//!
//! Who only compares texts spares copying them, which is most of what decoding a page of texts takes.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use std::sync::Arc;

/// How texts are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    /// as `Utf8`
    Plain,
    /// as `Utf8View`, those inside nested columns as `Utf8`
    Views,
}

/// A schema with its texts as views.
pub(crate) fn as_views(schema: &Schema) -> Schema {
    let with_view = |field: &FieldRef| match field.data_type() {
        DataType::Utf8 => Arc::new(Field::clone(field).with_data_type(DataType::Utf8View)),
        _ => Arc::clone(field),
    };
    let fields: Vec<FieldRef> = schema.fields().iter().map(with_view).collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

/// What has a file's texts read as views.
pub(crate) fn read_as_views(metadata: &ArrowReaderMetadata) -> parquet::errors::Result<ArrowReaderMetadata> {
    let schema = Arc::new(as_views(metadata.schema()));
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_schema(schema);
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
}

/// Rows with views copied into texts of their own.
///
/// # Errors
/// When a column's texts are too long for one array.
pub(crate) fn plain(rows: RecordBatch) -> Result<RecordBatch, ArrowError> {
    let is_view = |field: &FieldRef| *field.data_type() == DataType::Utf8View;
    if !rows.schema_ref().fields().iter().any(is_view) {
        return Ok(rows);
    }
    let schema = rows.schema();
    let (mut fields, mut columns) = (Vec::new(), Vec::<ArrayRef>::new());
    for (field, column) in schema.fields().iter().zip(rows.columns()) {
        if is_view(field) {
            fields.push(Arc::new(Field::clone(field).with_data_type(DataType::Utf8)));
            columns.push(arrow_cast::cast(column, &DataType::Utf8)?);
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())), columns)
}

/// Bytes that a column shows of buffers which it may share with others.
pub(crate) fn shown_bytes(column: &ArrayRef) -> usize {
    if let Some(views) = column.as_any().downcast_ref::<arrow_array::StringViewArray>() {
        return views.len() * size_of::<u128>() + views.total_buffer_bytes_used();
    }
    let data = column.to_data();
    data.get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
}
