//! Nested values of any Delta type: as Arrow arrays, and as JSON written by hand.

use crate::numbers::{decimal_text, decimals};
use crate::strings::{layout, text};
use arrow_array::*;
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};
use base64::Engine;
use lakefront_model::{DeltaType, StructField};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value of some Delta type; which fields count, the type says.
#[derive(Debug, Clone)]
pub enum Tree {
    Null,
    Bool(bool),
    /// integers, dates, timestamps, intervals
    Int(i64),
    Float(f64),
    Decimal(i128),
    Text(String),
    Bytes(Vec<u8>),
    /// elements of an array, fields of a struct
    Items(Vec<Tree>),
    Entries(Vec<(Tree, Tree)>),
}

const DECIMAL: DeltaType = DeltaType::Decimal { precision: 38, scale: 9 };

/// Types nested up to `depth` levels.
pub fn types(depth: u32) -> BoxedStrategy<DeltaType> {
    let scalar = prop::sample::select(vec![
        DeltaType::Boolean,
        DeltaType::Byte,
        DeltaType::Short,
        DeltaType::Integer,
        DeltaType::Long,
        DeltaType::Float,
        DeltaType::Double,
        DECIMAL,
        DeltaType::String,
        DeltaType::Binary,
        DeltaType::Date,
        DeltaType::Timestamp,
        DeltaType::TimestampNtz,
        DeltaType::IntervalYearMonth,
        DeltaType::IntervalDayTime,
        DeltaType::Void,
    ]);
    scalar
        .prop_recursive(depth, 24, 4, |inner| {
            let key = prop::sample::select(vec![
                DeltaType::String,
                DeltaType::Long,
                DeltaType::Boolean,
                DECIMAL,
                DeltaType::Date,
            ]);
            prop_oneof![
                inner.clone().prop_map(|element| DeltaType::Array(Box::new(element))),
                (key, inner.clone()).prop_map(|(key, value)| DeltaType::Map(Box::new(key), Box::new(value))),
                prop::collection::vec(inner, 0..4).prop_map(|types| {
                    let names = ["a", "b \"quoted\\\" ü", "", "d\n"];
                    let field = |(name, data_type): (&str, _)| StructField::new(name, data_type);
                    DeltaType::Struct(names.into_iter().zip(types).map(field).collect())
                }),
            ]
        })
        .boxed()
}

/// Values of a type, NULL among them.
pub fn values(data_type: &DeltaType) -> BoxedStrategy<Tree> {
    let value = match data_type {
        DeltaType::Void => return Just(Tree::Null).boxed(),
        DeltaType::Map(key, value) => {
            let entry = (not_null(key), values(value));
            prop::collection::vec(entry, 0..12).prop_map(without_equal_keys).boxed()
        }
        _ => not_null(data_type),
    };
    prop_oneof![1 => Just(Tree::Null), 5 => value].boxed()
}

fn without_equal_keys(entries: Vec<(Tree, Tree)>) -> Tree {
    let by_key: BTreeMap<String, (Tree, Tree)> =
        entries.into_iter().map(|(key, value)| (format!("{key:?}"), (key, value))).collect();
    Tree::Entries(by_key.into_values().collect())
}

fn not_null(data_type: &DeltaType) -> BoxedStrategy<Tree> {
    let int = |values: std::ops::RangeInclusive<i64>| values.prop_map(Tree::Int).boxed();
    match data_type {
        DeltaType::Boolean => any::<bool>().prop_map(Tree::Bool).boxed(),
        DeltaType::Byte => int(i8::MIN.into()..=i8::MAX.into()),
        DeltaType::Short => int(i16::MIN.into()..=i16::MAX.into()),
        DeltaType::Integer | DeltaType::IntervalYearMonth => int(i32::MIN.into()..=i32::MAX.into()),
        DeltaType::Date => int(-1_000_000..=4_000_000),
        DeltaType::Long | DeltaType::IntervalDayTime => int(i64::MIN..=i64::MAX),
        DeltaType::Timestamp | DeltaType::TimestampNtz => {
            int(-80_000_000_000_000_000..=300_000_000_000_000_000)
        }
        DeltaType::Float => any::<u32>().prop_map(|bits| Tree::Float(f32::from_bits(bits).into())).boxed(),
        DeltaType::Double => any::<u64>().prop_map(|bits| Tree::Float(f64::from_bits(bits))).boxed(),
        DeltaType::Decimal { precision, .. } => decimals(*precision).prop_map(Tree::Decimal).boxed(),
        DeltaType::String => text().prop_map(Tree::Text).boxed(),
        DeltaType::Binary => prop::collection::vec(any::<u8>(), 0..9).prop_map(Tree::Bytes).boxed(),
        DeltaType::Array(element) => {
            prop::collection::vec(values(element), 0..5).prop_map(Tree::Items).boxed()
        }
        DeltaType::Struct(fields) => {
            let fields: Vec<_> = fields.iter().map(|field| values(&field.data_type)).collect();
            fields.prop_map(Tree::Items).boxed()
        }
        DeltaType::Map(..) | DeltaType::Variant | DeltaType::Void => values(data_type),
    }
}

