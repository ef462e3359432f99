//! pgvector's vector and halfvec.

use crate::oracle::{Kind, Oracle};
use arrow_array::builder::{
    FixedSizeListBuilder, Float32Builder, Float64Builder, LargeListBuilder, ListBuilder,
};
use arrow_array::*;
use lakefront_model::{DeltaType, NulBytePolicy, PgType};
use lakefront_postgres::encode::RejectCause;
use proptest::prelude::*;
use std::sync::Arc;

/// Arrays of double (the first of which is not seen: it is sliced off) or of float.
fn lists(rows: &[Option<Vec<Option<f64>>>], double: bool) -> ArrayRef {
    if double {
        let mut builder = LargeListBuilder::new(Float64Builder::new());
        rows.iter().for_each(|row| builder.append_option(row.clone()));
        Arc::new(builder.finish())
    } else {
        let mut builder = ListBuilder::new(Float32Builder::new());
        for row in rows {
            builder.append_option(row.clone().map(|row| row.into_iter().map(|x| x.map(|x| x as f32))));
        }
        Arc::new(builder.finish())
    }
}

fn array_of(element: DeltaType) -> DeltaType {
    DeltaType::Array(Box::new(element))
}

/// The server makes the same vector from the numbers as text: through `float8[]`, pgvector's own casts.
#[test]
fn vectors_are_what_pgvector_makes_of_the_array() {
    let oracle = Oracle::new();
    let sizes = prop::sample::select(vec![1usize, 3, 64, 65, 130]);
    // Within a half's range, with ties, subnormals of both element types, and signs of zero.
    let ties = vec![
        0.0,
        -0.0,
        65_504.0,
        2_049.0,
        2_051.0,
        6e-8,
        2.98e-8,
        1e-46,
        1.0 + 2f64.powi(-11),
        1.0 + 3.0 * 2f64.powi(-11),
    ];
    let number = prop_oneof![prop::sample::select(ties), -65_000.0..65_000.0, -1.0..1.0f64];
    let rows = sizes.prop_flat_map(move |size| {
        let row = prop::option::weighted(0.8, prop::collection::vec(number.clone(), size));
        (Just(size), prop::collection::vec(row, 1..12), any::<bool>(), any::<bool>())
    });
    oracle.holds(60, &rows, |(size, rows, double, half)| {
        let pg_type = if half { PgType::Halfvec(size as u32) } else { PgType::Vector(size as u32) };
        let source = array_of(if double { DeltaType::Double } else { DeltaType::Float });
        let cells: Vec<_> =
            rows.iter().map(|row| row.as_ref().map(|row| row.iter().map(|x| Some(*x)).collect())).collect();
        let single = |x: &f64| if double { *x } else { f64::from(*x as f32) };
        let text = |row: &Vec<f64>| {
            format!("{{{}}}", row.iter().map(|x| format!("{:e}", single(x))).collect::<Vec<_>>().join(","))
        };
        let expected = rows.iter().map(|row| row.as_ref().map(text)).collect();
        let condition =
            format!("v::text IS NOT DISTINCT FROM (x::float8[])::{}::text AND n IS NOT NULL", pg_type.sql());
        let kind = Kind::new(source, pg_type);
        let found = oracle.disagreements(&kind, &lists(&cells, double), expected, &condition);
        prop_assert_eq!(found, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn a_list_of_fixed_size_is_an_array_too() {
    let oracle = Oracle::new();
    let mut builder = FixedSizeListBuilder::new(Float32Builder::new(), 2);
    for row in 0..4 {
        builder.values().append_slice(&[row as f32, 0.5]);
        builder.append(row != 1);
    }
    let array: ArrayRef = Arc::new(builder.finish());
    let kind = Kind::new(array_of(DeltaType::Float), PgType::Vector(2));
    assert_eq!(oracle.copy(&kind, &array, NulBytePolicy::Fail), []);
    let expected = [Some("[0,0.5]"), None, Some("[2,0.5]"), Some("[3,0.5]")];
    assert_eq!(oracle.texts("v"), expected.map(|text| text.map(str::to_owned)));
}

#[test]
fn what_pgvector_refuses_is_refused_with_its_place() {
    let oracle = Oracle::new();
    let good = Some(vec![Some(1.0), Some(2.0)]);
    let rows = [
        good.clone(),
        Some(vec![Some(1.0)]),
        Some(vec![]),
        Some(vec![Some(1.0), None]),
        Some(vec![Some(f64::NAN), Some(1.0)]),
        Some(vec![Some(1.0), Some(f64::NEG_INFINITY)]),
        Some(vec![Some(1.0), Some(65_520.0)]),
        Some(vec![Some(1.0), Some(1e39)]),
        None,
        good,
    ];
    for (pg_type, double) in
        [(PgType::Vector(2), false), (PgType::Vector(2), true), (PgType::Halfvec(2), true)]
    {
        let source = array_of(if double { DeltaType::Double } else { DeltaType::Float });
        let half = matches!(pg_type, PgType::Halfvec(_));
        let rejected = oracle.copy(&Kind::new(source, pg_type), &lists(&rows, double), NulBytePolicy::Fail);
        let causes: Vec<_> = rejected.iter().map(|row| (row.row, row.cause.clone())).collect();
        let element = |place, found: &str| RejectCause::VectorElement { place, found: found.to_owned() };
        let mut expected = vec![
            (1, RejectCause::VectorLength { wanted: 2, found: 1 }),
            (2, RejectCause::VectorLength { wanted: 2, found: 0 }),
            (3, element(2, "NULL")),
            (4, element(1, "NaN")),
            (5, element(2, "-inf")),
        ];
        if half {
            expected.push((6, element(2, "65520")));
        }
        expected
            .push((7, element(2, if double { "1000000000000000000000000000000000000000" } else { "inf" })));
        assert_eq!(causes, expected);
        assert_eq!(oracle.texts("v").len(), rows.len() - expected.len());
    }
}
