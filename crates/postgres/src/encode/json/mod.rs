//! JSON text straight from Arrow columns, without a tree between.
//!
//! Numbers are JSON numbers, decimals with all their digits, floats as the shortest text that reads back the same;
//! `"NaN"`, `"Infinity"` and `"-Infinity"` are strings. Dates are `"2024-01-31"`, timestamps
//! `"2024-01-31T23:59:59.123456Z"`, without zone the same without `Z`; years after 9999 or before 0000 have a sign
//! (`"+10000-01-01"`, `"-0001-12-31"`, 0000 being 1 BC). Binary is base64 with padding. Intervals, which the rules
//! for nested values leave open, are ISO 8601 durations, `"P1Y2M"` and `"P1DT2H3M4.5S"`, the sign at each number
//! as PostgreSQL writes them (`intervalstyle = iso_8601`), so that a cast to `interval` reads them.
//! A NULL field is there, as null; a void field is left out. Maps are objects, their keys the text of the value.

mod bind;
mod duration;
mod escape;
mod keys;
mod variant;
mod write;

use super::byte_values::ByteValues;
use super::list_offsets::ListOffsets;
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::TimeUnit;
pub(super) use bind::{Mismatch, micros, months, timestamps};
use keys::KeyTexts;
use lakefront_model::NulBytePolicy;

/// A column, or the values inside one, ready to be written as JSON.
pub(super) struct JsonColumn<'a> {
    nulls: Option<NullBuffer>,
    values: JsonValues<'a>,
}

enum JsonValues<'a> {
    Null,
    Boolean(&'a BooleanBuffer),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Decimal { values: &'a [i128], scale: u8 },
    String(ByteValues<'a>),
    Binary(ByteValues<'a>),
    Date(&'a [i32]),
    Timestamp { values: &'a [i64], unit: TimeUnit, utc: bool },
    Months(&'a [i32]),
    Micros(&'a [i64]),
    List { offsets: ListOffsets<'a>, elements: Box<JsonColumn<'a>> },
    Map { offsets: &'a [i32], keys: Box<JsonColumn<'a>>, values: Box<JsonColumn<'a>> },
    Struct(Vec<JsonField<'a>>),
    Variant { metadata: ByteValues<'a>, value: ByteValues<'a> },
    Dictionary { places: Vec<usize>, values: Box<JsonColumn<'a>> },
}

struct JsonField<'a> {
    /// `{"name":` for the first field, `,"name":` for the others
    opening: Vec<u8>,
    values: JsonColumn<'a>,
}

/// What the text is for, which decides what happens to values that jsonb cannot take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// a jsonb column: 0x00 bytes follow the policy, equal keys and malformed variants are refused
    Jsonb(NulBytePolicy),
    /// a record of the row as it was, kept as `text`: 0x00 is `\u0000`, equal keys stay, a malformed variant is
    /// an object of its two parts in base64. Nothing is refused.
    Record,
}

/// What is needed while a value is written, kept from one value to the next.
pub(super) struct JsonState {
    purpose: Purpose,
    keys: KeyTexts,
}

impl JsonState {
    pub(super) fn new(purpose: Purpose) -> Self {
        Self { purpose, keys: KeyTexts::default() }
    }
}
