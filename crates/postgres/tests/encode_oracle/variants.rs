//! Variants as another implementation writes them.

use crate::numbers::decimal_text;
use crate::oracle::{Kind, Oracle, or_null};
use crate::strings::text;
use arrow_array::*;
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields};
use base64::Engine;
use chrono::{DateTime, NaiveTime};
use lakefront_model::{DeltaType, PgType};
use parquet_variant::{
    ObjectFieldBuilder, Variant, VariantBuilder, VariantBuilderExt, VariantDecimal4, VariantDecimal8,
    VariantDecimal16,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Clone)]
enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f32),
    Double(f64),
    Decimal(i128, u8),
    Date(i32),
    Time(u32),
    Timestamp { nanos: i64, utc: bool },
    Binary(Vec<u8>),
    Text(String),
    Uuid(u128),
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

fn nodes() -> impl Strategy<Value = Node> {
    let integer =
        prop_oneof![any::<i64>(), any::<i8>().prop_map(i64::from), any::<i32>().prop_map(i64::from)];
    let unscaled =
        prop_oneof![-999..999i128, -999_999_999_999..999_999_999_999i128, -10i128.pow(37)..10i128.pow(37)];
    let scalar = prop_oneof![
        Just(Node::Null),
        any::<bool>().prop_map(Node::Bool),
        integer.prop_map(Node::Int),
        any::<u32>().prop_map(|bits| Node::Float(f32::from_bits(bits))),
        any::<u64>().prop_map(|bits| Node::Double(f64::from_bits(bits))),
        (unscaled, 0..3u8).prop_map(|(unscaled, scale)| Node::Decimal(unscaled, scale)),
        (-800_000..3_000_000i32).prop_map(Node::Date),
        (0..86_400u32).prop_map(Node::Time),
        (any::<i64>(), any::<bool>(), any::<bool>()).prop_map(|(nanos, utc, micros)| {
            Node::Timestamp { nanos: if micros { nanos / 1_000 * 1_000 } else { nanos }, utc }
        }),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Node::Binary),
        text().prop_map(Node::Text),
        any::<u128>().prop_map(Node::Uuid),
    ];
    scalar.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Node::List),
            prop::collection::btree_map(text(), inner.clone(), 0..8).prop_map(Node::Object),
            // More than 255 parts have wider counts and offsets.
            (inner, 250..300usize).prop_map(|(node, len)| Node::List(vec![node; len])),
        ]
    })
}

fn build(builder: &mut impl VariantBuilderExt, node: &Node) {
    match node {
        Node::Null => builder.append_value(Variant::Null),
        Node::Bool(value) => builder.append_value(*value),
        Node::Int(value) => match (i8::try_from(*value), i16::try_from(*value), i32::try_from(*value)) {
            (Ok(value), ..) => builder.append_value(value),
            (_, Ok(value), _) => builder.append_value(value),
            (.., Ok(value)) => builder.append_value(value),
            _ => builder.append_value(*value),
        },
        Node::Float(value) => builder.append_value(*value),
        Node::Double(value) => builder.append_value(*value),
        Node::Decimal(unscaled, scale) => {
            if unscaled.abs() < 1_000 {
                builder.append_value(VariantDecimal4::try_new(*unscaled as i32, *scale).unwrap());
            } else if unscaled.abs() < 1_000_000_000_000 {
                builder.append_value(VariantDecimal8::try_new(*unscaled as i64, *scale).unwrap());
            } else {
                builder.append_value(VariantDecimal16::try_new(*unscaled, *scale).unwrap());
            }
        }
        Node::Date(days) => {
            builder
                .append_value(DateTime::from_timestamp(i64::from(*days) * 86_400, 0).unwrap().date_naive());
        }
        Node::Time(seconds) => {
            builder
                .append_value(NaiveTime::from_num_seconds_from_midnight_opt(*seconds, 123_456_000).unwrap());
        }
        Node::Timestamp { nanos, utc: true } => builder.append_value(DateTime::from_timestamp_nanos(*nanos)),
        Node::Timestamp { nanos, utc: false } => {
            builder.append_value(DateTime::from_timestamp_nanos(*nanos).naive_utc());
        }
        Node::Binary(bytes) => builder.append_value(bytes.as_slice()),
        Node::Text(text) => builder.append_value(text.as_str()),
        Node::Uuid(value) => builder.append_value(uuid::Uuid::from_u128(*value)),
        Node::List(items) => {
            let mut list = builder.new_list();
            items.iter().for_each(|item| build(&mut list, item));
            list.finish();
        }
        Node::Object(fields) => {
            let mut object = builder.new_object();
            fields
                .iter()
                .for_each(|(name, node)| build(&mut ObjectFieldBuilder::new(name, &mut object), node));
            object.finish();
        }
    }
}

