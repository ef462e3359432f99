//! text, varchar, bytea, in every Arrow layout.

use crate::oracle::{Kind, Oracle, column, or_null};
use arrow_array::*;
use lakefront_model::{DeltaType, NulBytePolicy, PgType};
use lakefront_postgres::encode::RejectCause;
use proptest::prelude::*;
use std::sync::Arc;

/// Text without 0x00: short, long, and with characters of every width.
pub fn text() -> impl Strategy<Value = String> {
    let letters = vec![
        'a',
        'Z',
        ' ',
        '"',
        '\\',
        '\n',
        '\t',
        '\u{1}',
        '\u{7f}',
        'ß',
        '漢',
        '😀',
        '\u{10ffff}',
        '\u{2028}',
    ];
    let letter = prop_oneof![
        3 => prop::sample::select(letters),
        1 => any::<char>().prop_filter("PostgreSQL has no 0x00", |&letter| letter != '\0'),
    ];
    prop_oneof![
        4 => prop::collection::vec(letter.clone(), 0..12),
        1 => prop::collection::vec(letter, 30..90),
    ]
    .prop_map(String::from_iter)
}

/// The same strings in one of Arrow's layouts.
pub fn layout(values: &[Option<String>], which: usize) -> ArrayRef {
    let values = values.iter().map(Option::as_deref);
    match which % 3 {
        0 => Arc::new(StringArray::from_iter(values)),
        1 => Arc::new(LargeStringArray::from_iter(values)),
        _ => Arc::new(StringViewArray::from_iter(values)),
    }
}

#[test]
fn text_is_kept() {
    let oracle = Oracle::new();
    let kind = Kind::new(DeltaType::String, PgType::Text);
    oracle.holds(40, &(column(text()), 0..3usize), |(values, which)| {
        let found = oracle.disagreements(&kind, &layout(&values, which), values, &or_null("v = x"));
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn bytea_is_kept() {
    let oracle = Oracle::new();
    let kind = Kind::new(DeltaType::Binary, PgType::Bytea);
    let bytes = column(prop::collection::vec(any::<u8>(), 0..80));
    oracle.holds(30, &(bytes, 0..3usize), |(values, which)| {
        let bytes = values.iter().map(Option::as_deref);
        let array: ArrayRef = match which {
            0 => Arc::new(BinaryArray::from_iter(bytes)),
            1 => Arc::new(LargeBinaryArray::from_iter(bytes)),
            _ => Arc::new(BinaryViewArray::from_iter(bytes)),
        };
        let hex = |bytes: &Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let expected = values.iter().map(|value| value.as_ref().map(hex)).collect();
        let found = oracle.disagreements(&kind, &array, expected, &or_null("encode(v, 'hex') = x"));
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
    let fixed: ArrayRef =
        Arc::new(FixedSizeBinaryArray::try_from_iter([[0u8, 1], [255, 254]].iter()).unwrap());
    let expected = vec![Some("0001".into()), Some("fffe".into())];
    assert_eq!(oracle.disagreements(&kind, &fixed, expected, "encode(v, 'hex') = x"), [""; 0]);
}

/// PostgreSQL's own `char_length` says whether a string fits.
#[test]
fn varchar_takes_what_fits_and_nothing_is_cut() {
    let oracle = Oracle::new();
    let strings = column(prop_oneof![text(), "a{4,6} {0,3}", "漢{4,6}"]);
    oracle.holds(40, &(strings, 0..3usize), |(values, which)| {
        const MAX: usize = 5;
        let kind = Kind::new(DeltaType::String, PgType::Varchar(MAX as u32));
        let rejected = oracle.copy(&kind, &layout(&values, which), NulBytePolicy::Fail);
        let mut expected = Vec::new();
        for (row, value) in values.iter().enumerate() {
            let found = value.as_ref().map_or(0, |value| value.chars().count());
            if found > MAX {
                let rejection = rejected.iter().find(|rejected| rejected.row == row);
                let cause = rejection.map(|rejected| rejected.cause.clone());
                prop_assert_eq!(cause, Some(RejectCause::VarcharLength { max: MAX as u32, found }));
            } else {
                expected.push(value.clone());
            }
        }
        prop_assert_eq!(oracle.texts("v"), expected);
        Ok(())
    });
}

#[test]
fn a_nul_byte_follows_the_policy_in_every_layout() {
    let oracle = Oracle::new();
    let values = [Some("a\0b\0".to_owned()), None, Some("c".to_owned()), Some("\0".to_owned())];
    for pg_type in [PgType::Text, PgType::Varchar(2)] {
        let kind = Kind::new(DeltaType::String, pg_type);
        for which in 0..3 {
            let array = layout(&values, which);
            for policy in [NulBytePolicy::Fail, NulBytePolicy::Quarantine] {
                let rejected = oracle.copy(&kind, &array, policy);
                assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0, 3]);
                assert!(rejected.iter().all(|row| row.cause == RejectCause::NulByte && &*row.column == "v"));
                assert_eq!(oracle.texts("v"), [None, Some("c".to_owned())]);
            }
            assert_eq!(oracle.copy(&kind, &array, NulBytePolicy::Strip), []);
            let stored = oracle.texts("v");
            assert_eq!(stored, [Some("ab".to_owned()), None, Some("c".to_owned()), Some(String::new())]);
        }
    }
}
