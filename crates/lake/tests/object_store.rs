//! Tables in a real S3 server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lakefront_lake::{Lake, LakeError, LakeOptions, Location, ScanOptions};
use std::time::{Duration, Instant};
use support::s3::{KEY, OTHER_KEY, S3};
use support::{python, rows, snapshot};

/// The same tables on disk and in the store: many small files with a history, and a file with a row group of 40 MB.
const TABLES: &str = r#"
import sys, random, pyarrow as pa
from deltalake import write_deltalake, DeltaTable
local = sys.argv[1]
s3.create_dir("other")
for root, kwargs in ((local, {}), ("s3://lake/some folder", {"storage_options": options})):
    small = root + "/small"
    for i in range(5):
        rows = pa.table({"id": pa.array(range(10 * i, 10 * i + 10), pa.int64()), "part": pa.array([f"p {i % 2}"] * 10)})
        write_deltalake(small, rows, mode="append", partition_by=["part"], **kwargs)
    DeltaTable(small, **kwargs).delete("id % 3 = 0")
    n, dice = 400_000, random.Random(1)
    big = pa.table({
        "id": pa.array(range(n), pa.int64()),
        "a": pa.array([dice.random() for _ in range(n)]),
        "b": pa.array([dice.getrandbits(60) for _ in range(n)]),
        "text": pa.array([dice.randbytes(40).hex() for _ in range(n)]),
        "list": pa.array([[i, i + 1] if i % 5 else None for i in range(n)], pa.list_(pa.int64())),
    })
    write_deltalake(root + "/big", big, **kwargs)
    assert len(DeltaTable(root + "/big", **kwargs).file_uris()) == 1
s3.create_dir("lake/plain")
with s3.open_output_stream("lake/plain/a.parquet") as out: out.write(b"x")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_real_store() {
    let Some(python) = python::interpreter() else { return };
    let Some(s3) = S3::start(&python) else { return };
    let folder = tempfile::tempdir().unwrap();
    s3.run(&python, TABLES, folder.path());
    let lake = Lake::new(LakeOptions { settings: s3.settings(KEY) }).unwrap();
    let place = |address: &str| Location::parse(address).unwrap();

    for name in ["small", "big"] {
        let table = lake.open(&place(&format!("s3a://lake/some folder/{name}"))).await.unwrap();
        let remote = table.snapshot(None).await.unwrap();
        let local = snapshot(&folder.path().join(name), None).await;
        assert_eq!(remote.version(), local.version());
        let expected = rows(&local, ScanOptions::default()).await.unwrap();
        assert!(rows(&remote, ScanOptions::default()).await.unwrap() == expected, "{name}");
        for known in 0..=remote.version() {
            assert_eq!(table.latest_version(known).await.unwrap(), remote.version());
        }
        assert!(remote.committed_at().unwrap() > 1_600_000_000_000);
    }

    let error = lake.open(&place("s3://lake/nope")).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://lake/nope: no such folder");
    let error = lake.open(&place("s3://lake/plain")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "s3://lake/plain is not a Delta table: no _delta_log in it; it holds Parquet files without a log"
    );
    let error = lake.open(&place("s3://no-such-bucket-here/t")).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://no-such-bucket-here/t: no such folder");

    let stranger = Lake::new(LakeOptions { settings: s3.settings(OTHER_KEY) }).unwrap();
    let error = stranger.open(&place("s3://lake/small")).await.unwrap_err();
    assert!(matches!(&error, LakeError::Access { .. }), "{error:?}");
    assert!(error.to_string().starts_with("s3://lake/small: access denied: "), "{error}");

    drop(s3);
    let started = Instant::now();
    let error = lake.open(&place("s3://lake/some folder/small")).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}
