//! What a table promises besides its rows: one writer per version, nothing left behind, clear refusals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use lakefront_delta_writer::{
    CommitOptions, DeltaTable, DeltaWriteError, FileLayout, KeyedChanges, Operation, TableSpec,
};

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::Utf8, true),
    ]))
}

fn rows(range: std::ops::Range<i64>) -> RecordBatch {
    let names = StringArray::from_iter_values(range.clone().map(|id| format!("name {id}")));
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(range));
    RecordBatch::try_new(schema(), vec![ids, Arc::new(names)]).unwrap()
}

fn table(folder: &Path, rows_per_file: usize) -> DeltaTable {
    let layout = FileLayout { rows_per_file, rows_per_group: 1000 };
    let spec = TableSpec::new(schema()).with_change_data_feed().with_layout(layout);
    DeltaTable::create(folder, spec).unwrap()
}

fn parquet_files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".parquet")).count()
}

fn everything(rows: &RecordBatch) -> BooleanArray {
    BooleanArray::from(vec![true; rows.num_rows()])
}

#[test]
fn a_version_goes_to_the_first_writer_and_the_other_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = table(folder.path(), 100);
    let mut second = DeltaTable::open(folder.path()).unwrap();
    let _ = first.commit(Operation::Append(vec![rows(0..10)])).unwrap();
    let files = parquet_files(folder.path());
    let refused = second.commit(Operation::Append(vec![rows(10..20)])).unwrap_err();
    assert!(matches!(refused, DeltaWriteError::Conflict { version: 1, .. }), "{refused}");
    assert_eq!(parquet_files(folder.path()), files, "the loser's files are gone");
    assert_eq!(second.refresh().unwrap(), 1);
    let commit = second.commit(Operation::Append(vec![rows(10..20)])).unwrap();
    assert_eq!((commit.version, commit.files_added, commit.rows.inserted), (2, 1, 10));
}

#[test]
fn a_folder_holds_one_table() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(DeltaTable::open(folder.path()), Err(DeltaWriteError::NotATable { .. })));
    let _ = table(folder.path(), 100);
    let twice = DeltaTable::create(folder.path(), TableSpec::new(schema()));
    assert!(matches!(twice, Err(DeltaWriteError::AlreadyExists { .. })));
}

#[test]
fn a_change_by_key_rewrites_only_the_file_that_holds_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = table(folder.path(), 100);
    let _ = table.commit(Operation::Append(vec![rows(0..1000)])).unwrap();
    assert_eq!(table.files().len(), 10);
    let changes = KeyedChanges::by(["id"]).upsert(rows(250..251)).delete(rows(251..252));
    let commit = table.commit(Operation::Merge(changes)).unwrap();
    assert_eq!((commit.files_removed, commit.files_added), (1, 1));
    assert_eq!((commit.rows.inserted, commit.rows.updated, commit.rows.deleted), (0, 1, 1));
    let untouched = KeyedChanges::by(["id"]).delete(rows(5000..5001));
    assert!(!table.commit(Operation::Merge(untouched)).unwrap().written);
}

#[test]
fn keys_must_be_there_and_be_given_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = table(folder.path(), 100);
    let mut refused =
        |changes: KeyedChanges| table.commit(Operation::Merge(changes)).unwrap_err().to_string();
    let twice = KeyedChanges::by(["id"]).upsert(rows(0..2)).delete(rows(1..2));
    assert!(refused(twice).contains("repeats the key"));
    assert!(refused(KeyedChanges::by(["sku"]).upsert(rows(0..1))).contains("no column sku"));
    assert!(
        refused(KeyedChanges::by(Vec::<String>::new()).upsert(rows(0..1))).contains("no column is named")
    );
    let null: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
    let null = RecordBatch::try_from_iter_with_nullable([("name", null, true)]).unwrap();
    assert!(refused(KeyedChanges::by(["name"]).delete(null)).contains("NULL key"));
}

#[test]
fn timestamps_of_commits_always_rise() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = table(folder.path(), 100);
    let at = |timestamp| CommitOptions { timestamp: Some(timestamp), note: Some("n".to_owned()) };
    let far = 4_000_000_000_000;
    let first = table.commit_with(Operation::Append(vec![rows(0..1)]), &at(far)).unwrap();
    let second = table.commit_with(Operation::Append(vec![rows(1..2)]), &at(5)).unwrap();
    assert_eq!((first.timestamp, second.timestamp), (far, far + 1));
}

