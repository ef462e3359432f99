//! Tables that the Python package `deltalake` (or pyarrow and a log written by hand) makes for the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use lakefront_lake::{Location, ScanOptions, ScanUnit};
use std::path::Path;
use support::{lake, python, rows, small_steps, snapshot};

/// Compares with all independent readers, at every version asked for.
async fn compare(python: &Path, table: &Path, versions: &[Option<u64>]) {
    let name = |version: &Option<u64>| match version {
        Some(version) => format!("{}@{version}", table.display()),
        None => table.display().to_string(),
    };
    let wanted: Vec<String> = versions.iter().map(name).collect();
    let others = python::read_all(python, &wanted);
    for version in versions {
        let snapshot = snapshot(table, *version).await;
        let ours = rows(&snapshot, ScanOptions::default()).await.unwrap();
        for reader in ["replay", "deltalake", "duckdb"] {
            let theirs = others[&name(version)][reader].as_ref().unwrap_or_else(|e| panic!("{reader}: {e}"));
            assert_eq!(theirs, &ours, "{} as {reader} reads it", name(version));
        }
        assert_eq!(rows(&snapshot, small_steps()).await.unwrap(), ours);
    }
}

const ALL_TYPES: &str = r##"
import sys, datetime as d, decimal, pyarrow as pa
from deltalake import write_deltalake
D = decimal.Decimal
micros = lambda *v: pa.array(v, pa.int64())
table = pa.table({
    "id": pa.array(range(5), pa.int64()),
    "flag": pa.array([True, False, None, True, False]),
    "i8": pa.array([-128, 127, 0, None, 1], pa.int8()),
    "i16": pa.array([-32768, 32767, 0, None, 1], pa.int16()),
    "i32": pa.array([-2**31, 2**31 - 1, 0, None, 1], pa.int32()),
    "i64": pa.array([-2**63, 2**63 - 1, 0, None, 1], pa.int64()),
    "f32": pa.array([float("nan"), float("-inf"), -0.0, None, 1e-45], pa.float32()),
    "f64": pa.array([float("nan"), float("inf"), -0.0, None, 5e-324], pa.float64()),
    "dec": pa.array([D("-12345678901234567890.123456789012345678"), D("0.000000000000000001"), D(0), None, D(1)], pa.decimal128(38, 18)),
    "small": pa.array([D("-99.99"), D("99.99"), D("0.00"), None, D("0.01")], pa.decimal128(4, 2)),
    "text": pa.array(["", "ü\u2028\"\\\n", "x" * 3000, None, "\u0001\U0001f600"]),
    "bytes": pa.array([b"", bytes(range(256)), b"\0", None, b"x"], pa.binary()),
    "day": pa.array([-719162, 2932896, 0, None, 1], pa.int32()).cast(pa.date32()),
    "ts": pa.array([-62135596800000000, 253402300799999999, 0, None, 1], pa.int64()).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
    "ntz": pa.array([-62135596800000000, 253402300799999999, -1, None, 1], pa.int64()).cast(pa.timestamp("us")),
    "list": pa.array([[1, None, 3], [], None, [7], [None]], pa.list_(pa.int32())),
    "struct": pa.array([{"a": 1, "b": {"c": ["x", None]}}, {"a": None, "b": None}, None, {"a": 2, "b": {"c": []}}, {"a": 3, "b": {"c": None}}], pa.struct([("a", pa.int16()), ("b", pa.struct([("c", pa.list_(pa.string()))]))])),
    "map": pa.array([[("k", 1.5), ("j", None)], [], None, [("", 0.0)], [("z", -1.0)]], pa.map_(pa.string(), pa.float64())),
})
write_deltalake(sys.argv[1], table)
"##;

#[tokio::test(flavor = "multi_thread")]
async fn all_types_with_their_edges() {
    let Some(python) = python::interpreter() else { return };
    let folder = tempfile::tempdir().unwrap();
    python::run(&python, ALL_TYPES, folder.path());
    compare(&python, folder.path(), &[None]).await;
}