fn json(node: &Node) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let number = |value: f64, text: String| match value {
        value if value.is_finite() => text,
        value if value.is_nan() => quoted("NaN"),
        value => quoted(if value > 0.0 { "Infinity" } else { "-Infinity" }),
    };
    match node {
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Int(value) => value.to_string(),
        Node::Float(value) => number((*value).into(), serde_json::to_string(value).unwrap()),
        Node::Double(value) => number(*value, serde_json::to_string(value).unwrap()),
        Node::Decimal(unscaled, scale) => decimal_text(*unscaled, *scale),
        Node::Date(days) => {
            let date = DateTime::from_timestamp(i64::from(*days) * 86_400, 0).unwrap();
            let year = chrono::Datelike::year(&date);
            let year = match year {
                0..=9999 => format!("{year:04}"),
                10_000.. => format!("+{year}"),
                _ => format!("-{:04}", -year),
            };
            quoted(&format!("{year}-{}", date.format("%m-%d")))
        }
        Node::Time(seconds) => {
            quoted(&format!("{:02}:{:02}:{:02}.123456", seconds / 3_600, seconds / 60 % 60, seconds % 60))
        }
        Node::Timestamp { nanos, utc } => {
            let time = DateTime::from_timestamp_nanos(*nanos);
            let digits = if nanos % 1_000 == 0 { "%.6f" } else { "%.9f" };
            let zone = if *utc { "Z" } else { "" };
            quoted(&time.format(&format!("%Y-%m-%dT%H:%M:%S{digits}{zone}")).to_string())
        }
        Node::Binary(bytes) => quoted(&base64::engine::general_purpose::STANDARD.encode(bytes)),
        Node::Text(text) => quoted(text),
        Node::Uuid(value) => quoted(&uuid::Uuid::from_u128(*value).to_string()),
        Node::List(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(",")),
        Node::Object(fields) => {
            let field = |(name, node): (&String, &Node)| format!("{}:{}", quoted(name), json(node));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
    }
}

/// Metadata and value.
pub type Bytes = (Vec<u8>, Vec<u8>);

/// A variant column as the kernel's default engine has it.
pub fn column(values: &[Option<Bytes>]) -> ArrayRef {
    let parts = |part: fn(&Bytes) -> &Vec<u8>| {
        let bytes = values.iter().map(|value| Some(value.as_ref().map_or(&[][..], |value| part(value))));
        Arc::new(BinaryArray::from_iter(bytes)) as ArrayRef
    };
    let field = |name: &str| Field::new(name, DataType::Binary, false);
    let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
    let fields = Fields::from(vec![field("metadata"), field("value")]);
    Arc::new(StructArray::new(fields, vec![parts(|value| &value.0), parts(|value| &value.1)], Some(nulls)))
}

pub fn encoded(node: impl FnOnce(&mut VariantBuilder)) -> Bytes {
    let mut builder = VariantBuilder::new();
    node(&mut builder);
    builder.finish()
}

#[test]
fn variants_follow_the_same_rules() {
    let oracle = Oracle::new();
    let kind = Kind::new(DeltaType::Variant, PgType::Jsonb);
    let values = prop::collection::vec(prop::option::weighted(0.9, nodes()), 1..8);
    oracle.holds(150, &values, |values| {
        let variants: Vec<_> = values
            .iter()
            .map(|node| node.as_ref().map(|node| encoded(|builder| build(builder, node))))
            .collect();
        let expected = values.iter().map(|node| node.as_ref().map(json)).collect();
        let condition = or_null("v::text = x::jsonb::text");
        let found = oracle.disagreements(&kind, &column(&variants), expected, &condition);
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
}
