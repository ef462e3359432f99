//! The demo's lake: whole or not there, the same everywhere, left alone once made.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type};
use lakefront_delta_writer::{DeltaTable, Operation};
use lakefront_demo::{
    DemoError, DemoLake, EMBEDDINGS_TABLE, PRODUCTS_TABLE, SCHEMA, Summary, USER_FEATURES_TABLE, USERS_TABLE,
};

fn ensure(root: &Path) -> Result<Summary, DemoError> {
    DemoLake::ensure(root, &|_| {})
}

fn open(root: &Path, table: &str) -> DeltaTable {
    DeltaTable::open(root.join(SCHEMA).join(table)).unwrap()
}

fn rows(summary: &Summary, table: &str) -> u64 {
    summary.tables.iter().find(|found| found.name == table).unwrap().rows
}

/// FNV-1a, 64 bits.
struct Digest(u64);

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}

/// A digest of keys, names, prices and embeddings to the last bit, in the keys' order.
fn digest(root: &Path) -> u64 {
    let mut digest = Digest(0xCBF2_9CE4_8422_2325);
    let by_key = |table: &DeltaTable, key: &str| {
        let files = table.files().into_iter();
        let mut batches: Vec<_> = files.map(|file| table.read(&file.path, None).unwrap()).collect();
        batches.sort_by_key(|rows| rows[key].as_primitive::<Int64Type>().value(0));
        batches
    };
    for rows in by_key(&open(root, PRODUCTS_TABLE), "product_id") {
        let names = rows["product_display_name"].as_string::<i32>();
        let prices = rows["price"].as_primitive::<Float64Type>();
        for row in 0..rows.num_rows() {
            digest.add(names.value(row).as_bytes());
            digest.add(&prices.value(row).to_bits().to_le_bytes());
        }
    }
    for (table, key, column) in [
        (EMBEDDINGS_TABLE, "product_id", "image_embedding"),
        (USER_FEATURES_TABLE, "user_id", "user_embedding"),
    ] {
        for rows in by_key(&open(root, table), key) {
            let numbers = rows[column].as_list::<i32>().values().as_primitive::<Float32Type>();
            for number in numbers.values() {
                digest.add(&number.to_bits().to_le_bytes());
            }
        }
    }
    digest.0
}

/// The content of all data files of a table, each as a digest, in no order.
fn file_digests(root: &Path, table: &str) -> Vec<u64> {
    let table = open(root, table);
    let file = |path: &str| {
        let mut digest = Digest(0xCBF2_9CE4_8422_2325);
        digest.add(&fs::read(table.path().join(path)).unwrap());
        digest.0
    };
    let mut digests: Vec<u64> = table.files().iter().map(|found| file(&found.path)).collect();
    digests.sort_unstable();
    digests
}

/// What [`digest`] gives on any machine. It changes only when the demo's data is meant to change;
/// then the form of the lake (`FORM` in `src/lake.rs`) changes with it.
const DIGEST: u64 = 12_897_831_304_102_048_614;

#[test]
fn the_lake_is_complete_and_the_same_on_every_machine() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let told = Mutex::new(Vec::new());
    let summary = DemoLake::ensure(first.path(), &|line| told.lock().unwrap().push(line.to_owned())).unwrap();
    assert!(summary.made);
    assert!(!told.into_inner().unwrap().is_empty());
    assert_eq!(rows(&summary, PRODUCTS_TABLE), 44_424);
    assert_eq!(rows(&summary, EMBEDDINGS_TABLE), 44_424);
    assert_eq!(rows(&summary, USERS_TABLE), 10_000);
    assert_eq!(rows(&summary, USER_FEATURES_TABLE), 10_000);
    assert!(summary.tables.iter().all(|table| table.files >= 4), "{summary:?}");
    ensure(second.path()).unwrap();
    for table in [PRODUCTS_TABLE, EMBEDDINGS_TABLE, USERS_TABLE, USER_FEATURES_TABLE] {
        assert_eq!(file_digests(first.path(), table), file_digests(second.path(), table), "{table}");
    }
    assert_eq!(digest(first.path()), DIGEST, "the demo's data is another than on other machines");
}

#[test]
fn a_lake_that_is_there_is_left_alone_and_a_broken_one_made_anew() {
    let root = tempfile::tempdir().unwrap();
    ensure(root.path()).unwrap();
    let mut products = open(root.path(), PRODUCTS_TABLE);
    let file = products.files().remove(0);
    let rows_of_file = products.read(&file.path, None).unwrap();
    let _ = products.commit(Operation::Append(vec![rows_of_file.slice(0, 1)])).unwrap();
    let again = ensure(root.path()).unwrap();
    assert!(!again.made);
    assert_eq!(rows(&again, PRODUCTS_TABLE), 44_425);

    let id = products.id().to_owned();
    fs::remove_file(products.path().join(&file.path)).unwrap();
    let anew = ensure(root.path()).unwrap();
    assert!(anew.made);
    assert_eq!(rows(&anew, PRODUCTS_TABLE), 44_424);
    assert_ne!(open(root.path(), PRODUCTS_TABLE).id(), id, "a new table has a new identity");

    fs::remove_dir_all(root.path().join(SCHEMA).join(USERS_TABLE)).unwrap();
    assert!(ensure(root.path()).unwrap().made);
}

#[test]
fn what_a_crash_left_is_cleared_and_what_is_not_ours_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let left = root.path().join(format!(".{SCHEMA}.unfinished")).join(PRODUCTS_TABLE);
    fs::create_dir_all(left.join("_delta_log")).unwrap();
    fs::write(left.join("_delta_log/00000000000000000000.json"), "half a li").unwrap();
    assert!(ensure(root.path()).unwrap().made);
    assert!(!left.exists());

    let other = tempfile::tempdir().unwrap();
    let mine = other.path().join(SCHEMA).join("mine.txt");
    fs::create_dir_all(mine.parent().unwrap()).unwrap();
    fs::write(&mine, "keep me").unwrap();
    let refused = ensure(other.path()).unwrap_err();
    assert!(matches!(refused, DemoError::NotTheDemo { .. }), "{refused}");
    assert_eq!(fs::read_to_string(&mine).unwrap(), "keep me");
}

#[test]
fn two_at_once_make_one_lake() {
    let root = tempfile::tempdir().unwrap();
    let made: Vec<bool> = std::thread::scope(|scope| {
        let both: Vec<_> = (0..2).map(|_| scope.spawn(|| ensure(root.path()).unwrap().made)).collect();
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
}
