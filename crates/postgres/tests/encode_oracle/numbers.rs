//! boolean, integers, floats, numeric.

use crate::oracle::{Kind, Oracle, column, or_null};
use arrow_array::types::Int8Type;
use arrow_array::*;
use lakefront_model::{DeltaType, PgType};
use proptest::prelude::*;
use std::sync::Arc;

/// Any value of an integer type, and those at its ends and around zero.
macro_rules! integers {
    ($type:ty) => {
        prop_oneof![
            1 => prop::sample::select(vec![<$type>::MIN, <$type>::MIN + 1, -1, 0, 1, <$type>::MAX - 1, <$type>::MAX]),
            3 => any::<$type>(),
        ]
    };
}

macro_rules! check_integers {
    ($oracle:expr, $type:ty, $array:ty, $source:ident, $pg_type:ident) => {
        let kind = Kind::new(DeltaType::$source, PgType::$pg_type);
        $oracle.holds(20, &column(integers!($type)), |values| {
            let array: ArrayRef = Arc::new(<$array>::from(values.clone()));
            let expected = values.iter().map(|value| value.map(|value| value.to_string())).collect();
            let found = $oracle.disagreements(
                &kind,
                &array,
                expected,
                "v::text IS NOT DISTINCT FROM x AND n IS NOT NULL",
            );
            prop_assert_eq!(found, Vec::<String>::new());
            Ok(())
        });
    };
}

#[test]
fn integers() {
    let oracle = Oracle::new();
    check_integers!(oracle, i8, Int8Array, Byte, SmallInt);
    check_integers!(oracle, i16, Int16Array, Short, SmallInt);
    check_integers!(oracle, i32, Int32Array, Integer, Integer);
    check_integers!(oracle, i64, Int64Array, Long, BigInt);
}

#[test]
fn booleans() {
    let oracle = Oracle::new();
    let kind = Kind::new(DeltaType::Boolean, PgType::Boolean);
    oracle.holds(20, &column(any::<bool>()), |values| {
        let array: ArrayRef = Arc::new(BooleanArray::from(values.clone()));
        let expected = values.iter().map(|value| value.map(|value| value.to_string())).collect();
        let found = oracle.disagreements(&kind, &array, expected, &or_null("v::text = x"));
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn dictionaries_of_any_type() {
    let oracle = Oracle::new();
    let kind = Kind::new(DeltaType::Long, PgType::BigInt);
    let keys = column(0..4i8);
    oracle.holds(20, &keys, |keys| {
        let values = [Some(7), None, Some(i64::MIN), Some(0)];
        let array = DictionaryArray::<Int8Type>::new(
            keys.clone().into(),
            Arc::new(Int64Array::from(values.to_vec())),
        );
        let value =
            |key: &Option<i8>| key.and_then(|key| values[key as usize]).map(|value| value.to_string());
        let expected = keys.iter().map(value).collect();
        let array: ArrayRef = Arc::new(array);
        let found = oracle.disagreements(&kind, &array, expected, &or_null("v::text = x"));
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
}

/// Floats are told apart by their bits, but for the payload of a NaN.
#[test]
fn floats() {
    let oracle = Oracle::new();
    let edges = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e-45, f32::MIN_POSITIVE, f32::MAX, 0.1];
    let float =
        prop_oneof![1 => prop::sample::select(edges.to_vec()), 3 => any::<u32>().prop_map(f32::from_bits)];
    let kind = Kind::new(DeltaType::Float, PgType::Real);
    oracle.holds(20, &column(float), |values| {
        let array: ArrayRef = Arc::new(Float32Array::from(values.clone()));
        let rejected = oracle.copy(&kind, &array, lakefront_model::NulBytePolicy::Fail);
        prop_assert!(rejected.is_empty());
        let bits = |value: f32| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() };
        let stored = oracle.texts("v").into_iter();
        let stored: Vec<_> = stored.map(|text| text.map(|text| bits(text.parse().unwrap()))).collect();
        prop_assert_eq!(stored, values.iter().map(|value| value.map(bits)).collect::<Vec<_>>());
        Ok(())
    });
    let edges = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, 0.1];
    let double =
        prop_oneof![1 => prop::sample::select(edges.to_vec()), 3 => any::<u64>().prop_map(f64::from_bits)];
    let kind = Kind::new(DeltaType::Double, PgType::DoublePrecision);
    oracle.holds(20, &column(double), |values| {
        let array: ArrayRef = Arc::new(Float64Array::from(values.clone()));
        let rejected = oracle.copy(&kind, &array, lakefront_model::NulBytePolicy::Fail);
        prop_assert!(rejected.is_empty());
        let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
        let stored = oracle.texts("v").into_iter();
        let stored: Vec<_> = stored.map(|text| text.map(|text| bits(text.parse().unwrap()))).collect();
        prop_assert_eq!(stored, values.iter().map(|value| value.map(bits)).collect::<Vec<_>>());
        Ok(())
    });
}

/// A decimal as it is written by hand.
pub fn decimal_text(value: i128, scale: u8) -> String {
    let digits = format!("{:0>1$}", value.unsigned_abs(), usize::from(scale) + 1);
    let (whole, part) = digits.split_at(digits.len() - usize::from(scale));
    let sign = if value < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// Any decimal of a precision, with small, round and extreme ones among them.
pub fn decimals(precision: u8) -> impl Strategy<Value = i128> {
    let end = 10i128.pow(precision.into());
    prop_oneof![
        2 => (-end + 1)..end,
        2 => (-10_000i128..10_000).prop_map(move |value| value % end),
        2 => (0..u32::from(precision), -9i128..10).prop_map(|(power, digit)| digit * 10i128.pow(power)),
        1 => prop::sample::select(vec![0, 1, -1, end - 1, 1 - end]),
        1 => (1..=u32::from(precision)).prop_map(|digits| 10i128.pow(digits) - 1),
    ]
}

#[test]
fn numeric_is_exact() {
    let oracle = Oracle::new();
    let shape = prop_oneof![
        prop::sample::select(vec![(1, 0), (1, 1), (10, 2), (38, 0), (38, 38), (38, 18), (19, 19), (38, 1)]),
        (1..=38u8).prop_flat_map(|precision| (Just(precision), 0..=precision)),
    ];
    let values =
        shape.prop_flat_map(|(precision, scale)| (Just((precision, scale)), column(decimals(precision))));
    oracle.holds(60, &values, |((precision, scale), values)| {
        let kind = Kind::new(DeltaType::Decimal { precision, scale }, PgType::Numeric { precision, scale });
        let array =
            Decimal128Array::from(values.clone()).with_precision_and_scale(precision, scale as i8).unwrap();
        let array: ArrayRef = Arc::new(array);
        let expected = values.iter().map(|value| value.map(|value| decimal_text(value, scale))).collect();
        let found = oracle.disagreements(&kind, &array, expected, &or_null("v::text = x"));
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
}
