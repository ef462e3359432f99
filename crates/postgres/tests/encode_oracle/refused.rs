//! Rows that are refused, columns that do not fit, and rows as text.

use crate::oracle::Kind;
use crate::tree::{Tree, array};
use arrow_array::*;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use lakefront_model::{Condition, DeltaType, NulBytePolicy, PgType, StructField, TargetColumn};
use lakefront_postgres::encode::{CopyBuffer, RejectCause, RejectedRow, RowEncoder, RowTexts};
use std::sync::Arc;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn encode(batch: &RecordBatch, columns: &[TargetColumn]) -> (Vec<u8>, Vec<RejectedRow>) {
    let encoder = RowEncoder::new(batch.schema_ref(), columns, NulBytePolicy::Fail).unwrap();
    let (mut out, mut rejected) = (CopyBuffer::default(), Vec::new());
    let rows = batch.num_rows();
    let encoded = encoder.bind(batch).unwrap().encode(0..rows, usize::MAX, &mut out, &mut rejected);
    assert_eq!((encoded.consumed, encoded.written), (rows, rows - rejected.len()));
    (out.take(), rejected)
}

fn sample() -> (RecordBatch, Vec<TargetColumn>) {
    let ids = Int64Array::from(vec![Some(1), None, Some(3)]);
    let names = StringArray::from(vec![Some("a"), Some("b\0\u{1b}"), Some("c\0")]);
    let prices = Decimal128Array::from(vec![150, 7, 9]).with_precision_and_scale(10, 2).unwrap();
    let batch = batch(vec![
        ("id", Arc::new(ids)),
        ("skipped", Arc::new(NullArray::new(3))),
        ("name", Arc::new(names)),
        ("price", Arc::new(prices)),
    ]);
    let decimal = DeltaType::Decimal { precision: 10, scale: 2 };
    let columns = vec![
        Kind::new(DeltaType::Long, PgType::BigInt).target(0, "id", true),
        Kind::new(DeltaType::String, PgType::Text).target(2, "name", false),
        Kind::new(decimal, PgType::Numeric { precision: 10, scale: 2 }).target(3, "price", false),
    ];
    (batch, columns)
}

#[test]
fn a_refused_row_leaves_no_bytes() {
    let (batch, columns) = sample();
    let (out, rejected) = encode(&batch, &columns);
    let (only, _) = encode(&batch.slice(0, 1), &columns);
    assert_eq!(out, only);
    let found: Vec<_> = rejected.iter().map(|row| (row.row, &*row.column, row.cause.clone())).collect();
    assert_eq!(found, [(1, "id", RejectCause::NullKey), (2, "name", RejectCause::NulByte)]);
    assert_eq!(rejected[0].to_string(), "column \"id\": the value is NULL, and the column is NOT NULL");
    assert_eq!(
        rejected[1].to_string(),
        "column \"name\": the string holds a 0x00 byte, which PostgreSQL cannot store"
    );
    assert_eq!(rejected[0].cause.condition(), Condition::NullPrimaryKey);
    assert_eq!(rejected[1].cause.condition(), Condition::CharacterNotInRepertoire);
}

#[test]
fn a_decimal_wider_than_its_type_is_refused() {
    let array =
        Decimal128Array::from(vec![99_999, 100_000, -100_000]).with_precision_and_scale(38, 2).unwrap();
    let batch = batch(vec![("d", Arc::new(array))]);
    let numeric = PgType::Numeric { precision: 5, scale: 2 };
    let (_, rejected) = encode(
        &batch,
        &[Kind::new(DeltaType::Decimal { precision: 5, scale: 2 }, numeric).target(0, "d", false)],
    );
    let texts: Vec<_> = rejected.iter().map(RejectedRow::to_string).collect();
    assert_eq!(
        texts[0],
        "column \"d\": 1000.00 is outside the range of numeric(5,2) (5 digits, 2 of them after the point)"
    );
    assert_eq!(rejected[1].row, 2);
}

