//! Golden tables written by Spark and others: what is read equals what independent readers read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lakefront_lake::{LakeError, Location, ScanOptions};
use std::path::{Path, PathBuf};
use support::{golden_tables, lake, python, rows, small_steps, snapshot};

/// Tables whose data files are not part of the collection.
const WITHOUT_FILES: [&str; 2] = ["app-txn-with-last-updated", "with_checkpoint_no_last_checkpoint"];
/// Its checkpoint was edited by hand and has a column more than its commits. The protocol lets a reader start from a
/// checkpoint, and all that do agree.
const CONTRADICTS_ITSELF: &str = "parquet_row_group_skipping";

/// All folders below that hold a log.
fn tables(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        if folder.join("_delta_log").is_dir() {
            found.push(folder);
            continue;
        }
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        open.extend(entries.filter(|path| path.is_dir()));
    }
    found.sort();
    found
}

fn versions(table: &Path) -> Vec<u64> {
    let names = std::fs::read_dir(table.join("_delta_log")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut versions: Vec<u64> = names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect();
    versions.sort_unstable();
    versions
}

#[tokio::test(flavor = "multi_thread")]
async fn equals_what_others_read() {
    let Some(folder) = golden_tables() else { return };
    let Some(python) = python::interpreter() else { return };
    let tables = tables(&folder);
    assert!(tables.len() >= 50, "the collection is complete");
    let names: Vec<String> = tables.iter().map(|table| table.display().to_string()).collect();
    let others = python::read_all(&python, &names);
    let mut compared = 0;
    for (table, name) in tables.iter().zip(&names) {
        let short = table.strip_prefix(&folder).unwrap().display().to_string();
        let answers = &others[name];
        let opened = lake().open(&Location::from_path(table).unwrap()).await.unwrap();
        let read = match opened.snapshot(None).await {
            Ok(snapshot) => rows(&snapshot, ScanOptions::default()).await,
            Err(error) => Err(error),
        };
        let ours = match (short.as_str(), read) {
            ("table-with-geo", Err(error)) => {
                assert!(matches!(&error, LakeError::UnsupportedType { .. }), "{error}");
                assert!(
                    error.to_string().ends_with(
                        "column \"geom\" has type geometry(OGC:CRS84), which Lakefront cannot read"
                    ),
                    "{error}"
                );
                continue;
            }
            ("crc-malformed", Err(error)) => {
                assert!(matches!(&error, LakeError::CorruptLog { .. }), "{error:?}");
                continue;
            }
            (short, Err(error)) if WITHOUT_FILES.contains(&short) => {
                assert!(matches!(&error, LakeError::MissingFile { .. }), "{error:?}");
                assert!(answers.values().all(Result::is_err), "{short}");
                continue;
            }
            (short, read) => read.unwrap_or_else(|error| panic!("{short}: {error}")),
        };
        let mut agreeing = 0;
        for (reader, answer) in answers {
            let Ok(theirs) = answer else { continue };
            if short == CONTRADICTS_ITSELF && reader == "commits" {
                assert_ne!(theirs, &ours, "{short}: its commits agree with its checkpoint");
                continue;
            }
            assert_eq!(theirs, &ours, "{short} as {reader} reads it");
            agreeing += 1;
        }
        assert!(agreeing >= 2, "{short}: {answers:?}");
        compared += 1;
    }
    assert_eq!(compared, tables.len() - 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_units_and_batches_changes_nothing() {
    let Some(folder) = golden_tables() else { return };
    for table in tables(&folder) {
        let opened = lake().open(&Location::from_path(&table).unwrap()).await.unwrap();
        let Ok(snapshot) = opened.snapshot(None).await else { continue };
        let Ok(plain) = rows(&snapshot, ScanOptions::default()).await else { continue };
        assert_eq!(rows(&snapshot, small_steps()).await.unwrap(), plain, "{}", table.display());
        let tiny = ScanOptions { batch_bytes: 1, ..ScanOptions::default() };
        assert_eq!(rows(&snapshot, tiny).await.unwrap(), plain, "{}", table.display());
        let statistics = snapshot.statistics().await.unwrap();
        if let Some(rows) = statistics.rows {
            assert_eq!(rows, plain.len() as u64, "{}", table.display());
        }
        let plan = snapshot.scan(small_steps()).await.unwrap();
        assert_eq!(plan.rows, statistics.rows);
        assert_eq!(plan.bytes, statistics.bytes);
        assert_eq!(plan.units.iter().map(|unit| unit.bytes()).sum::<u64>(), plan.bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_equals_what_others_read() {
    let Some(folder) = golden_tables() else { return };
    let Some(python) = python::interpreter() else { return };
    for name in ["cdf-table-with-dv", "cdf-column-mapping-id-mode", "cdf-table", "table-with-dv-small"] {
        let table = folder.join(name);
        let versions = versions(&table);
        let wanted: Vec<String> = versions.iter().map(|v| format!("{}@{v}", table.display())).collect();
        let others = python::read_all(&python, &wanted);
        for (version, wanted) in versions.iter().zip(&wanted) {
            let snapshot = snapshot(&table, Some(*version)).await;
            assert_eq!(snapshot.version(), *version);
            let ours = rows(&snapshot, small_steps()).await.unwrap();
            assert_eq!(others[wanted].len(), 4, "{wanted}");
            for (reader, answer) in &others[wanted] {
                assert_eq!(answer.as_ref(), Ok(&ours), "{wanted} as {reader} reads it");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_gives_these_columns_in_this_order() {
    let Some(folder) = golden_tables() else { return };
    let snapshot = snapshot(&folder.join("cdf-table"), None).await;
    for (columns, first) in [
        (vec!["birthday"], "[[\"date\",19713]]"),
        (vec!["birthday", "ID"], "[[\"date\",19713],1]"),
        (vec!["name"], "[\"Ada\"]"),
    ] {
        let projection = Some(columns.iter().map(|&column| column.to_owned()).collect());
        let read = rows(&snapshot, ScanOptions { projection, ..ScanOptions::default() }).await.unwrap();
        assert_eq!((read.len(), read[0].as_str()), (9, first));
    }
    let projection = Some(vec!["nope".to_owned()]);
    let error = snapshot.scan(ScanOptions { projection, ..ScanOptions::default() }).await.unwrap_err();
    assert!(error.to_string().ends_with("has no column \"nope\"; it has: id, name, birthday"), "{error}");
}