/// Decimals are positive: deltalake 1.6 writes -1.05 as "-1.-5" into the log, which no reader can read back.
const PARTITIONS: &str = r##"
import sys, decimal, pyarrow as pa
from deltalake import write_deltalake
n = 8
table = pa.table({
    "id": pa.array(range(n), pa.int64()),
    "p_text": pa.array(["a b", "ü/%25", "x=1&y:2", None, "#?", "'\"", "plain", "+"]),
    "p_int": pa.array([1, -2, None, 4, 5, 6, 7, 8], pa.int32()),
    "p_day": pa.array([0, 1, None, -719162, 4, 5, 6, 2932896], pa.int32()).cast(pa.date32()),
    "p_ts": pa.array([0, 1, None, -1, 253402300799999999, 5, 6, 7], pa.int64()).cast(pa.timestamp("us", "UTC")),
    "p_ntz": pa.array([0, 123456, None, -1, 4, 5, 6, 7], pa.int64()).cast(pa.timestamp("us")),
    "p_flag": pa.array([True, False, None, True, True, True, True, True]),
    "p_dec": pa.array([decimal.Decimal("1.10"), None, *[decimal.Decimal("1.05")] * 6], pa.decimal128(5, 2)),
    "v": pa.array([f"v{i}" for i in range(n)]),
})
write_deltalake(sys.argv[1], table, partition_by=["p_text", "p_int", "p_day", "p_ts", "p_ntz", "p_flag", "p_dec"])
"##;

#[tokio::test(flavor = "multi_thread")]
async fn partitions_of_each_type() {
    let Some(python) = python::interpreter() else { return };
    let folder = tempfile::tempdir().unwrap();
    python::run(&python, PARTITIONS, folder.path());
    compare(&python, folder.path(), &[None]).await;
}

const HISTORY: &str = r##"
import sys, pyarrow as pa
from deltalake import write_deltalake, DeltaTable
path = sys.argv[1]
rows = lambda ids: pa.table({"id": pa.array(ids, pa.int64()), "v": pa.array([f"v{i}" for i in ids])})
write_deltalake(path, rows(range(10)), configuration={"delta.enableChangeDataFeed": "true"}, description="what it is")
for i in range(1, 12):
    write_deltalake(path, rows(range(10 * i, 10 * i + 10)), mode="append")
table = DeltaTable(path)
table.update(updates={"v": "'seven'"}, predicate="id % 7 = 0")
table.delete("id % 5 = 0")
table.create_checkpoint()
wider = pa.table({"id": pa.array([1000, 1001], pa.int64()), "w": pa.array([1.5, None])})
write_deltalake(path, wider, mode="append", schema_mode="merge")
table = DeltaTable(path)
table.optimize.compact()
table.merge(rows([1, 2, 5000]), "s.id = t.id", "s", "t").when_matched_update(updates={"v": "'merged'"}).when_not_matched_insert(updates={"id": "s.id", "v": "s.v"}).execute()
table.restore(3)
write_deltalake(path, rows([7, 8]), mode="overwrite")
"##;

#[tokio::test(flavor = "multi_thread")]
async fn each_version_of_a_history() {
    let Some(python) = python::interpreter() else { return };
    let folder = tempfile::tempdir().unwrap();
    python::run(&python, HISTORY, folder.path());
    let latest = snapshot(folder.path(), None).await;
    assert_eq!(latest.version(), 18);
    let versions: Vec<Option<u64>> = (0..=18).map(Some).collect();
    compare(&python, folder.path(), &versions).await;
    assert_eq!(latest.comment(), Some("what it is"));
    assert!(latest.has_change_data_feed());
    assert_eq!(snapshot(folder.path(), Some(3)).await.table_id(), latest.table_id());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let age = now as i64 - latest.committed_at().unwrap();
    assert!((0..600_000).contains(&age), "{age} ms");
    let table = lake().open(&Location::from_path(folder.path()).unwrap()).await.unwrap();
    for known in 0..=18 {
        assert_eq!(table.latest_version(known).await.unwrap(), 18);
    }
    assert_eq!(table.latest_version(40).await.unwrap(), 18, "made again, or cut");
}

