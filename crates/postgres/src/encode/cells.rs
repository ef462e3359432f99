//! A column of a batch as fields of binary COPY.

use super::buffer::CopyBuffer;
use super::byte_values::{ByteValues, StringRules};
use super::copy_format::NULL_FIELD;
use super::datetime::{days_and_micros, pg_date, pg_timestamp, pg_timestamp_of};
use super::json::{JsonColumn, JsonState};
use super::native_array::Arrays;
use super::numeric::Decimals;
use super::reject::Written;
use super::vector::Vectors;
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::TimeUnit;

/// The cells of one column, bound to one batch.
pub(super) struct Cells<'a> {
    /// None when there is no NULL
    pub(super) nulls: Option<NullBuffer>,
    pub(super) values: Values<'a>,
}

/// The encoder of a column: chosen once per batch, so that a row costs one jump per column. (Trait objects cost a
/// fifth more.)
pub(super) enum Values<'a> {
    Null,
    Boolean(&'a BooleanBuffer),
    /// Delta's byte, PostgreSQL's smallint
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Numeric(Decimals<'a>),
    Bytes(ByteValues<'a>),
    Strings {
        values: ByteValues<'a>,
        rules: StringRules,
    },
    Date(&'a [i32]),
    Micros(&'a [i64]),
    Timestamp {
        values: &'a [i64],
        unit: TimeUnit,
    },
    IntervalMonths(&'a [i32]),
    IntervalMicros(&'a [i64]),
    Json(Box<JsonColumn<'a>>),
    Vector(Box<Vectors<'a>>),
    Array(Box<Arrays<'a>>),
    Dictionary {
        places: Vec<usize>,
        values: Box<Cells<'a>>,
    },
}

impl Cells<'_> {
    #[inline(always)]
    pub(super) fn is_null(&self, row: usize) -> bool {
        match &self.nulls {
            None => false,
            Some(nulls) => nulls.is_null(row),
        }
    }

    /// Writes one field, NULL or not.
    pub(super) fn write(&self, row: usize, out: &mut CopyBuffer, json: &mut JsonState) -> Written {
        if self.is_null(row) {
            out.put(NULL_FIELD);
            return Ok(());
        }
        self.values.write(row, out, json)
    }
}

impl Values<'_> {
    /// Writes one field that is not NULL.
    #[inline(always)]
    pub(super) fn write(&self, row: usize, out: &mut CopyBuffer, json: &mut JsonState) -> Written {
        match self {
            Self::Boolean(values) => out.put([0, 0, 0, 1, u8::from(values.value(row))]),
            Self::Int16(values) => put_2(out, values[row].to_be_bytes()),
            Self::Int32(values) => put_4(out, values[row].to_be_bytes()),
            Self::Int64(values) => put_8(out, values[row].to_be_bytes()),
            Self::Float32(values) => put_4(out, values[row].to_be_bytes()),
            Self::Float64(values) => put_8(out, values[row].to_be_bytes()),
            Self::Bytes(values) => values.write(row, out),
            Self::Numeric(values) => return values.write(row, out),
            Self::Date(values) => put_4(out, pg_date(values[row])?.to_be_bytes()),
            Self::Micros(values) => put_8(out, pg_timestamp(values[row])?.to_be_bytes()),
            _ => return self.write_rest(row, out, json),
        }
        Ok(())
    }

    /// The encoders that are too large to be copied into the loop over the rows.
    #[inline(never)]
    fn write_rest(&self, row: usize, out: &mut CopyBuffer, json: &mut JsonState) -> Written {
        match self {
            Self::Int8(values) => put_2(out, i16::from(values[row]).to_be_bytes()),
            Self::Strings { values, rules } => return rules.write(values.get(row), out),
            Self::Timestamp { values, unit } => {
                put_8(out, pg_timestamp_of(values[row], *unit)?.to_be_bytes())
            }
            Self::IntervalMonths(values) => put_interval(out, 0, 0, values[row]),
            Self::IntervalMicros(values) => {
                let (days, micros) = days_and_micros(values[row]);
                put_interval(out, micros, days, 0);
            }
            Self::Json(values) => return write_jsonb(values, row, out, json),
            Self::Vector(values) => return values.write(row, out),
            Self::Array(values) => return values.write(row, out, json),
            Self::Dictionary { places, values } => return values.write(places[row], out, json),
            // Those that `write` knows, and the type whose every value is NULL.
            _ => out.put(NULL_FIELD),
        }
        Ok(())
    }
}

#[inline(always)]
fn put_2(out: &mut CopyBuffer, [a, b]: [u8; 2]) {
    out.put([0, 0, 0, 2, a, b]);
}

#[inline(always)]
fn put_4(out: &mut CopyBuffer, [a, b, c, d]: [u8; 4]) {
    out.put([0, 0, 0, 4, a, b, c, d]);
}

#[inline(always)]
fn put_8(out: &mut CopyBuffer, [a, b, c, d, e, f, g, h]: [u8; 8]) {
    out.put([0, 0, 0, 8, a, b, c, d, e, f, g, h]);
}

/// Days are kept apart from the time, so that an interval reads as Spark prints it and no 24 hours of the source
/// have to be turned into a day by whoever reads it.
fn put_interval(out: &mut CopyBuffer, micros: i64, days: i32, months: i32) {
    out.put([0, 0, 0, 16]);
    out.put(micros.to_be_bytes());
    out.put(days.to_be_bytes());
    out.put(months.to_be_bytes());
}

/// `jsonb_recv` wants a version byte, 1, and the text.
fn write_jsonb(values: &JsonColumn<'_>, row: usize, out: &mut CopyBuffer, json: &mut JsonState) -> Written {
    const VERSION: u8 = 1;
    let start = out.open_field();
    out.put([VERSION]);
    values.write(row, out, json)?;
    out.close_field(start);
    Ok(())
}
