//! `product_image_embeddingsdb`.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::{float_lists, list, text, timestamp, timestamps};
use crate::catalogue::Product;
use crate::embedding::{DIMENSIONS, MODEL, of_product};
use crate::error::DemoError;

/// A product whose picture was embedded, and when (microseconds since 1970).
#[derive(Debug, Clone, Copy)]
pub(crate) struct EmbeddingRow {
    pub product: Product,
    pub created_at: i64,
}

pub(crate) fn embedding_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("product_id", DataType::Int64, false),
        list("image_embedding", DataType::Float32),
        text("embedding_model"),
        Field::new("embedding_dimension", DataType::Int32, true),
        timestamp("created_at"),
    ]))
}

/// The rows, their embeddings computed from the products' looks.
pub(crate) fn embedding_rows(rows: &[EmbeddingRow], seed: u64) -> Result<RecordBatch, DemoError> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.product.product_id))),
        float_lists(rows.iter().map(|row| of_product(&row.product, seed))),
        Arc::new(StringArray::from(vec![MODEL; rows.len()])),
        Arc::new(Int32Array::from(vec![DIMENSIONS as i32; rows.len()])),
        timestamps(rows.iter().map(|row| row.created_at)),
    ];
    Ok(RecordBatch::try_new(embedding_schema(), columns)?)
}