/// One file with row groups of 20,000, 20,000 and 10,000 rows, and rows deleted on both sides of each edge.
const ROW_GROUPS: &str = r##"
import sys, os, json, struct, pyarrow as pa, pyarrow.parquet as pq
path, n = sys.argv[1], 50_000
os.makedirs(path + "/_delta_log")
table = pa.table({
    "id": pa.array(range(n), pa.int64()),
    "text": pa.array([None if i % 11 == 0 else f"text {i % 1000}" for i in range(n)]),
    "list": pa.array([None if i % 13 == 0 else list(range(i % 5)) for i in range(n)], pa.list_(pa.int32())),
    "price": pa.array([i / 3 for i in range(n)], pa.float64()),
})
pq.write_table(table, path + "/a.parquet", row_group_size=20_000, data_page_size=20_000, version="1.0")
assert pq.ParquetFile(path + "/a.parquet").num_row_groups == 3
deleted = sorted({0, 1, 16_383, 16_384, 19_999, 20_000, 20_001, 39_999, 40_000, 49_999, *range(25_000, 33_000, 3)})
alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
def z85(data):
    out = ""
    for i in range(0, len(data), 4):
        number, coded = int.from_bytes(data[i:i + 4], "big"), ""
        for _ in range(5):
            number, digit = divmod(number, 85)
            coded = alphabet[digit] + coded
        out += coded
    return out