/// The values as the kernel's default engine would have them.
pub fn array(data_type: &DeltaType, values: &[&Tree]) -> ArrayRef {
    let ints = || values.iter().map(|value| if let Tree::Int(value) = value { Some(*value) } else { None });
    let floats =
        || values.iter().map(|value| if let Tree::Float(value) = value { Some(*value) } else { None });
    let nulls: NullBuffer = values.iter().map(|value| !matches!(value, Tree::Null)).collect();
    match data_type {
        DeltaType::Void => Arc::new(NullArray::new(values.len())),
        DeltaType::Boolean => {
            let value = |value: &&Tree| if let Tree::Bool(value) = value { Some(*value) } else { None };
            Arc::new(values.iter().map(value).collect::<BooleanArray>())
        }
        DeltaType::Byte => {
            Arc::new(ints().map(|value| value.map(|value| value as i8)).collect::<Int8Array>())
        }
        DeltaType::Short => {
            Arc::new(ints().map(|value| value.map(|value| value as i16)).collect::<Int16Array>())
        }
        DeltaType::Integer | DeltaType::IntervalYearMonth => {
            Arc::new(ints().map(|value| value.map(|value| value as i32)).collect::<Int32Array>())
        }
        DeltaType::Date => {
            Arc::new(ints().map(|value| value.map(|value| value as i32)).collect::<Date32Array>())
        }
        DeltaType::Long | DeltaType::IntervalDayTime => Arc::new(ints().collect::<Int64Array>()),
        DeltaType::Timestamp => Arc::new(ints().collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        DeltaType::TimestampNtz => Arc::new(ints().collect::<TimestampMicrosecondArray>()),
        DeltaType::Float => {
            Arc::new(floats().map(|value| value.map(|value| value as f32)).collect::<Float32Array>())
        }
        DeltaType::Double => Arc::new(floats().collect::<Float64Array>()),
        DeltaType::Decimal { precision, scale } => {
            let value = |value: &&Tree| if let Tree::Decimal(value) = value { Some(*value) } else { None };
            let decimals = values.iter().map(value).collect::<Decimal128Array>();
            Arc::new(decimals.with_precision_and_scale(*precision, *scale as i8).unwrap())
        }
        DeltaType::String => {
            let value =
                |value: &&Tree| if let Tree::Text(value) = value { Some(value.clone()) } else { None };
            layout(&values.iter().map(value).collect::<Vec<_>>(), values.len())
        }
        DeltaType::Binary => {
            let value =
                |value: &&'_ Tree| if let Tree::Bytes(value) = value { Some(value.clone()) } else { None };
            Arc::new(BinaryArray::from_iter(values.iter().map(value)))
        }
        DeltaType::Array(element) => {
            let items: Vec<&[Tree]> = values.iter().map(|value| items(value)).collect();
            let offsets = OffsetBuffer::from_lengths(items.iter().map(|items| items.len()));
            let elements = array(element, &items.into_iter().flatten().collect::<Vec<_>>());
            let field = Field::new("element", elements.data_type().clone(), true);
            Arc::new(ListArray::new(Arc::new(field), offsets, elements, Some(nulls)))
        }
        DeltaType::Map(key, value) => {
            let entries: Vec<&[(Tree, Tree)]> = values.iter().map(|value| entries(value)).collect();
            let offsets = OffsetBuffer::from_lengths(entries.iter().map(|entries| entries.len()));
            let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().flatten().map(|(k, v)| (k, v)).unzip();
            let (keys, values) = (array(key, &keys), array(value, &values));
            let fields = Fields::from(vec![
                Field::new("key", keys.data_type().clone(), false),
                Field::new("value", values.data_type().clone(), true),
            ]);
            let field = Field::new("key_value", DataType::Struct(fields.clone()), false);
            let entries = StructArray::new(fields, vec![keys, values], None);
            Arc::new(MapArray::new(Arc::new(field), offsets, entries, Some(nulls), false))
        }
        DeltaType::Struct(fields) => {
            let column = |(place, field): (usize, &StructField)| {
                let part = |value: &&Tree| items(value).get(place).cloned().unwrap_or(Tree::Null);
                let parts: Vec<Tree> = values.iter().map(part).collect();
                array(&field.data_type, &parts.iter().collect::<Vec<_>>())
            };
            let columns: Vec<ArrayRef> = fields.iter().enumerate().map(column).collect();
            let field = |(field, column): (&StructField, &ArrayRef)| {
                Field::new(&field.name, column.data_type().clone(), true)
            };
            let fields: Fields = fields.iter().zip(&columns).map(field).collect();
            Arc::new(StructArray::try_new_with_length(fields, columns, Some(nulls), values.len()).unwrap())
        }
        DeltaType::Variant => panic!("variants are made by their own builder"),
    }
}

fn items(value: &Tree) -> &[Tree] {
    if let Tree::Items(items) = value { items } else { &[] }
}

fn entries(value: &Tree) -> &[(Tree, Tree)] {
    if let Tree::Entries(entries) = value { entries } else { &[] }
}

/// The value as JSON, by TYPES.md.
pub fn json(data_type: &DeltaType, value: &Tree) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match (data_type, value) {
        (_, Tree::Null) => "null".to_owned(),
        (DeltaType::Array(element), Tree::Items(items)) => {
            format!("[{}]", items.iter().map(|item| json(element, item)).collect::<Vec<_>>().join(","))
        }
        (DeltaType::Struct(fields), Tree::Items(items)) => {
            let fields = fields.iter().zip(items).filter(|(field, _)| field.data_type != DeltaType::Void);
            let field = |(field, item): (&StructField, &Tree)| {
                format!("{}:{}", quoted(&field.name), json(&field.data_type, item))
            };
            format!("{{{}}}", fields.map(field).collect::<Vec<_>>().join(","))
        }
        (DeltaType::Map(key, value), Tree::Entries(entries)) => {
            let entry = |(k, v): &(Tree, Tree)| format!("{}:{}", quoted(&bare(key, k)), json(value, v));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
        }
        (_, Tree::Bool(_) | Tree::Decimal(_)) => bare(data_type, value),
        (DeltaType::Float | DeltaType::Double, Tree::Float(number)) if number.is_finite() => {
            bare(data_type, value)
        }
        (DeltaType::Byte | DeltaType::Short | DeltaType::Integer | DeltaType::Long, _) => {
            bare(data_type, value)
        }
        _ => quoted(&bare(data_type, value)),
    }
}

