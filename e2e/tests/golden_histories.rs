//! Tables by other writers, refreshed commit by commit: deletion vectors, column mapping, change data files, widened
//! types, checkpoints. After each commit the copy is what a plain replay of the log gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{copy_folder, differing, golden_tables, lakefront, replay};
use lakefront_testkit::TestDatabase;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a table's log by the version that they belong to, others than commits and checkpoints left out.
fn log_files(table: &Path) -> BTreeMap<u64, Vec<PathBuf>> {
    let mut found: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
    for file in fs::read_dir(table.join("_delta_log")).unwrap().map(|e| e.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(version) = name.get(..20).and_then(|digits| digits.parse().ok()) {
            found.entry(version).or_default().push(file);
        }
    }
    found
}

/// Takes the commits after `version` out of a table.
fn cut(table: &Path, version: u64) {
    let _ = fs::remove_file(table.join("_delta_log/_last_checkpoint"));
    for file in log_files(table).split_off(&(version + 1)).into_values().flatten() {
        fs::remove_file(file).unwrap();
    }
}

fn is_commit(files: &[PathBuf]) -> bool {
    files.iter().any(|file| {
        file.extension().is_some_and(|e| e == "json") && file.to_str().unwrap().matches('.').count() == 1
    })
}

/// One column, or else two, that tell the rows of all versions apart.
fn key(answers: &[Value]) -> Option<String> {
    let columns: Vec<&str> = answers[0]["columns"].as_array()?.iter().map(|c| c.as_str().unwrap()).collect();
    let has =
        |answer: &Value, name: &str| answer["columns"].as_array().unwrap().iter().position(|c| c == name);
    let unique = |names: &[&str]| {
        answers.iter().all(|answer| {
            let Some(places) = names.iter().map(|name| has(answer, name)).collect::<Option<Vec<_>>>() else {
                return false;
            };
            let mut seen = BTreeSet::new();
            answer["rows"].as_array().unwrap().iter().all(|row| {
                let values: Option<Vec<&str>> = places.iter().map(|&place| row[place].as_str()).collect();
                values.is_some_and(|v| !v.iter().any(|t| t.starts_with(['{', '['])) && seen.insert(v))
            })
        })
    };
    let singles = columns.iter().map(|a| vec![*a]);
    let pairs =
        columns.iter().enumerate().flat_map(|(i, a)| columns[i + 1..].iter().map(move |b| vec![*a, *b]));
    let usable = |names: &Vec<&str>| names.iter().all(|name| !name.contains(','));
    singles.chain(pairs).filter(usable).find(|names| unique(names)).map(|names| names.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_follows_commit_by_commit() {
    let Some((collection, tables)) = golden_tables() else { return };
    let database = TestDatabase::create().await;
    let (client, url) = (database.client().await, database.url());
    client.batch_execute("SET TimeZone = 'UTC'").await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut tally: BTreeMap<String, u32> = BTreeMap::new();
    let mut followed = 0;
    for (place, table) in tables.iter().enumerate() {
        let short = table.strip_prefix(&collection).unwrap().display().to_string();
        let files = log_files(table);
        let versions: Vec<u64> =
            files.iter().filter(|(_, files)| is_commit(files)).map(|(v, _)| *v).collect();
        let states: Vec<PathBuf> =
            versions.iter().map(|v| scratch.path().join(format!("{place}-{v}"))).collect();
        for (version, state) in versions.iter().zip(&states) {
            copy_folder(table, state);
            cut(state, *version);
        }
        let answers: Vec<(usize, Value)> =
            replay(&states).into_iter().enumerate().filter(|(_, a)| a["rows"].is_array()).collect();
        let all: Vec<Value> = answers.iter().map(|(_, a)| a.clone()).collect();
        if all.len() < 2 || all.iter().map(|a| a["rows"].as_array().unwrap().len()).max() > Some(20_000) {
            continue;
        }
        let Some(key) = key(&all) else { continue };
        let current = scratch.path().join(format!("{place}-current"));
        let into = format!("golden.t{place}");
        let mut loaded = false;
        for (at, answer) in &answers {
            // The table's folder is always the same; its log grows.
            let _ = fs::remove_dir_all(&current);
            copy_folder(&states[*at], &current);
            let source = current.display().to_string();
            let finished = if loaded {
                lakefront(["refresh", &into, "--database", &url, "--json"])
            } else {
                lakefront(["load", &source, "--into", &into, "--key", &key, "--database", &url, "--json"])
            };
            if !loaded && finished.code != 0 {
                continue;
            }
            let report = finished.json();
            let version = versions[*at];
            assert_eq!(finished.code, 0, "{short} at {version}: {report}");
            assert_eq!(report["version"], version, "{short}");
            let differing = differing(&client, &into, answer).await;
            assert_eq!(differing, Vec::<String>::new(), "{short} at {version} by {key}: {report}");
            if loaded {
                let what = format!("{} ({})", report["refresh"], report["reason"]);
                eprintln!("{short} {version} by {key}: {what}");
                *tally.entry(report["refresh"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            followed += u32::from(!loaded);
            loaded = true;
        }
    }
    eprintln!("{followed} tables followed: {tally:?}");
    assert!(followed >= 20, "{followed} tables were followed");
    assert!(tally["incremental"] >= 40, "{tally:?}");
}