rows = struct.pack(f"<{len(deleted)}H", *deleted)
assert deleted[-1] < 65536 and len(deleted) <= 4096
bitmap = struct.pack("<IIHHI", 12346, 1, 0, len(deleted) - 1, 16) + rows
data = struct.pack("<iQI", 1681511377, 1, 0) + bitmap
data += b"\0" * (-len(data) % 4)
field = lambda name, kind: {"name": name, "type": kind, "nullable": True, "metadata": {}}
schema = {"type": "struct", "fields": [field("id", "long"), field("text", "string"), field("list", {"type": "array", "elementType": "integer", "containsNull": True}), field("price", "double")]}
features = ["deletionVectors"]
actions = [
    {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features}},
    {"metaData": {"id": "an-id", "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps(schema), "partitionColumns": [], "configuration": {}, "createdTime": 0}},
    {"add": {"path": "a.parquet", "partitionValues": {}, "size": os.path.getsize(path + "/a.parquet"), "modificationTime": 0, "dataChange": True, "stats": json.dumps({"numRecords": n}),
             "deletionVector": {"storageType": "i", "pathOrInlineDv": z85(data), "sizeInBytes": len(data), "cardinality": len(deleted)}}},
]
with open(path + "/_delta_log/00000000000000000000.json", "w") as log:
    log.write("\n".join(map(json.dumps, actions)))
"##;

fn ids(unit: &ScanUnit) -> Vec<i64> {
    let batches = unit.read().map(|batch| batch.unwrap());
    batches.flat_map(|batch| batch["id"].as_primitive::<Int64Type>().values().to_vec()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_vectors_count_over_row_groups() {
    let Some(python) = python::interpreter() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t");
    python::run(&python, ROW_GROUPS, &path);
    compare(&python, &path, &[None]).await;
    let snapshot = snapshot(&path, None).await;
    let expected: Vec<i64> = {
        let edges = [0, 1, 16_383, 16_384, 19_999, 20_000, 20_001, 39_999, 40_000, 49_999];
        let deleted =
            |id: &i64| edges.contains(id) || (25_000..33_000).contains(id) && (id - 25_000) % 3 == 0;
        (0..50_000).filter(|id| !deleted(id)).collect()
    };
    let mut divisions = Vec::new();
    for unit_bytes in [1, 50_000, 150_000, 300_000, u64::MAX] {
        for batch_rows in [1, 1000, 8192, 100_000] {
            if batch_rows == 1 && unit_bytes != 1 {
                continue;
            }
            let options = ScanOptions { unit_bytes, batch_rows, ..ScanOptions::default() };
            let plan = snapshot.scan(options).await.unwrap();
            assert_eq!(plan.rows, Some(expected.len() as u64));
            let parts: Vec<Vec<i64>> = plan.units.iter().map(ids).collect();
            assert_eq!(parts.concat(), expected, "{unit_bytes} {batch_rows}: in order, each once");
            divisions.push(parts.len());
        }
    }
    divisions.dedup();
    assert!(divisions.len() >= 2 && divisions[0] >= 3 && divisions.last() == Some(&1), "{divisions:?}");
}

/// Long texts behind a dictionary, which the file's metadata hides, and one row larger than a batch may be.
const WIDE: &str = r##"
import sys, os, json, pyarrow as pa
from deltalake import write_deltalake
n = 3000
text = [chr(97 + i % 7) * 20_000 for i in range(n)]
text[1500] = "x" * 3_000_000
write_deltalake(sys.argv[1], pa.table({"id": pa.array(range(n), pa.int64()), "text": pa.array(text)}))
"##;

fn bytes_of(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_bounded_by_bytes() {
    let Some(python) = python::interpreter() else { return };
    let folder = tempfile::tempdir().unwrap();
    python::run(&python, WIDE, folder.path());
    let batch_bytes = 1 << 20;
    let options = ScanOptions { batch_bytes, ..ScanOptions::default() };
    let plan = snapshot(folder.path(), None).await.scan(options).await.unwrap();
    let mut next = 0;
    let mut single = 0;
    for unit in &plan.units {
        for batch in unit.read() {
            let batch = batch.unwrap();
            assert!(bytes_of(&batch) <= batch_bytes || batch.num_rows() == 1, "{}", bytes_of(&batch));
            single += usize::from(bytes_of(&batch) > batch_bytes);
            for id in batch["id"].as_primitive::<Int64Type>().values() {
                assert_eq!(*id, next);
                next += 1;
            }
        }
    }
    assert_eq!((next, single), (3000, 1));
}

/// INT96 timestamps as old writers make them, from year 1 to year 9999: nanoseconds would wrap around.
const INT96: &str = r##"
import sys, os, json, pyarrow as pa, pyarrow.parquet as pq
path = sys.argv[1]
os.makedirs(path + "/_delta_log")
micros = [-62135596800000000, 253402300799999999, 0, None, 1, -1]
ts = pa.array(micros, pa.int64()).cast(pa.timestamp("us"))
lists = pa.ListArray.from_arrays(pa.array([0, 2, 2, 6], pa.int32()), ts)
table = pa.table({"id": pa.array([0, 1, 2], pa.int64()), "ts": ts[:3], "list": lists})
pq.write_table(table, path + "/a.parquet", use_deprecated_int96_timestamps=True)
assert "int96" in str(pq.ParquetFile(path + "/a.parquet").schema)
field = lambda name, kind: {"name": name, "type": kind, "nullable": True, "metadata": {}}
schema = {"type": "struct", "fields": [field("id", "long"), field("ts", "timestamp"), field("list", {"type": "array", "elementType": "timestamp", "containsNull": True})]}
actions = [
    {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
    {"metaData": {"id": "an-id", "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps(schema), "partitionColumns": [], "configuration": {}, "createdTime": 0}},
    {"add": {"path": "a.parquet", "partitionValues": {}, "size": os.path.getsize(path + "/a.parquet"), "modificationTime": 0, "dataChange": True}},
]
with open(path + "/_delta_log/00000000000000000000.json", "w") as log:
    log.write("\n".join(map(json.dumps, actions)))
"##;

#[tokio::test(flavor = "multi_thread")]
async fn far_int96_timestamps() {
    let Some(python) = python::interpreter() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t");
    python::run(&python, INT96, &path);
    let snapshot = snapshot(&path, None).await;
    let ours = rows(&snapshot, ScanOptions::default()).await.unwrap();
    assert_eq!(
        ours,
        [
            r##"[0,["ts",-62135596800000000],["list",["ts",-62135596800000000],["ts",253402300799999999]]]"##,
            r##"[1,["ts",253402300799999999],["list"]]"##,
            r##"[2,["ts",0],["list",["ts",0],null,["ts",1],["ts",-1]]]"##,
        ]
    );
    assert_eq!(snapshot.statistics().await.unwrap().rows, None, "the log does not tell");
}
