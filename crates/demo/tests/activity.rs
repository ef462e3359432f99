//! The shop's activity: proper commits, as this crate and the Python package `deltalake` read them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use lakefront_delta_writer::DeltaTable;
use lakefront_demo::{
    ActivityKind, ActivityStep, DemoError, DemoLake, EMBEDDINGS_TABLE, PRODUCTS_TABLE, SCHEMA, ShopActivity,
};
use serde_json::{Value, json};

fn lake() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    DemoLake::ensure(root.path(), &|_| {}).unwrap();
    root
}

fn keys(root: &Path, table: &str) -> BTreeSet<i64> {
    let table = DeltaTable::open(root.join(SCHEMA).join(table)).unwrap();
    let mut keys = BTreeSet::new();
    for file in table.files() {
        let rows = table.read(&file.path, Some(&["product_id"])).unwrap();
        for key in rows["product_id"].as_primitive::<Int64Type>().values() {
            assert!(keys.insert(*key), "{key} is there twice");
        }
    }
    keys
}

fn describe(steps: &[ActivityStep]) -> Value {
    let step = |step: &ActivityStep| {
        let (inserted, updated, deleted) = match step.kind {
            ActivityKind::NewProduct => (1, 0, 0),
            ActivityKind::SoldOut => (0, 0, 1),
            ActivityKind::Compaction => (0, 0, 0),
            _ => (0, step.rows, 0),
        };
        let commits: Vec<_> = step.commits.iter().map(|(table, version)| json!([table, version])).collect();
        json!({ "commits": commits, "inserted": inserted, "updated": updated, "deleted": deleted })
    };
    steps.iter().map(step).collect()
}

/// Whether `deltalake` was there to compare with.
fn compare_by_deltalake(root: &Path, steps: &[ActivityStep]) -> bool {
    let python = std::env::var("LAKEFRONT_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = Command::new(&python).args(["-c", "import deltalake, pyarrow, numpy"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        eprintln!(
            "SKIPPED: {python} cannot import deltalake, pyarrow and numpy; \
             name an interpreter that can in LAKEFRONT_TEST_PYTHON"
        );
        return false;
    }
    let told = root.join("steps.json");
    std::fs::write(&told, describe(steps).to_string()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/follow.py");
    let output = Command::new(&python).arg(script).arg(root.join(SCHEMA)).arg(&told).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    true
}

#[test]
fn fifty_steps_read_back_as_they_were_made() {
    let root = lake();
    let mut activity = ShopActivity::new(root.path(), 10.0, 1).unwrap();
    let mut steps: Vec<ActivityStep> = (0..50).map(|_| activity.step().unwrap()).collect();
    drop(activity);
    let mut reopened = ShopActivity::new(root.path(), 10.0, 1).unwrap();
    steps.extend((0..10).map(|_| reopened.step().unwrap()));
    let kinds: BTreeSet<ActivityKind> = steps.iter().map(|step| step.kind).collect();
    assert!(kinds.len() >= 6, "{kinds:?}");
    assert!(steps.iter().all(|step| !step.note.is_empty() && !step.commits.is_empty()));
    assert_eq!(keys(root.path(), PRODUCTS_TABLE), keys(root.path(), EMBEDDINGS_TABLE));
    compare_by_deltalake(root.path(), &steps);
}

#[test]
fn it_runs_until_it_is_stopped_and_steps_aside_for_other_writers() {
    let root = lake();
    let stop = AtomicBool::new(false);
    let writers = |seed: u64| {
        let mut activity = ShopActivity::new(root.path(), 50.0, seed).unwrap();
        let mut seen = 0;
        let steps = activity.run(&stop, |_| {
            seen += 1;
            if seen == 15 {
                stop.store(true, Ordering::Relaxed);
            }
        });
        (steps.unwrap(), seen)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| writers(2));
        let (steps, seen) = writers(3);
        assert_eq!(steps, seen);
        let (steps, seen) = other.join().unwrap();
        assert_eq!(steps, seen);
    });
    assert_eq!(keys(root.path(), PRODUCTS_TABLE), keys(root.path(), EMBEDDINGS_TABLE));
    let start = Instant::now();
    let mut slow = ShopActivity::new(root.path(), 0.001, 4).unwrap();
    assert_eq!(slow.run(&stop, |_| {}).unwrap(), 0);
    assert!(start.elapsed() < Duration::from_secs(60), "a slow shop stops at once too");
}

#[test]
fn a_long_life_leaves_a_lake_of_bounded_size() {
    let root = lake();
    let mut activity = ShopActivity::new(root.path(), 10.0, 5).unwrap();
    let mut compactions = 0;
    let mut new = 0;
    while compactions == 0 {
        let step = activity.step().unwrap();
        compactions += u32::from(step.kind == ActivityKind::Compaction);
        new += u32::from(step.kind == ActivityKind::NewProduct);
        assert!(new < 100, "small files are joined before there are many");
    }
    let log = root.path().join(SCHEMA).join(PRODUCTS_TABLE).join("_delta_log");
    assert!(log.join("_last_checkpoint").exists(), "a log of hundreds of commits has a checkpoint");
    assert_eq!(keys(root.path(), PRODUCTS_TABLE), keys(root.path(), EMBEDDINGS_TABLE));
}

#[test]
fn senseless_rates_and_missing_lakes_are_refused() {
    let root = tempfile::tempdir().unwrap();
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = ShopActivity::new(root.path(), rate, 1).unwrap_err();
        assert!(matches!(refused, DemoError::Rate { .. }), "{refused}");
    }
    assert!(matches!(ShopActivity::new(root.path(), 1.0, 1), Err(DemoError::Delta(_))));
}
