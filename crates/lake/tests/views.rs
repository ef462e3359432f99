//! Changed rows with texts as views: the same rows, within the same bounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use arrow_array::{Array, RecordBatch, cast::AsArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;
use lakefront_lake::{ChangeBase, ChangeBatch, ChangePlan, ChangeUnit, Changes, ScanOptions};
use std::path::Path;
use support::{python, snapshot};

/// Texts of a dictionary, texts of their own, long and short ones, NULL, and texts inside a list; then a commit that
/// rewrites them all.
const TEXTS: &str = r##"
import sys, pyarrow as pa
from deltalake import write_deltalake, DeltaTable
n = 3000
rows = pa.table({
    "id": pa.array(range(n), pa.int64()),
    "few": pa.array([None if i % 11 == 0 else f"{'red' if i % 2 else 'a colour with a long name'}" for i in range(n)]),
    "own": pa.array([f"{i}ü" * (i % 40) for i in range(n)]),
    "long": pa.array(["x" * (3_000_000 if i == 2000 else i) for i in range(n)]),
    "list": pa.array([[f"{i}", None] for i in range(n)], pa.list_(pa.string())),
})
if False:
    rows = rows.drop(["list"])
write_deltalake(sys.argv[1], rows)
DeltaTable(sys.argv[1]).delete("id = 7")
"##;

async fn changes(folder: &Path, options: ScanOptions) -> ChangePlan {
    let base = ChangeBase { version: 0, has_change_data_feed: false };
    match snapshot(folder, None).await.changes_since(base, options).await.unwrap() {
        Changes::Known(plan) => plan,
        Changes::Unknown(why) => panic!("{why}"),
    }
}

fn read(unit: &ChangeUnit) -> Vec<ChangeBatch> {
    unit.read().map(|batch| batch.unwrap()).collect()
}

/// The texts of columns 1 to 3, row by row.
fn texts(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let of = |column: usize| -> Vec<Option<String>> {
        let column = batch.column(column);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        match column.data_type() {
            DataType::Utf8View => column.as_string_view().iter().map(owned).collect(),
            _ => column.as_string::<i32>().iter().map(owned).collect(),
        }
    };
    let columns: Vec<_> = (1..=3).map(of).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect()
}

fn types(batch: &RecordBatch) -> Vec<DataType> {
    (1..=3).map(|column| batch.column(column).data_type().clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn views_show_the_same_rows() {
    let Some(python) = python::interpreter() else { return };
    let folder = tempfile::tempdir().unwrap();
    python::run(&python, &TEXTS.replace("False", "True"), folder.path());
    for batch_bytes in [64 << 10, 8 << 20] {
        let plan = changes(folder.path(), ScanOptions { batch_bytes, ..ScanOptions::default() }).await;
        for unit in &plan.units {
            let plain: Vec<_> = read(unit).iter().flat_map(|batch| texts(&batch.rows)).collect();
            let batches = read(&unit.with_views().unwrap());
            assert!(batches.iter().all(|batch| types(&batch.rows) == [const { DataType::Utf8View }; 3]));
            let viewed: Vec<_> = batches.iter().flat_map(|batch| texts(&batch.rows)).collect();
            assert!(plain == viewed && plain.len() >= 2999, "{batch_bytes} bytes: {} rows", viewed.len());
            let most = batches.iter().map(|batch| batch.rows.num_rows()).max().unwrap();
            assert!(most > 1, "a batch is not divided for the pages that its views are in");
            assert_eq!(batches.len() > 20, batch_bytes == 64 << 10, "{} batches", batches.len());

            // What is kept of them has texts of its own.
            let batch = &batches[0];
            let one = batch.only(BooleanBuffer::collect_bool(batch.rows.num_rows(), |row| row == 1)).unwrap();
            assert_eq!((types(&one.rows), one.rows.num_rows()), (vec![DataType::Utf8; 3], 1));
            assert_eq!(texts(&one.rows), plain[1..2]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_columns_are_read_as_ever() {
    let Some(python) = python::interpreter() else { return };
    let folder = tempfile::tempdir().unwrap();
    python::run(&python, TEXTS, folder.path());
    for unit in &changes(folder.path(), ScanOptions::default()).await.units {
        let batches = read(&unit.with_views().unwrap());
        assert!(batches.iter().all(|batch| types(&batch.rows) == [const { DataType::Utf8 }; 3]));
        let viewed: Vec<_> = batches.iter().flat_map(|batch| texts(&batch.rows)).collect();
        let plain: Vec<_> = read(unit).iter().flat_map(|batch| texts(&batch.rows)).collect();
        assert!(plain == viewed);
    }
}
