//! How many rows a batch may have so that it stays within its bytes.

use super::footer::{Footer, unsigned};
use super::texts::shown_bytes;
use arrow_array::RecordBatch;
use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::ColumnChunkMetaData;
use std::ops::Range;

/// Bytes of an offset in Arrow's strings and lists.
const OFFSET: u64 = 4;

/// Rows of a batch of these row groups that need about `batch_bytes` in memory, at most `batch_rows` and at least one.
pub(crate) fn rows_within(
    footer: &Footer,
    row_groups: &Range<usize>,
    batch_rows: usize,
    batch_bytes: usize,
) -> usize {
    let groups = footer.metadata.metadata().row_groups();
    let widest = groups
        .iter()
        .take(row_groups.end)
        .skip(row_groups.start)
        .filter(|group| group.num_rows() > 0)
        .map(|group| {
            let columns = group.columns().iter().enumerate().filter(|(leaf, _)| footer.reads(*leaf));
            columns.map(|(_, column)| in_memory(column)).sum::<u64>() / unsigned(group.num_rows())
        })
        .max()
        .unwrap_or_default();
    let rows = usize::try_from(batch_bytes as u64 / widest.max(1)).unwrap_or(usize::MAX);
    rows.clamp(1, batch_rows.max(1))
}

/// What a column of a row group needs when decoded. Without the writer's size statistics the bytes of text are only
/// known as encoded, where a dictionary can hide repetitions.
fn in_memory(column: &ColumnChunkMetaData) -> u64 {
    let values = unsigned(column.num_values());
    let encoded = unsigned(column.uncompressed_size());
    match column.column_type() {
        PhysicalType::BOOLEAN => values / 8,
        PhysicalType::INT32 | PhysicalType::FLOAT => 4 * values,
        PhysicalType::INT64 | PhysicalType::DOUBLE | PhysicalType::INT96 => 8 * values,
        PhysicalType::BYTE_ARRAY => {
            column.unencoded_byte_array_data_bytes().map_or(encoded, unsigned) + OFFSET * values
        }
        PhysicalType::FIXED_LEN_BYTE_ARRAY => encoded.max(16 * values),
    }
}

/// Bytes of a batch, counting only the rows it shows of shared buffers.
pub(crate) fn size_of(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(shown_bytes).sum()
}
