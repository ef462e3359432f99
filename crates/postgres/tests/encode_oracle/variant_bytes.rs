//! Variants whose bytes are not what the encoding says, or only just.

use crate::oracle::{Kind, Oracle};
use crate::variants::{column, encoded};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{Field, Schema};
use lakefront_model::{DeltaType, NulBytePolicy, PgType};
use lakefront_postgres::encode::{CopyBuffer, RejectCause, RowEncoder, RowTexts};
use parquet_variant::VariantBuilder;
use proptest::prelude::*;
use std::sync::Arc;

/// The JSON text that is sent for a variant.
fn sent(metadata: &[u8], value: &[u8]) -> Result<String, RejectCause> {
    let array = column(&[Some((metadata.to_vec(), value.to_vec()))]);
    let schema = Arc::new(Schema::new(vec![Field::new("v", array.data_type().clone(), true)]));
    let batch = RecordBatch::try_new(schema.clone(), vec![array]).unwrap();
    let columns = [Kind::new(DeltaType::Variant, PgType::Jsonb).target(0, "v", false)];
    let encoder = RowEncoder::new(&schema, &columns, NulBytePolicy::Fail).unwrap();
    let (mut out, mut rejected) = (CopyBuffer::default(), Vec::new());
    let _ = encoder.bind(&batch).unwrap().encode(0..1, usize::MAX, &mut out, &mut rejected);
    let record = RowTexts::bind(&batch, &columns).unwrap().json(0);
    let record: serde_json::Result<serde_json::Value> = serde_json::from_str(&record);
    match rejected.pop() {
        Some(rejected) => {
            assert!(out.is_empty());
            if !matches!(rejected.cause, RejectCause::TooDeep { .. }) {
                record.unwrap();
            }
            Err(rejected.cause)
        }
        None => Ok(String::from_utf8(out.as_slice()[7..].to_vec()).unwrap()),
    }
}

/// Metadata of version 1 with offsets of one byte.
fn metadata(names: &[&str]) -> Vec<u8> {
    let mut bytes = vec![1, names.len() as u8, 0];
    let mut end = 0;
    for name in names {
        end += name.len() as u8;
        bytes.push(end);
    }
    names.iter().for_each(|name| bytes.extend_from_slice(name.as_bytes()));
    bytes
}

#[test]
fn bytes_made_by_hand() {
    let empty = metadata(&[]);
    assert_eq!(sent(&empty, &[0]), Ok("null".into()));
    // {"a": true, "b": false}, the values in the other order, all widths four bytes, a count of four bytes.
    let mut object = vec![0x40 | 0x3C | 2, 2, 0, 0, 0];
    for number in [1u32, 0, 0, 1, 2] {
        object.extend_from_slice(&number.to_le_bytes());
    }
    object.extend_from_slice(&[8, 4]);
    let names = metadata(&["b", "a"]);
    assert_eq!(sent(&names, &object), Ok("{\"a\":false,\"b\":true}".into()));
    // [1, [], "hi"], followed by bytes that belong to nothing.
    let list = [3, 3, 0, 2, 5, 8, 12, 1, 3, 0, 0, 9, b'h', b'i', 99, 99];
    assert_eq!(sent(&empty, &list), Ok("[1,[],\"hi\"]".into()));
    // A date that no calendar library knows.
    assert_eq!(sent(&empty, &[11 << 2, 255, 255, 255, 127]), Ok("\"+5881580-07-11\"".into()));
    assert_eq!(
        sent(&empty, &[13 << 2, 0, 0, 0, 0, 0, 0, 0, 128]),
        Ok("\"-290308-12-21T19:59:05.224192\"".into())
    );
}