fn bare(data_type: &DeltaType, value: &Tree) -> String {
    match (data_type, value) {
        (_, Tree::Bool(value)) => value.to_string(),
        (DeltaType::Decimal { scale, .. }, Tree::Decimal(value)) => decimal_text(*value, *scale),
        (_, Tree::Text(value)) => value.clone(),
        (_, Tree::Bytes(value)) => base64::engine::general_purpose::STANDARD.encode(value),
        (_, Tree::Float(value)) if value.is_nan() => "NaN".to_owned(),
        (_, Tree::Float(value)) if value.is_infinite() => {
            if *value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
        }
        // Of the shortest texts there may be two: the test of floats of their own looks closer.
        (DeltaType::Float, Tree::Float(value)) => serde_json::to_string(&(*value as f32)).unwrap(),
        (_, Tree::Float(value)) => serde_json::to_string(value).unwrap(),
        (DeltaType::Date, Tree::Int(days)) => time(days * 86_400_000_000, "%m-%d"),
        (DeltaType::Timestamp, Tree::Int(micros)) => time(*micros, "%m-%dT%H:%M:%S%.6fZ"),
        (DeltaType::TimestampNtz, Tree::Int(micros)) => time(*micros, "%m-%dT%H:%M:%S%.6f"),
        (DeltaType::IntervalYearMonth, Tree::Int(months)) => {
            duration(&[(months / 12, "Y"), (months % 12, "M")], "P0M")
        }
        (DeltaType::IntervalDayTime, Tree::Int(micros)) => day_time(*micros),
        (_, Tree::Int(value)) => value.to_string(),
        _ => panic!("{value:?} is no {data_type}"),
    }
}

fn time(micros: i64, format: &str) -> String {
    let time = chrono::DateTime::from_timestamp_micros(micros).unwrap();
    let year = chrono::Datelike::year(&time);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        10_000.. => format!("+{year}"),
        _ => format!("-{:04}", -year),
    };
    format!("{year}-{}", time.format(format))
}

fn duration(parts: &[(i64, &str)], zero: &str) -> String {
    let parts: String = parts.iter().filter(|(n, _)| *n != 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if parts.is_empty() { zero.to_owned() } else { format!("P{parts}") }
}

fn day_time(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let (days, of_day, part) = (seconds / 86_400, seconds % 86_400, micros % 1_000_000);
    let mut text = "P".to_owned();
    if days != 0 {
        text += &format!("{days}D");
    }
    let sign = if micros < 0 { "-" } else { "" };
    let second = match (of_day % 60, part) {
        (0, 0) => String::new(),
        (second, 0) => format!("{second}S"),
        (second, part) => {
            let digits = format!("{:06}", part.abs());
            format!("{sign}{}.{}S", second.abs(), digits.trim_end_matches('0'))
        }
    };
    let time = duration(&[(of_day / 3_600, "H"), (of_day / 60 % 60, "M")], "P");
    let time = format!("{}{second}", &time[1..]);
    if !time.is_empty() {
        text += &format!("T{time}");
    }
    if text == "P" { "PT0S".to_owned() } else { text }
}