#[test]
fn columns_and_properties_are_added_and_the_protocol_follows() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = DeltaTable::create(folder.path(), TableSpec::new(schema())).unwrap();
    let _ = table.commit(Operation::Append(vec![rows(0..3)])).unwrap();
    let ntz = DataType::Timestamp(TimeUnit::Microsecond, None);
    let column = Arc::new(Field::new("at", ntz, true));
    let _ = table.commit(Operation::AddColumns(vec![column.clone()])).unwrap();
    let file = table.files().remove(0).path;
    let read = table.read(&file, None).unwrap();
    assert_eq!((read.num_columns(), read["at"].null_count()), (3, 3));
    let twice = table.commit(Operation::AddColumns(vec![column])).unwrap_err();
    assert!(twice.to_string().contains("already has a column"), "{twice}");
    let feed = BTreeMap::from([("delta.enableChangeDataFeed".to_owned(), "true".to_owned())]);
    let _ = table.commit(Operation::SetProperties(feed)).unwrap();
    let log = fs::read_to_string(folder.path().join("_delta_log/00000000000000000003.json")).unwrap();
    assert!(log.contains(r#""minReaderVersion":3,"minWriterVersion":7"#), "{log}");
    assert!(log.contains("changeDataFeed") && log.contains("timestampNtz"), "{log}");
    let _ = table.commit(Operation::delete(|rows| Ok(everything(rows)))).unwrap();
    assert_eq!(parquet_files(&folder.path().join("_change_data")), 1);
}

#[test]
fn an_append_only_table_loses_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let spec = TableSpec::new(schema()).with_property("delta.appendOnly", "true");
    let mut table = DeltaTable::create(folder.path(), spec).unwrap();
    let _ = table.commit(Operation::Append(vec![rows(0..3)])).unwrap();
    let refused = table.commit(Operation::delete(|rows| Ok(everything(rows)))).unwrap_err();
    assert!(refused.to_string().contains("delta.appendOnly"), "{refused}");
}

#[test]
fn a_failing_update_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = table(folder.path(), 10);
    let _ = table.commit(Operation::Append(vec![rows(0..30)])).unwrap();
    let short = Operation::update(
        |rows| Ok(everything(rows)),
        |rows| {
            let first = rows["id"].as_any().downcast_ref::<Int64Array>().unwrap().value(0);
            Ok(if first >= 20 { rows.slice(0, 1) } else { rows.clone() })
        },
    );
    let refused = table.commit(short).unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.contains("1 images for 10 rows"), "{cause}");
    assert_eq!(parquet_files(folder.path()), 3);
    assert_eq!(table.version(), 1);
}

#[test]
fn vacuum_takes_what_no_reader_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = table(folder.path(), 100);
    let _ = table.commit(Operation::Append(vec![rows(0..100)])).unwrap();
    for _ in 0..3 {
        let _ = table.commit(Operation::Merge(KeyedChanges::by(["id"]).upsert(rows(5..6)))).unwrap();
    }
    let hour = table.vacuum(Duration::from_secs(3600)).unwrap();
    assert_eq!((hour.files, hour.log_files), (0, 0));
    table.checkpoint().unwrap();
    let all = table.vacuum(Duration::ZERO).unwrap();
    assert_eq!((all.files, all.log_files), (6, 4));
    assert_eq!(parquet_files(folder.path()), 1);
    let mut reopened = DeltaTable::open(folder.path()).unwrap();
    assert_eq!((reopened.version(), reopened.files().len()), (4, 1));
    assert_eq!(reopened.commit(Operation::Append(vec![rows(200..201)])).unwrap().version, 5);
}

#[test]
fn tables_beyond_this_writer_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _ = table(folder.path(), 100);
    let first = folder.path().join("_delta_log/00000000000000000000.json");
    let log = fs::read_to_string(&first).unwrap();
    let cases = [
        (r#""changeDataFeed""#, r#""rowTracking""#, "the table feature rowTracking"),
        (r#""partitionColumns":[]"#, r#""partitionColumns":["id"]"#, "partitioning"),
        (r#""minWriterVersion":7"#, r#""minWriterVersion":6"#, "writer version 6"),
        (r#"{\"metadata\":{}"#, r#"{\"metadata\":{\"delta.invariants\":\"x\"}"#, "delta.invariants"),
        (r#""delta.enableChangeDataFeed""#, r#""delta.constraints.c""#, "delta.constraints.c"),
    ];
    for (from, to, named) in cases {
        assert!(log.contains(from), "{from} in {log}");
        fs::write(&first, log.replacen(from, to, 1)).unwrap();
        let refused = DeltaTable::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(named), "{refused}");
    }
    fs::write(&first, &log[..log.len() / 2]).unwrap();
    let refused = DeltaTable::open(folder.path()).unwrap_err();
    assert!(matches!(refused, DeltaWriteError::MalformedLog { .. }), "{refused}");
}
