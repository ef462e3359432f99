//! Native arrays.

use crate::numbers::{decimal_text, decimals};
use crate::oracle::{Kind, Oracle, or_null};
use crate::strings::{layout, text};
use arrow_array::*;
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::Field;
use lakefront_model::{DeltaType, NulBytePolicy, PgType};
use lakefront_postgres::encode::RejectCause;
use proptest::prelude::*;
use std::sync::Arc;

type Rows<T> = Vec<Option<Vec<Option<T>>>>;

fn rows<T: std::fmt::Debug + Clone>(
    element: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Rows<T>> {
    let elements = prop_oneof![
        prop::collection::vec(prop::option::of(element.clone()), 0..6),
        prop::collection::vec(element.prop_map(Some), 0..6),
    ];
    prop::collection::vec(prop::option::weighted(0.8, elements), 1..30)
}

/// A list array of the rows, its elements made by `make`.
fn list<T: Clone>(rows: &Rows<T>, make: impl Fn(Vec<Option<T>>) -> ArrayRef) -> ArrayRef {
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.as_ref().map_or(0, Vec::len)));
    let elements = make(rows.iter().flatten().flatten().cloned().collect());
    let nulls: NullBuffer = rows.iter().map(Option::is_some).collect();
    let field = Field::new("element", elements.data_type().clone(), true);
    Arc::new(ListArray::new(Arc::new(field), offsets, elements, Some(nulls)))
}

/// An array as PostgreSQL reads it: each element in double quotes.
fn literals<T>(rows: &Rows<T>, text: impl Fn(&T) -> String) -> Vec<Option<String>> {
    let quoted = |element: &Option<T>| match element {
        None => "NULL".to_owned(),
        Some(element) => format!("\"{}\"", text(element).replace('\\', "\\\\").replace('"', "\\\"")),
    };
    let literal =
        |row: &Vec<Option<T>>| format!("{{{}}}", row.iter().map(quoted).collect::<Vec<_>>().join(","));
    rows.iter().map(|row| row.as_ref().map(literal)).collect()
}

fn check<T: std::fmt::Debug + Clone>(
    oracle: &Oracle,
    source: DeltaType,
    element: PgType,
    values: impl Strategy<Value = T> + Clone,
    make: impl Fn(Vec<Option<T>>) -> ArrayRef,
    text: impl Fn(&T) -> String,
) {
    let kind = Kind::new(DeltaType::Array(Box::new(source)), PgType::Array(Box::new(element)));
    // Equal as text too: then dimensions, NULLs and the digits of numeric are the same.
    let condition = or_null(&format!("v = x::{0} AND v::text = (x::{0})::text", kind.pg_type.sql()));
    oracle.holds(20, &rows(values), |rows| {
        let found = oracle.disagreements(&kind, &list(&rows, &make), literals(&rows, &text), &condition);
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn arrays_of_numbers() {
    let oracle = Oracle::new();
    check(
        &oracle,
        DeltaType::Long,
        PgType::BigInt,
        any::<i64>(),
        |v| Arc::new(Int64Array::from(v)),
        i64::to_string,
    );
    check(
        &oracle,
        DeltaType::Short,
        PgType::SmallInt,
        any::<i16>(),
        |v| Arc::new(Int16Array::from(v)),
        i16::to_string,
    );
    check(
        &oracle,
        DeltaType::Integer,
        PgType::Integer,
        any::<i32>(),
        |v| Arc::new(Int32Array::from(v)),
        i32::to_string,
    );
    check(
        &oracle,
        DeltaType::Double,
        PgType::DoublePrecision,
        any::<f64>(),
        |v| Arc::new(Float64Array::from(v)),
        |x| format!("{x:e}"),
    );
    check(
        &oracle,
        DeltaType::Float,
        PgType::Real,
        any::<f32>(),
        |v| Arc::new(Float32Array::from(v)),
        |x| format!("{x:e}"),
    );
    let decimal = DeltaType::Decimal { precision: 20, scale: 5 };
    let numeric = PgType::Numeric { precision: 20, scale: 5 };
    let make = |v| Arc::new(Decimal128Array::from(v).with_precision_and_scale(20, 5).unwrap()) as ArrayRef;
    check(&oracle, decimal, numeric, decimals(20).boxed(), make, |value| decimal_text(*value, 5));
}

#[test]
fn arrays_of_other_scalars() {
    let oracle = Oracle::new();
    check(
        &oracle,
        DeltaType::Boolean,
        PgType::Boolean,
        any::<bool>(),
        |v| Arc::new(BooleanArray::from(v)),
        bool::to_string,
    );
    check(&oracle, DeltaType::String, PgType::Text, text().boxed(), |v| layout(&v, 0), String::clone);
    check(&oracle, DeltaType::String, PgType::Text, text().boxed(), |v| layout(&v, 2), String::clone);
    let bytes = prop::collection::vec(any::<u8>(), 0..9);
    let hex = |bytes: &Vec<u8>| {
        format!("\\x{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let make = |v: Vec<Option<Vec<u8>>>| Arc::new(BinaryArray::from_iter(v)) as ArrayRef;
    check(&oracle, DeltaType::Binary, PgType::Bytea, bytes, make, hex);
    let date = |days: &i32| {
        let date = chrono::DateTime::from_timestamp(i64::from(*days) * 86_400, 0).unwrap();
        date.format("%Y-%m-%d").to_string()
    };
    check(
        &oracle,
        DeltaType::Date,
        PgType::Date,
        -700_000..2_000_000i32,
        |v| Arc::new(Date32Array::from(v)),
        date,
    );
    let time = |micros: &i64| {
        let time = chrono::DateTime::from_timestamp_micros(*micros).unwrap();
        time.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string()
    };
    let make = |v| Arc::new(TimestampMicrosecondArray::from(v).with_timezone("UTC")) as ArrayRef;
    check(&oracle, DeltaType::Timestamp, PgType::Timestamptz, 0..4_000_000_000_000_000i64, make, time);
}

#[test]
fn an_element_that_cannot_be_held_refuses_the_row() {
    let oracle = Oracle::new();
    let kind =
        Kind::new(DeltaType::Array(Box::new(DeltaType::String)), PgType::Array(Box::new(PgType::Text)));
    let rows = vec![Some(vec![Some("a\0".to_owned())]), Some(vec![Some("b".to_owned())])];
    let array = list(&rows, |v| layout(&v, 0));
    let rejected = oracle.copy(&kind, &array, NulBytePolicy::Quarantine);
    assert_eq!((rejected.len(), &rejected[0].cause), (1, &RejectCause::NulByte));
    assert_eq!(oracle.texts("v"), [Some("{b}".to_owned())]);
    oracle.copy(&kind, &array, NulBytePolicy::Strip);
    assert_eq!(oracle.texts("v"), [Some("{a}".to_owned()), Some("{b}".to_owned())]);
}
