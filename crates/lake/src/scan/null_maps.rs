//! NULLs of maps, put aside while the kernel rewrites what is in them.
//!
//! Where keys or values are to be cast or reordered, delta_kernel 0.30.1 takes the map for one that is never NULL, and Arrow
//! refuses that if it is. Maps within other types are left as they are.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, MapArray, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, Field, Schema};
use std::sync::Arc;

/// Which rows of a column are NULL, where it is a map that has such.
type Nulls = Option<NullBuffer>;

fn with_nulls(map: &MapArray, nulls: Nulls) -> Result<ArrayRef, ArrowError> {
    let (field, offsets, entries, _, ordered) = map.clone().into_parts();
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, ordered)?))
}

/// The same rows with empty maps in the place of NULL, and where NULL was in each column.
pub(super) fn put_aside(rows: RecordBatch) -> (RecordBatch, Vec<Nulls>) {
    let nulls = |column: &ArrayRef| column.as_map_opt().and_then(|map| map.nulls().cloned());
    let nulls: Vec<Nulls> = rows.columns().iter().map(nulls).collect();
    if nulls.iter().all(Option::is_none) {
        return (rows, nulls);
    }
    let columns = rows.columns().iter().map(|column| match column.as_map_opt() {
        Some(map) => with_nulls(map, None),
        None => Ok(Arc::clone(column)),
    });
    let columns = columns.collect::<Result<Vec<_>, _>>();
    match columns.and_then(|columns| RecordBatch::try_new(rows.schema(), columns)) {
        Ok(without) => (without, nulls),
        Err(_) => (rows, Vec::new()),
    }
}

/// Makes maps NULL again; each with the place of its column.
pub(super) fn put_back(
    rows: RecordBatch,
    nulls: impl Iterator<Item = (Nulls, usize)>,
) -> Result<RecordBatch, ArrowError> {
    let schema = rows.schema();
    let mut fields = schema.fields().to_vec();
    let mut columns = rows.columns().to_vec();
    for (nulls, place) in nulls.filter(|(nulls, _)| nulls.is_some()) {
        if let (Some(field), Some(column)) = (fields.get_mut(place), columns.get_mut(place))
            && let Some(map) = column.as_map_opt()
        {
            *field = Arc::new(Field::clone(field).with_nullable(true));
            *column = with_nulls(map, nulls)?;
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())), columns)
}
