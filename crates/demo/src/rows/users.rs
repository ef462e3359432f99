//! `usersdb` and `user_style_featuresdb`.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::{INGESTED_AT, float_lists, list, number, text, text_lists, timestamp, timestamps};
use crate::embedding::of_taste;
use crate::error::DemoError;
use crate::people::User;

pub(crate) fn user_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("user_id", DataType::Int64, false),
        number("avg_price_point"),
        timestamp("created_date"),
        list("preferred_categories", DataType::Utf8),
        text("segment"),
    ]))
}

pub(crate) fn user_rows(users: &[User]) -> Result<RecordBatch, DemoError> {
    let columns: Vec<ArrayRef> = vec![
        ids(users),
        numbers(users, User::average_price),
        timestamps(users.iter().map(|user| user.created_at)),
        text_lists(users.iter().map(|user| user.preferred_categories.as_slice())),
        segments(users),
    ];
    Ok(RecordBatch::try_new(user_schema(), columns)?)
}

pub(crate) fn feature_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("user_id", DataType::Int64, false),
        text("segment"),
        list("category_prefs", DataType::Utf8),
        list("brand_prefs", DataType::Utf8),
        list("color_prefs", DataType::Utf8),
        number("min_price"),
        number("max_price"),
        number("avg_price"),
        number("p25_price"),
        number("p75_price"),
        list("user_embedding", DataType::Float32),
        Field::new("num_interactions", DataType::Int32, true),
        timestamp("created_at"),
    ]))
}

pub(crate) fn feature_rows(users: &[User]) -> Result<RecordBatch, DemoError> {
    let interactions = users.iter().map(|user| i32::try_from(user.interactions()).unwrap_or(i32::MAX));
    let taste = |user: &User| of_taste(user.liked.iter().map(|(product, times)| (product, *times as f32)));
    let columns: Vec<ArrayRef> = vec![
        ids(users),
        segments(users),
        text_lists(users.iter().map(|user| user.category_prefs.as_slice())),
        text_lists(users.iter().map(|user| user.brand_prefs.as_slice())),
        text_lists(users.iter().map(|user| user.color_prefs.as_slice())),
        numbers(users, |user| user.price_at(0.0)),
        numbers(users, |user| user.price_at(1.0)),
        numbers(users, User::average_price),
        numbers(users, |user| user.price_at(0.25)),
        numbers(users, |user| user.price_at(0.75)),
        float_lists(users.iter().map(taste)),
        Arc::new(Int32Array::from_iter_values(interactions)),
        timestamps(users.iter().map(|_| INGESTED_AT)),
    ];
    Ok(RecordBatch::try_new(feature_schema(), columns)?)
}

fn ids(users: &[User]) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(users.iter().map(|user| user.user_id)))
}

fn segments(users: &[User]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(users.iter().map(|user| user.segment)))
}

fn numbers(users: &[User], value: impl Fn(&User) -> f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(users.iter().map(value)))
}
