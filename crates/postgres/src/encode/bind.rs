//! From an Arrow array to the encoder for a PostgreSQL type.

use super::byte_values::{ByteValues, StringRules};
use super::cells::{Cells, Values};
use super::json::{JsonColumn, Mismatch, micros, months, timestamps};
use super::list_offsets::ListOffsets;
use super::native_array::{Arrays, type_oid};
use super::numeric::Decimals;
use super::vector::{Element, Vectors};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow_schema::{DataType, TimeUnit};
use lakefront_model::{DeltaType, NulBytePolicy, PgType};

/// Looks at an array as cells of a PostgreSQL type.
///
/// # Errors
/// The Arrow type, or the part of it, that cannot be written as that type.
pub(super) fn bind<'a>(
    array: &'a dyn Array,
    source: &DeltaType,
    pg_type: &PgType,
    nul: NulBytePolicy,
) -> Result<Cells<'a>, Mismatch> {
    let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    Ok(Cells { nulls, values: bind_values(array, source, pg_type, nul)? })
}

fn bind_values<'a>(
    array: &'a dyn Array,
    source: &DeltaType,
    pg_type: &PgType,
    nul: NulBytePolicy,
) -> Result<Values<'a>, Mismatch> {
    let mismatch = || Box::new(array.data_type().clone());
    Ok(match (pg_type, array.data_type()) {
        (_, DataType::Null) => Values::Null,
        (PgType::Jsonb, _) => Values::Json(Box::new(JsonColumn::bind(array, source)?)),
        (_, DataType::Dictionary(..)) => {
            let dictionary = array.as_any_dictionary();
            if dictionary.values().is_empty() {
                return Ok(Values::Null);
            }
            let values = bind(dictionary.values(), source, pg_type, nul)?;
            Values::Dictionary { places: dictionary.normalized_keys(), values: Box::new(values) }
        }
        (PgType::Boolean, DataType::Boolean) => Values::Boolean(array.as_boolean().values()),
        (PgType::SmallInt, DataType::Int8) => Values::Int8(array.as_primitive::<Int8Type>().values()),
        (PgType::SmallInt, DataType::Int16) => Values::Int16(array.as_primitive::<Int16Type>().values()),
        (PgType::Integer, DataType::Int32) => Values::Int32(array.as_primitive::<Int32Type>().values()),
        (PgType::BigInt, DataType::Int64) => Values::Int64(array.as_primitive::<Int64Type>().values()),
        (PgType::Real, DataType::Float32) => Values::Float32(array.as_primitive::<Float32Type>().values()),
        (PgType::DoublePrecision, DataType::Float64) => {
            Values::Float64(array.as_primitive::<Float64Type>().values())
        }
        // Another scale would have to be rounded or padded, here or by the server.
        (PgType::Numeric { precision, scale }, DataType::Decimal128(_, found))
            if i8::try_from(*scale).is_ok_and(|scale| scale == *found) =>
        {
            let values = array.as_primitive::<Decimal128Type>().values();
            Values::Numeric(Decimals::new(values, *precision, *scale).ok_or_else(mismatch)?)
        }
        (PgType::Text | PgType::Varchar(_), _) => {
            let values = ByteValues::strings(array).ok_or_else(mismatch)?;
            let max_chars = if let PgType::Varchar(max) = pg_type { Some(*max) } else { None };
            let rules = StringRules { nul: values.may_hold_nul().then_some(nul), max_chars };
            if rules.are_idle() { Values::Bytes(values) } else { Values::Strings { values, rules } }
        }
        (PgType::Bytea, _) => Values::Bytes(ByteValues::binaries(array).ok_or_else(mismatch)?),
        (PgType::Date, DataType::Date32) => Values::Date(array.as_primitive::<Date32Type>().values()),
        (PgType::Timestamptz | PgType::Timestamp, DataType::Timestamp(unit, _)) => {
            let values = timestamps(array, *unit);
            match unit {
                TimeUnit::Microsecond => Values::Micros(values),
                unit => Values::Timestamp { values, unit: *unit },
            }
        }
        (PgType::Interval, _) if *source == DeltaType::IntervalYearMonth => {
            Values::IntervalMonths(months(array).ok_or_else(mismatch)?)
        }
        (PgType::Interval, _) => Values::IntervalMicros(micros(array).ok_or_else(mismatch)?),
        (PgType::Vector(dimensions), _) => {
            vectors(array, Element::Single, *dimensions).ok_or_else(mismatch)?
        }
        (PgType::Halfvec(dimensions), _) => {
            vectors(array, Element::Half, *dimensions).ok_or_else(mismatch)?
        }
        (PgType::Array(element), _) => {
            let (DeltaType::Array(source), Some(element_oid)) = (source, type_oid(element)) else {
                return Err(mismatch());
            };
            let (offsets, elements) = ListOffsets::of(array).ok_or_else(mismatch)?;
            let elements = bind(elements, source, element, nul)?;
            Values::Array(Box::new(Arrays { offsets, elements, element_oid }))
        }
        _ => return Err(mismatch()),
    })
}

fn vectors(array: &dyn Array, element: Element, dimensions: u32) -> Option<Values<'_>> {
    let (offsets, elements) = ListOffsets::of(array)?;
    Some(Values::Vector(Box::new(Vectors::new(offsets, elements, element, dimensions)?)))
}
