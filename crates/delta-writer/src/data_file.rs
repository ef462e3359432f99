//! Parquet files of a table: written once, never changed.

use std::fs::{self, File};
use std::path::Path;
use std::time::UNIX_EPOCH;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, RecordBatchReader, new_null_array};
use arrow_cast::cast;
use arrow_schema::{DataType, Fields, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::error::{DeltaWriteError, io_at, parquet_at};

/// Size and time of a written file.
pub(crate) struct Written {
    /// Bytes.
    pub size: i64,
    /// Milliseconds since 1970.
    pub modified: i64,
}

/// Writes rows as one Parquet file, durable on return.
pub(crate) fn write(
    path: &Path,
    rows: &RecordBatch,
    rows_per_group: usize,
) -> Result<Written, DeltaWriteError> {
    let file = File::create(path).map_err(io_at(path))?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(rows_per_group.max(1)));
    for column in float_leaves(rows.schema_ref().fields()) {
        // Measured floats hardly repeat: a dictionary would be built and thrown away.
        properties = properties.set_column_dictionary_enabled(column, false);
    }
    let options =
        ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    let mut writer =
        ArrowWriter::try_new_with_options(file, rows.schema(), options).map_err(parquet_at(path))?;
    writer.write(rows).map_err(parquet_at(path))?;
    let file = writer.into_inner().map_err(parquet_at(path))?;
    file.sync_all().map_err(io_at(path))?;
    let metadata = file.metadata().map_err(io_at(path))?;
    let modified = metadata.modified().map_err(io_at(path))?;
    let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Written {
        size: i64::try_from(metadata.len()).unwrap_or(i64::MAX),
        modified: i64::try_from(modified.as_millis()).unwrap_or(i64::MAX),
    })
}

/// Reads the rows of a file as the table's schema says: by name, columns that the file lacks as NULL.
/// `only` narrows to some top-level columns.
pub(crate) fn read(
    path: &Path,
    schema: &SchemaRef,
    only: Option<&[String]>,
) -> Result<RecordBatch, DeltaWriteError> {
    let file = File::open(path).map_err(io_at(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet_at(path))?;
    let wanted: Fields = schema
        .fields()
        .iter()
        .filter(|field| only.is_none_or(|names| names.contains(field.name())))
        .cloned()
        .collect();
    let roots: Vec<usize> = builder
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| wanted.find(field.name()).is_some())
        .map(|(index, _)| index)
        .collect();
    let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(rows.clamp(1, READ_BATCH_ROWS))
        .build()
        .map_err(parquet_at(path))?;
    let file_schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    let read = concat_batches(&file_schema, &batches)?;
    conform(&read, &wanted, rows)
}

/// Rows decoded at once; a file's batches are joined afterwards.
const READ_BATCH_ROWS: usize = 64 * 1024;

fn conform(read: &RecordBatch, wanted: &Fields, rows: usize) -> Result<RecordBatch, DeltaWriteError> {
    let columns = wanted
        .iter()
        .map(|field| match read.column_by_name(field.name()) {
            Some(column) => as_type(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), rows)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let schema = Schema::new(wanted.clone());
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema.into(), columns, &options)?)
}

/// The same values under the table's own type: list elements may be named otherwise, an older file may hold a narrower type.
pub(crate) fn as_type(column: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, DeltaWriteError> {
    if column.data_type() == data_type {
        return Ok(column.clone());
    }
    Ok(cast(column, data_type)?)
}

/// Removes files of a commit that did not come about.
pub(crate) fn discard<'a>(table: &Path, paths: impl IntoIterator<Item = &'a str>) {
    for path in paths {
        // What cannot be removed is an orphan that no log names, which a vacuum takes later.
        let _ = fs::remove_file(table.join(path));
    }
}

fn float_leaves(fields: &Fields) -> Vec<ColumnPath> {
    fn walk(data_type: &DataType, path: Vec<String>, found: &mut Vec<ColumnPath>) {
        let child = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned());
            path.iter().cloned().chain(names).collect::<Vec<_>>()
        };
        match data_type {
            DataType::Float32 | DataType::Float64 => found.push(ColumnPath::new(path)),
            DataType::List(element) => {
                walk(element.data_type(), child(&["list", element.name()]), found);
            }
            DataType::Struct(fields) => {
                for field in fields {
                    walk(field.data_type(), child(&[field.name()]), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for field in fields {
        walk(field.data_type(), vec![field.name().clone()], &mut found);
    }
    found
}