#[test]
fn malformed_bytes_are_refused_with_a_reason() {
    let malformed = |metadata: &[u8], value: &[u8]| match sent(metadata, value) {
        Err(RejectCause::InvalidVariant(reason)) => reason,
        other => panic!("{other:?}"),
    };
    let empty = metadata(&[]);
    assert_eq!(malformed(&[], &[0]), "the metadata ends too early");
    assert_eq!(malformed(&[2, 0, 0], &[0]), "the metadata's version is not 1");
    assert_eq!(malformed(&[1, 200, 0], &[0]), "the metadata ends too early");
    assert_eq!(malformed(&empty, &[]), "a value has no bytes");
    assert_eq!(malformed(&empty, &[20 << 2, 1, 2, 3]), "a value ends too early");
    assert_eq!(malformed(&empty, &[63 << 2]), "a value has a type that the encoding does not define");
    assert_eq!(malformed(&empty, &[8 << 2, 39, 0, 0, 0, 0]), "a decimal has a scale over 38");
    assert_eq!(malformed(&empty, &[1 << 2 | 1, 0xFF]), "a string is not UTF-8");
    assert_eq!(malformed(&empty, &[17 << 2, 0, 0, 0, 0, 0, 0, 0, 128]), "a time is not within a day");
    assert_eq!(malformed(&empty, &[2, 1, 0, 0, 1, 0]), "a field's name is not in the metadata");
    assert_eq!(malformed(&[1, 1, 0, 1, 0xFF], &[2, 1, 0, 0, 1, 0]), "a name is not UTF-8");
    assert_eq!(malformed(&[1, 1, 1, 0, b'a'], &[2, 1, 0, 0, 1, 0]), "a name lies outside the metadata");
    assert_eq!(malformed(&empty, &[3, 1, 9, 1, 0]), "a value lies outside its object or array");
    assert_eq!(malformed(&empty, &[3, 9, 0]), "an object or array ends too early");
    let duplicate = sent(&metadata(&["a", "a"]), &[2, 2, 0, 1, 0, 1, 2, 0, 0]);
    assert_eq!(duplicate, Err(RejectCause::DuplicateMapKey { key: "a".into() }));
}

/// Each level holds the next one twice: without a bound, sixty levels would make 2⁶⁰ values.
#[test]
fn parts_that_overlap_cannot_multiply() {
    let mut value = vec![0];
    for _ in 0..60 {
        let len = value.len() as u32;
        let mut outer = vec![3 | 3 << 2, 2];
        for offset in [0, 0, len] {
            outer.extend_from_slice(&u32::to_le_bytes(offset));
        }
        outer.extend_from_slice(&value);
        value = outer;
    }
    assert_eq!(sent(&metadata(&[]), &value), Err(RejectCause::InvalidVariant("its parts overlap")));
}

/// `levels` arrays, one in the other.
fn nested(levels: usize) -> Vec<u8> {
    (0..levels).fold(vec![0], |inner, _| {
        let mut outer = vec![3 | 3 << 2, 1, 0, 0, 0, 0];
        outer.extend_from_slice(&(inner.len() as u32).to_le_bytes());
        outer.extend_from_slice(&inner);
        outer
    })
}

#[test]
fn nesting_goes_as_deep_as_postgresql_surely_takes() {
    let oracle = Oracle::new();
    let kind = Kind::new(DeltaType::Variant, PgType::Jsonb);
    let deepest = column(&[Some((metadata(&[]), nested(999)))]);
    assert_eq!(oracle.copy(&kind, &deepest, NulBytePolicy::Fail), []);
    let expected = format!("{}null{}", "[".repeat(999), "]".repeat(999));
    assert_eq!(oracle.texts("v"), [Some(expected)]);
    assert_eq!(sent(&metadata(&[]), &nested(1_000)), Err(RejectCause::TooDeep { max: 1_000 }));
    assert_eq!(sent(&metadata(&[]), &nested(100_000)), Err(RejectCause::TooDeep { max: 1_000 }));
}

fn sample() -> (Vec<u8>, Vec<u8>) {
    encoded(|builder: &mut VariantBuilder| {
        let mut object = builder.new_object();
        object.insert("text", "a longer text, so that it is no short string, of more than sixty-four bytes");
        object.insert("number", 1.5);
        object.insert("uuid", uuid::Uuid::from_u128(7));
        let mut list = object.new_list("list");
        (0..20i32).for_each(|number| list.append_value(number * 100_000));
        list.finish();
        object.finish();
    })
}

#[test]
fn damaged_bytes_never_do_harm() {
    let (metadata, value) = sample();
    assert!(sent(&metadata, &value).unwrap().contains("1900000"));
    for len in 0..value.len() {
        assert!(sent(&metadata, &value[..len]).is_err(), "cut to {len}");
    }
    for len in 0..metadata.len() {
        assert!(sent(&metadata[..len], &value).is_err(), "metadata cut to {len}");
    }
    let damage = (prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), any::<bool>());
    let config = ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() };
    let run = proptest::test_runner::TestRunner::new(config).run(&damage, |(damage, in_metadata)| {
        let (mut metadata, mut value) = sample();
        for (place, byte) in damage {
            let bytes = if in_metadata { &mut metadata } else { &mut value };
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(json) = sent(&metadata, &value) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{}", json);
        }
        Ok(())
    });
    run.unwrap();
}
