//! The four tables as Arrow columns.

mod embeddings;
mod products;
mod users;

pub(crate) use embeddings::{EmbeddingRow, embedding_rows, embedding_schema};
pub(crate) use products::{ProductRow, product_rows, product_schema, read_products};
pub(crate) use users::{feature_rows, feature_schema, user_rows, user_schema};

use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::error::DemoError;

/// 1 November 2024, 06:00 UTC, in microseconds since 1970: when the catalogue was ingested.
pub(crate) const INGESTED_AT: i64 = 1_730_440_800_000_000;

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn number(name: &str) -> Field {
    Field::new(name, DataType::Float64, true)
}

fn timestamp(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true)
}

fn list(name: &str, element: DataType) -> Field {
    Field::new(name, DataType::List(element_field(element)), true)
}

fn element_field(element: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", element, true))
}

fn timestamps(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
}

fn text_lists<'a>(rows: impl Iterator<Item = &'a [&'static str]>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(element_field(DataType::Utf8));
    for row in rows {
        for item in row {
            lists.values().append_value(item);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

fn float_lists<T: AsRef<[f32]>>(rows: impl Iterator<Item = T>) -> ArrayRef {
    let element = element_field(DataType::Float32);
    let mut lists = ListBuilder::new(Float32Builder::new()).with_field(element);
    for row in rows {
        lists.values().append_slice(row.as_ref());
        lists.append(true);
    }
    Arc::new(lists.finish())
}

/// A batch that holds only keys, to delete rows by.
pub(crate) fn key_rows(column: &str, keys: &[i64]) -> Result<RecordBatch, DemoError> {
    let keys: ArrayRef = Arc::new(Int64Array::from(keys.to_vec()));
    Ok(RecordBatch::try_from_iter([(column, keys)])?)
}
