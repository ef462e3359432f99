//! A data file's footer.

use super::columns::{ColumnPlan, FileColumns};
use super::split::RowGroupSize;
use super::texts::{Texts, read_as_views};
use crate::LakeError;
use crate::kernel_error::{Reading, from_parquet};
use arrow_schema::{DataType, Field, FieldRef, Schema, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, ParquetStatisticsPolicy};
use std::sync::Arc;

/// What is known of a file before its rows are read.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) metadata: ArrowReaderMetadata,
    /// what becomes of its columns
    pub(crate) columns: Arc<ColumnPlan>,
    /// the end of the file as it was fetched with the footer, and where it starts
    pub(crate) tail: Option<(u64, Bytes)>,
}

impl Footer {
    pub(crate) fn new(
        reading: &Reading,
        metadata: ParquetMetaData,
        columns: &FileColumns,
        tail: Option<(u64, Bytes)>,
    ) -> Result<Self, LakeError> {
        let metadata = arrow_metadata(metadata).map_err(|e| from_parquet(reading, e))?;
        let plan = columns.plan(reading, &metadata)?;
        let metadata = match columns.texts() {
            Texts::Plain => metadata,
            Texts::Views => read_as_views(&metadata).map_err(|e| from_parquet(reading, e))?,
        };
        Ok(Self { metadata, columns: plan, tail })
    }

    pub(crate) fn row_groups(&self) -> impl Iterator<Item = RowGroupSize> {
        self.metadata.metadata().row_groups().iter().map(|group| RowGroupSize {
            rows: unsigned(group.num_rows()),
            bytes: unsigned(group.compressed_size()),
        })
    }

    /// Whether a leaf column of the file is read.
    pub(crate) fn reads(&self, leaf: usize) -> bool {
        self.columns.projection.as_ref().is_none_or(|mask| mask.leaf_included(leaf))
    }
}

/// Parquet counts with signed numbers that are never negative in a sound file.
pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// A reader of footers that keeps no statistics but sizes, as nothing asks for them.
pub(crate) fn footer_reader() -> ParquetMetaDataReader {
    let options = parquet::file::metadata::ParquetMetaDataOptions::new()
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
    ParquetMetaDataReader::new().with_metadata_options(Some(options))
}

/// Derives the Arrow schema from the file's own types: a schema that an Arrow writer embedded is not heeded, as the
/// table's schema decides. INT96 timestamps are read as microseconds, because nanoseconds reach from 1677 to 2262 only
/// and wrap around silently outside.
fn arrow_metadata(metadata: ParquetMetaData) -> parquet::errors::Result<ArrowReaderMetadata> {
    let metadata = Arc::new(metadata);
    let options = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let derived = ArrowReaderMetadata::try_new(Arc::clone(&metadata), options())?;
    let columns = metadata.file_metadata().schema_descr().columns();
    let mut leaves = columns.iter().map(|column| column.physical_type());
    if leaves.clone().all(|leaf| leaf != PhysicalType::INT96) {
        return Ok(derived);
    }
    let fields: Vec<FieldRef> =
        derived.schema().fields().iter().map(|field| in_microseconds(field, &mut leaves)).collect();
    let schema = Schema::new_with_metadata(fields, derived.schema().metadata().clone());
    ArrowReaderMetadata::try_new(metadata, options().with_schema(Arc::new(schema)))
}

/// Gives the INT96 leaves of a field another unit; `leaves` are the file's leaves from this field's on.
fn in_microseconds(field: &FieldRef, leaves: &mut impl Iterator<Item = PhysicalType>) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| in_microseconds(field, leaves)).collect())
        }
        DataType::List(element) => DataType::List(in_microseconds(element, leaves)),
        DataType::Map(entries, sorted) => DataType::Map(in_microseconds(entries, leaves), *sorted),
        leaf => match leaves.next() {
            Some(PhysicalType::INT96) => DataType::Timestamp(TimeUnit::Microsecond, None),
            _ => leaf.clone(),
        },
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}
