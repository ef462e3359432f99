//! Arrays, maps and structs as jsonb.

use crate::oracle::{Kind, Oracle, or_null};
use crate::tree::{Tree, array, json, types, values};
use lakefront_model::{DeltaType, NulBytePolicy, PgType, StructField};
use lakefront_postgres::encode::RejectCause;
use proptest::prelude::*;

fn is_nested(data_type: &DeltaType) -> bool {
    matches!(data_type, DeltaType::Array(_) | DeltaType::Map(..) | DeltaType::Struct(_))
}

#[test]
fn nested_values_are_the_json_that_the_rules_say() {
    let oracle = Oracle::new();
    let nested = types(4).prop_filter("nested", is_nested);
    let columns = nested.prop_flat_map(|data_type| {
        let values = prop::collection::vec(values(&data_type), 1..20);
        (Just(data_type), values)
    });
    oracle.holds(300, &columns, |(data_type, values)| {
        let array = array(&data_type, &values.iter().collect::<Vec<_>>());
        let expected = values
            .iter()
            .map(|value| if matches!(value, Tree::Null) { None } else { Some(json(&data_type, value)) })
            .collect();
        // As text, so that the digits of decimals are all there.
        let condition = or_null("v::text = x::jsonb::text");
        let kind = Kind::new(data_type, PgType::Jsonb);
        let found = oracle.disagreements(&kind, &array, expected, &condition);
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
}

fn struct_of(name: &str, data_type: DeltaType) -> DeltaType {
    DeltaType::Struct(vec![StructField::new(name, data_type)])
}

fn map_of(key: DeltaType, value: DeltaType) -> DeltaType {
    DeltaType::Map(Box::new(key), Box::new(value))
}

/// Copies the values and returns the JSON texts of those that were taken, and the causes of the others.
fn stored(
    oracle: &Oracle,
    data_type: &DeltaType,
    values: &[Tree],
    nul: NulBytePolicy,
) -> (Vec<String>, Vec<RejectCause>) {
    let array = array(data_type, &values.iter().collect::<Vec<_>>());
    let rejected = oracle.copy(&Kind::new(data_type.clone(), PgType::Jsonb), &array, nul);
    let texts = oracle.texts("v").into_iter().flatten().collect();
    (texts, rejected.into_iter().map(|row| row.cause).collect())
}

/// The digits of a number, without sign, point, exponent and zeros at both ends.
fn digits(number: &str) -> usize {
    let mantissa = number.split(['e', 'E']).next().unwrap();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len()
}

#[test]
fn floats_inside_read_back_the_same_and_are_short() {
    let oracle = Oracle::new();
    let finite = |bits: u64| Some(f64::from_bits(bits)).filter(|number| number.is_finite());
    let doubles = prop::collection::vec(any::<u64>().prop_filter_map("finite", finite), 1..100);
    for (element, pg_type) in [(DeltaType::Double, "float8"), (DeltaType::Float, "real")] {
        let data_type = DeltaType::Array(Box::new(element.clone()));
        oracle.holds(10, &doubles, |numbers| {
            let single = element == DeltaType::Float;
            // A double's bits, folded, make a float of any size.
            let single_of =
                |number: f64| f32::from_bits((number.to_bits() >> 32) as u32 & 0xBFFF_FFFF).into();
            let numbers: Vec<f64> =
                numbers.into_iter().map(|n| if single { single_of(n) } else { n }).collect();
            let values: Vec<_> =
                numbers.iter().map(|number| Tree::Items(vec![Tree::Float(*number)])).collect();
            let (_, causes) = stored(&oracle, &data_type, &values, NulBytePolicy::Fail);
            prop_assert_eq!(causes, []);
            let read_back = oracle.texts(&format!("(v->>0)::{pg_type}"));
            let texts = oracle.texts("v->>0");
            for ((number, read_back), text) in numbers.iter().zip(read_back).zip(texts) {
                let (read_back, text) = (read_back.unwrap(), text.unwrap());
                if single {
                    prop_assert_eq!(read_back.parse::<f32>().unwrap(), *number as f32);
                    prop_assert_eq!(digits(&text), digits(&format!("{:e}", *number as f32)), "{}", text);
                } else {
                    prop_assert_eq!(read_back.parse::<f64>().unwrap(), *number);
                    prop_assert_eq!(digits(&text), digits(&format!("{number:e}")), "{}", text);
                }
            }
            Ok(())
        });
    }
}

#[test]
fn extreme_numbers_are_numbers_in_jsonb() {
    let oracle = Oracle::new();
    let data_type = DeltaType::Array(Box::new(DeltaType::Double));
    let numbers = [1e300, -1e300, 5e-324, f64::MAX, 0.1, 1e16, 123_456_789.125, -0.0];
    let value = Tree::Items(numbers.into_iter().map(Tree::Float).collect());
    stored(&oracle, &data_type, &[value], NulBytePolicy::Fail);
    for (place, number) in numbers.into_iter().enumerate() {
        let found = oracle.texts(&format!("(v->{place})::float8"));
        assert_eq!(found[0].as_ref().unwrap().parse::<f64>().unwrap(), number);
    }
    assert_eq!(oracle.texts("jsonb_typeof(v->0)"), [Some("number".to_owned())]);
    let named =
        Tree::Items([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].into_iter().map(Tree::Float).collect());
    let (texts, _) = stored(&oracle, &data_type, &[named], NulBytePolicy::Fail);
    assert_eq!(texts, ["[\"NaN\", \"Infinity\", \"-Infinity\"]"]);
}

#[test]
fn a_nul_byte_inside_follows_the_policy() {
    let oracle = Oracle::new();
    let text = |text: &str| Tree::Text(text.to_owned());
    let data_type = DeltaType::Array(Box::new(DeltaType::String));
    let values = [Tree::Items(vec![text("a\0b\"")]), Tree::Items(vec![text("c")])];
    for policy in [NulBytePolicy::Fail, NulBytePolicy::Quarantine] {
        let (texts, causes) = stored(&oracle, &data_type, &values, policy);
        assert_eq!((texts, causes), (vec!["[\"c\"]".to_owned()], vec![RejectCause::NulByte]));
    }
    let (texts, causes) = stored(&oracle, &data_type, &values, NulBytePolicy::Strip);
    assert_eq!((texts, causes), (vec!["[\"ab\\\"\"]".to_owned(), "[\"c\"]".to_owned()], vec![]));
    // A key that was unlike another may become like it.
    let data_type = map_of(DeltaType::String, DeltaType::Long);
    let values = [Tree::Entries(vec![(text("k\0"), Tree::Int(1)), (text("k"), Tree::Int(2))])];
    let (_, causes) = stored(&oracle, &data_type, &values, NulBytePolicy::Strip);
    assert_eq!(causes, [RejectCause::DuplicateMapKey { key: "k".to_owned() }]);
}

#[test]
fn keys_that_become_the_same_text_are_refused() {
    let oracle = Oracle::new();
    let entries = |keys: Vec<Tree>| Tree::Entries(keys.into_iter().map(|key| (key, Tree::Null)).collect());
    let duplicate = |key: &str| RejectCause::DuplicateMapKey { key: key.to_owned() };
    let of_floats = map_of(DeltaType::Double, DeltaType::Long);
    let values = [
        entries(vec![Tree::Float(f64::NAN), Tree::Float(1.0), Tree::Float(-f64::NAN)]),
        entries((0..20).chain([7]).map(|key| Tree::Float(key.into())).collect()),
        entries((0..20).map(|key| Tree::Float(key.into())).collect()),
    ];
    let (texts, causes) = stored(&oracle, &of_floats, &values, NulBytePolicy::Fail);
    assert_eq!(causes, [duplicate("NaN"), duplicate("7.0")]);
    assert_eq!(texts.len(), 1);
    // The same key in another object, outside or beside, is no duplicate.
    let inner = map_of(DeltaType::Long, DeltaType::Long);
    let outer = map_of(DeltaType::Long, inner);
    let value = |key| (Tree::Int(key), entries(vec![Tree::Int(1), Tree::Int(2)]));
    let (texts, causes) =
        stored(&oracle, &outer, &[Tree::Entries(vec![value(1), value(2)])], NulBytePolicy::Fail);
    assert_eq!(causes, []);
    assert_eq!(texts, [r#"{"1": {"1": null, "2": null}, "2": {"1": null, "2": null}}"#]);
    // A refused map must not leave its keys to the next one.
    let twice = Tree::Entries(vec![value(1), value(1)]);
    let (_, causes) = stored(&oracle, &outer, &[twice, Tree::Entries(vec![value(1)])], NulBytePolicy::Fail);
    assert_eq!(causes, [duplicate("1")]);
}

#[test]
fn a_key_that_is_nested_is_its_json() {
    let oracle = Oracle::new();
    let data_type = map_of(struct_of("a", DeltaType::String), DeltaType::Long);
    let key = Tree::Items(vec![Tree::Text("x\"y".to_owned())]);
    let (texts, _) =
        stored(&oracle, &data_type, &[Tree::Entries(vec![(key, Tree::Int(1))])], NulBytePolicy::Fail);
    assert_eq!(texts, [r#"{"{\"a\":\"x\\\"y\"}": 1}"#]);
}

#[test]
fn deep_types_are_written_to_the_bottom() {
    let oracle = Oracle::new();
    const DEPTH: usize = 60;
    let data_type = (0..DEPTH).fold(DeltaType::Long, |inner, level| match level % 2 {
        0 => DeltaType::Array(Box::new(inner)),
        _ => struct_of("f", inner),
    });
    let value = (0..DEPTH).fold(Tree::Int(7), |inner, _| Tree::Items(vec![inner]));
    let (texts, causes) = stored(&oracle, &data_type, std::slice::from_ref(&value), NulBytePolicy::Fail);
    assert_eq!(causes, []);
    assert_eq!(texts[0].replace(' ', ""), json(&data_type, &value));
}
