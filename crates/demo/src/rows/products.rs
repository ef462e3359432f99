//! `productsdb`.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::{INGESTED_AT, number, text, timestamp, timestamps};
use crate::catalogue::reference::REFERENCE;
use crate::catalogue::{Product, display_name};
use crate::error::DemoError;

/// One row of `productsdb`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProductRow {
    pub product_id: i64,
    pub gender: String,
    pub master_category: String,
    pub sub_category: String,
    pub article_type: String,
    pub base_color: String,
    pub season: String,
    pub year: i32,
    pub usage: String,
    pub product_display_name: String,
    pub price: f64,
    pub image_path: String,
    /// Microseconds since 1970.
    pub ingested_at: i64,
}

impl ProductRow {
    /// The row of a product of the catalogue, ingested with it.
    pub fn of(product: &Product) -> Self {
        let article = product.article();
        Self {
            product_id: product.product_id,
            gender: product.gender().to_owned(),
            master_category: article.master_category.to_owned(),
            sub_category: article.sub_category.to_owned(),
            article_type: article.article_type.to_owned(),
            base_color: product.colour().name.to_owned(),
            season: REFERENCE.seasons[product.season].value.to_owned(),
            year: REFERENCE.years[product.year].value.parse().unwrap_or_default(),
            usage: REFERENCE.usages[product.usage].value.to_owned(),
            product_display_name: display_name(product),
            price: product.price,
            image_path: product.look().image_path(),
            // A thousand products a second came in.
            ingested_at: INGESTED_AT + product.product_id * 1_000,
        }
    }
}

pub(crate) fn product_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("product_id", DataType::Int64, false),
        text("gender"),
        text("master_category"),
        text("sub_category"),
        text("article_type"),
        text("base_color"),
        text("season"),
        Field::new("year", DataType::Int32, true),
        text("usage"),
        text("product_display_name"),
        number("price"),
        text("image_path"),
        timestamp("ingested_at"),
    ]))
}

pub(crate) fn product_rows(rows: &[ProductRow]) -> Result<RecordBatch, DemoError> {
    let texts = |value: fn(&ProductRow) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.product_id))),
        texts(|row| &row.gender),
        texts(|row| &row.master_category),
        texts(|row| &row.sub_category),
        texts(|row| &row.article_type),
        texts(|row| &row.base_color),
        texts(|row| &row.season),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.year))),
        texts(|row| &row.usage),
        texts(|row| &row.product_display_name),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.price))),
        texts(|row| &row.image_path),
        timestamps(rows.iter().map(|row| row.ingested_at)),
    ];
    Ok(RecordBatch::try_new(product_schema(), columns)?)
}

/// Some rows of a file of the table at `table`, by their places.
pub(crate) fn read_products(
    table: &Path,
    rows: &RecordBatch,
    places: &[usize],
) -> Result<Vec<ProductRow>, DemoError> {
    let column = |name: &str| -> Result<&ArrayRef, DemoError> {
        let column = rows.column_by_name(name);
        let wanted = product_schema();
        let wanted = wanted.field_with_name(name).map(|field| field.data_type().clone());
        column
            .filter(|column| wanted.is_ok_and(|wanted| wanted == *column.data_type()))
            .ok_or_else(|| DemoError::Shape { path: table.to_path_buf(), column: name.to_owned() })
    };
    let texts = |name: &str| column(name).map(|column| column.as_string::<i32>());
    let (gender, master_category) = (texts("gender")?, texts("master_category")?);
    let (sub_category, article_type) = (texts("sub_category")?, texts("article_type")?);
    let (base_color, season) = (texts("base_color")?, texts("season")?);
    let (usage, name) = (texts("usage")?, texts("product_display_name")?);
    let image_path = texts("image_path")?;
    let product_id = column("product_id")?.as_primitive::<Int64Type>();
    let year = column("year")?.as_primitive::<Int32Type>();
    let price = column("price")?.as_primitive::<Float64Type>();
    let ingested_at = column("ingested_at")?.as_primitive::<TimestampMicrosecondType>();
    let places = places.iter().copied().filter(|place| *place < product_id.len());
    Ok(places
        .map(|place| {
            let text = |column: &StringArray| column.value(place).to_owned();
            ProductRow {
                product_id: product_id.value(place),
                gender: text(gender),
                master_category: text(master_category),
                sub_category: text(sub_category),
                article_type: text(article_type),
                base_color: text(base_color),
                season: text(season),
                year: year.value(place),
                usage: text(usage),
                product_display_name: text(name),
                price: price.value(place),
                image_path: text(image_path),
                ingested_at: ingested_at.value(place),
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::catalogue;

    #[test]
    fn rows_go_into_columns_and_come_back() {
        let products = catalogue::generate(3);
        let rows: Vec<ProductRow> = products.iter().take(50).map(ProductRow::of).collect();
        let batch = product_rows(&rows).unwrap();
        let back = read_products(Path::new("t"), &batch, &[49, 0, 7, 99]).unwrap();
        assert_eq!(back, [rows[49].clone(), rows[0].clone(), rows[7].clone()]);
        let wrong = read_products(Path::new("t"), &batch.project(&[0, 1]).unwrap(), &[0]);
        assert!(wrong.unwrap_err().to_string().contains("master_category"));
    }
}
