//! Values of key columns, as something that can be compared and looked up.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

use crate::error::DeltaWriteError;

/// The value of one key column in one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum KeyPart {
    Flag(bool),
    Integer(i64),
    Text(String),
}

/// The key of one row; `None` when a part of it is NULL: such a row is like no other.
pub(crate) type Key = Option<Vec<KeyPart>>;

/// The key of each row.
pub(crate) fn keys_of(
    table: &Path,
    rows: &RecordBatch,
    columns: &[String],
) -> Result<Vec<Key>, DeltaWriteError> {
    let mut keys: Vec<Key> = vec![Some(Vec::with_capacity(columns.len())); rows.num_rows()];
    for name in columns {
        let column = rows.column_by_name(name).ok_or_else(|| DeltaWriteError::Key {
            path: table.to_path_buf(),
            reason: format!("there is no column {name}"),
        })?;
        let parts = parts(column.as_ref()).ok_or_else(|| DeltaWriteError::Key {
            path: table.to_path_buf(),
            reason: format!("column {name} of type {} cannot be a key", column.data_type()),
        })?;
        for (key, part) in keys.iter_mut().zip(parts) {
            match (key.as_mut(), part) {
                (Some(key), Some(part)) => key.push(part),
                _ => *key = None,
            }
        }
    }
    Ok(keys)
}

fn parts(column: &dyn Array) -> Option<Vec<Option<KeyPart>>> {
    macro_rules! integers {
        ($type:ty) => {{
            let values = column.as_primitive::<$type>().iter();
            values.map(|value| value.map(|value| KeyPart::Integer(value.into()))).collect()
        }};
    }
    Some(match column.data_type() {
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::Date32 => integers!(Date32Type),
        DataType::Timestamp(_, _) => integers!(TimestampMicrosecondType),
        DataType::Boolean => column.as_boolean().iter().map(|value| value.map(KeyPart::Flag)).collect(),
        DataType::Utf8 => {
            let values = column.as_string::<i32>().iter();
            values.map(|value| value.map(|value| KeyPart::Text(value.to_owned()))).collect()
        }
        _ => return None,
    })
}