#[test]
fn rows_as_text() {
    let (batch, columns) = sample();
    let texts = RowTexts::bind(&batch, &columns).unwrap();
    assert_eq!(texts.key(0, &[0]), "id=1");
    assert_eq!(texts.key(1, &[0, 1]), "(id, name)=(NULL, b\\u0000\\u001b)");
    assert_eq!(texts.json(1), r#"{"id":null,"name":"b\u0000\u001b","price":0.07}"#);
    let long = batch_of_one_string(&"é".repeat(300));
    let column = [Kind::new(DeltaType::String, PgType::Text).target(0, "s", false)];
    assert_eq!(RowTexts::bind(&long, &column).unwrap().key(0, &[0]), format!("s={}…", "é".repeat(200)));
}

fn batch_of_one_string(text: &str) -> RecordBatch {
    batch(vec![("s", Arc::new(StringArray::from(vec![text])))])
}

#[test]
fn a_record_of_a_row_keeps_what_jsonb_refuses() {
    let map = DeltaType::Map(Box::new(DeltaType::String), Box::new(DeltaType::Long));
    let text = |text: &str| Tree::Text(text.to_owned());
    let value = Tree::Entries(vec![(text("k\0"), Tree::Int(1)), (text("k\0"), Tree::Int(2))]);
    let struct_type =
        DeltaType::Struct(vec![StructField::new("m", map), StructField::new("gone", DeltaType::Void)]);
    let column = array(&struct_type, &[&Tree::Items(vec![value])]);
    let batch = batch(vec![("s", column)]);
    let columns = [Kind::new(struct_type, PgType::Jsonb).target(0, "s", false)];
    assert_eq!(RowTexts::bind(&batch, &columns).unwrap().json(0), r#"{"s":{"m":{"k\u0000":1,"k\u0000":2}}}"#);
}

/// What cannot be written as asked is said when the encoder is made, before a row is read.
#[test]
fn columns_that_do_not_fit_are_named() {
    let fits = |read_as: DataType, source: DeltaType, pg_type: PgType| {
        let schema = Schema::new(vec![Field::new("c", read_as, true)]);
        let column = Kind::new(source, pg_type).target(0, "c", false);
        RowEncoder::new(&schema, &[column], NulBytePolicy::Fail)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(fits(DataType::Int64, DeltaType::Long, PgType::BigInt), Ok(()));
    assert_eq!(
        fits(DataType::Int32, DeltaType::Long, PgType::BigInt),
        Err("column \"c\" (long) was read as Int32, which cannot be written as bigint".to_owned())
    );
    // Another scale would be rounded by the server without a word.
    let decimal = DeltaType::Decimal { precision: 10, scale: 2 };
    let numeric = PgType::Numeric { precision: 10, scale: 2 };
    assert!(fits(DataType::Decimal128(10, 3), decimal, numeric).is_err());
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    assert!(fits(micros.clone(), DeltaType::Timestamp, PgType::Timestamptz).is_ok());
    assert!(fits(micros, DeltaType::Timestamp, PgType::Date).is_err());
    let list = |item| DataType::List(Arc::new(Field::new("element", item, true)));
    let strings = DeltaType::Array(Box::new(DeltaType::String));
    assert!(fits(list(DataType::Utf8), strings.clone(), PgType::Jsonb).is_ok());
    assert!(fits(list(DataType::Utf8), strings.clone(), PgType::Vector(3)).is_err());
    assert_eq!(
        fits(list(list(DataType::Int8)), DeltaType::Array(Box::new(strings)), PgType::Jsonb),
        Err("column \"c\" (array<array<string>>) was read as Int8, which cannot be written as jsonb"
            .to_owned())
    );
}

#[test]
fn a_column_in_another_place_is_missed() {
    let schema =
        Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Int64, true)]);
    let column = |place| Kind::new(DeltaType::Long, PgType::BigInt).target(place, "a", false);
    assert!(RowEncoder::new(&schema, &[column(0)], NulBytePolicy::Fail).is_ok());
    for place in [1, 2] {
        let error = RowEncoder::new(&schema, &[column(place)], NulBytePolicy::Fail).unwrap_err();
        let place =
            format!("column \"a\" is not at place {place} of the rows that were read; they have: a, b");
        assert_eq!(error.to_string(), place);
    }
}
