//! From an Arrow array and the type at the source to what is written.

use super::super::byte_values::ByteValues;
use super::super::list_offsets::ListOffsets;
use super::escape::put_escaped;
use super::{JsonColumn, JsonField, JsonValues, Purpose};
use crate::encode::buffer::CopyBuffer;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalYearMonthType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use lakefront_model::{DeltaType, StructField};

/// The part of an array's type that cannot be what the source says it is.
pub(in crate::encode) type Mismatch = Box<DataType>;

impl<'a> JsonColumn<'a> {
    /// Looks at an array as the values of a Delta type.
    ///
    /// # Errors
    /// The Arrow type that does not go with the Delta type, possibly one far inside.
    pub(in crate::encode) fn bind(array: &'a dyn Array, source: &DeltaType) -> Result<Self, Mismatch> {
        let values = JsonValues::bind(array, source)?;
        Ok(Self { nulls: array.logical_nulls().filter(|nulls| nulls.null_count() > 0), values })
    }
}

impl<'a> JsonValues<'a> {
    fn bind(array: &'a dyn Array, source: &DeltaType) -> Result<Self, Mismatch> {
        let mismatch = || Box::new(array.data_type().clone());
        Ok(match (source, array.data_type()) {
            (_, DataType::Null) | (DeltaType::Void, _) => Self::Null,
            (_, DataType::Dictionary(..)) => {
                let dictionary = array.as_any_dictionary();
                if dictionary.values().is_empty() {
                    return Ok(Self::Null);
                }
                let values = JsonColumn::bind(dictionary.values(), source)?;
                Self::Dictionary { places: dictionary.normalized_keys(), values: Box::new(values) }
            }
            (DeltaType::Boolean, DataType::Boolean) => Self::Boolean(array.as_boolean().values()),
            (DeltaType::Byte, DataType::Int8) => Self::Int8(array.as_primitive::<Int8Type>().values()),
            (DeltaType::Short, DataType::Int16) => Self::Int16(array.as_primitive::<Int16Type>().values()),
            (DeltaType::Integer, DataType::Int32) => Self::Int32(array.as_primitive::<Int32Type>().values()),
            (DeltaType::Long, DataType::Int64) => Self::Int64(array.as_primitive::<Int64Type>().values()),
            (DeltaType::Float, DataType::Float32) => {
                Self::Float32(array.as_primitive::<Float32Type>().values())
            }
            (DeltaType::Double, DataType::Float64) => {
                Self::Float64(array.as_primitive::<Float64Type>().values())
            }
            (DeltaType::Decimal { .. }, DataType::Decimal128(_, scale)) => Self::Decimal {
                values: array.as_primitive::<Decimal128Type>().values(),
                scale: u8::try_from(*scale).map_err(|_| mismatch())?,
            },
            (DeltaType::String, _) => Self::String(ByteValues::strings(array).ok_or_else(mismatch)?),
            (DeltaType::Binary, _) => Self::Binary(ByteValues::binaries(array).ok_or_else(mismatch)?),
            (DeltaType::Date, DataType::Date32) => Self::Date(array.as_primitive::<Date32Type>().values()),
            (DeltaType::Timestamp | DeltaType::TimestampNtz, DataType::Timestamp(unit, _)) => {
                Self::Timestamp {
                    values: timestamps(array, *unit),
                    unit: *unit,
                    utc: *source == DeltaType::Timestamp,
                }
            }
            (DeltaType::IntervalYearMonth, _) => Self::Months(months(array).ok_or_else(mismatch)?),
            (DeltaType::IntervalDayTime, _) => Self::Micros(micros(array).ok_or_else(mismatch)?),
            (DeltaType::Array(element), _) => {
                let (offsets, elements) = ListOffsets::of(array).ok_or_else(mismatch)?;
                Self::List { offsets, elements: Box::new(JsonColumn::bind(elements, element)?) }
            }
            (DeltaType::Map(key, value), DataType::Map(..)) => {
                let map = array.as_map();
                Self::Map {
                    offsets: map.value_offsets(),
                    keys: Box::new(JsonColumn::bind(map.keys(), key)?),
                    values: Box::new(JsonColumn::bind(map.values(), value)?),
                }
            }
            (DeltaType::Struct(fields), DataType::Struct(_)) => Self::Struct(bind_fields(array, fields)?),
            (DeltaType::Variant, DataType::Struct(found)) if found.len() == 2 => {
                let part = |name: &str| part(array, name).and_then(|part| ByteValues::binaries(part));
                Self::Variant {
                    metadata: part("metadata").ok_or_else(mismatch)?,
                    value: part("value").ok_or_else(mismatch)?,
                }
            }
            _ => return Err(mismatch()),
        })
    }
}

fn bind_fields<'a>(array: &'a dyn Array, fields: &[StructField]) -> Result<Vec<JsonField<'a>>, Mismatch> {
    let mut bound = Vec::with_capacity(fields.len());
    for field in fields.iter().filter(|field| field.data_type != DeltaType::Void) {
        let found = part(array, &field.name).ok_or_else(|| Box::new(array.data_type().clone()))?;
        let mut opening = CopyBuffer::default();
        opening.put_slice(if bound.is_empty() { b"{\"" } else { b",\"" });
        // Delta's own schema text is JSON too, and no reader accepts a name with 0x00 in it.
        let _ = put_escaped(&mut opening, field.name.as_bytes(), Purpose::Record);
        opening.put_slice(b"\":");
        bound.push(JsonField { opening: opening.take(), values: JsonColumn::bind(found, &field.data_type)? });
    }
    Ok(bound)
}

fn part<'a>(array: &'a dyn Array, name: &str) -> Option<&'a ArrayRef> {
    array.as_struct().column_by_name(name)
}

/// The counts of a timestamp array of any unit.
pub(in crate::encode) fn timestamps(array: &dyn Array, unit: TimeUnit) -> &[i64] {
    use arrow_array::types::{
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    };
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
    }
}

/// A year-month interval's months: the kernel reads them as plain integers.
pub(in crate::encode) fn months(array: &dyn Array) -> Option<&[i32]> {
    Some(match array.data_type() {
        DataType::Int32 => array.as_primitive::<Int32Type>().values(),
        DataType::Interval(IntervalUnit::YearMonth) => array.as_primitive::<IntervalYearMonthType>().values(),
        _ => return None,
    })
}

/// A day-time interval's microseconds: the kernel reads them as plain longs.
pub(in crate::encode) fn micros(array: &dyn Array) -> Option<&[i64]> {
    Some(match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().values(),
        DataType::Duration(TimeUnit::Microsecond) => array.as_primitive::<DurationMicrosecondType>().values(),
        _ => return None,
    })
}
