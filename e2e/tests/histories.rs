//! Random histories by another writer: after refreshes at random moments the copy is what the source is.
//!
//! `LAKEFRONT_HISTORY_SEED` and `LAKEFRONT_HISTORY_STEPS` repeat or lengthen a run; the seed is printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Dependents, Readers, Writer, differing, lakefront, replay};
use lakefront_testkit::TestDatabase;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_postgres::Client;

/// Operations of one history, unless told otherwise.
const STEPS: u64 = 40;

/// How long a reader's statement may take on a busy machine.
const HELD_UP: Duration = Duration::from_secs(5);

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// A few bits that decide when to refresh; the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Of the rows that share an id the one that was seen last; no two were seen at the same time.
fn keep_newest(replayed: &mut Value) {
    let columns = replayed["columns"].as_array().unwrap();
    let place = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let (id, seen_at) = (place("id"), place("seen_at"));
    let mut newest: BTreeMap<String, Value> = BTreeMap::new();
    for row in replayed["rows"].as_array().unwrap() {
        let kept = newest.entry(row[id].to_string()).or_insert_with(|| row.clone());
        if row[seen_at].as_str() > kept[seen_at].as_str() {
            *kept = row.clone();
        }
    }
    replayed["rows"] = newest.into_values().collect();
}

/// Runs a history that a script beside this file writes.
async fn history(name: &str, script: &str, options: Value) {
    let seed = number("LAKEFRONT_HISTORY_SEED", 1);
    let steps = number("LAKEFRONT_HISTORY_STEPS", STEPS);
    eprintln!("{name}: LAKEFRONT_HISTORY_SEED={seed} LAKEFRONT_HISTORY_STEPS={steps}");
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("table");
    let mut writer = Writer::start(script, &folder, seed, &options);
    let database = TestDatabase::create().await;
    let (url, source) = (database.url(), folder.display().to_string());
    let client = database.client().await;
    client.batch_execute("SET TimeZone = 'UTC'").await.unwrap();
    let key = if options["composite"] == true { "id, region" } else { "id" };
    let mut load = vec!["load", &source, "--into", "lake.copy", "--key", key, "--database", &url, "--json"];
    if options["events"] == true {
        load.extend(["--timeseries-key", "seen_at"]);
    }
    lakefront(load).good();
    let object = "SELECT 'lake.copy'::regclass::oid";
    let oid: u32 = client.query_one(object, &[]).await.unwrap().get(0);
    let dependents = Dependents::make(&client, "lake.copy", key).await;
    let readers = Readers::start(&database, "lake.copy", key, "SELECT id, twice FROM lake.shown_twice").await;

    let mut dice = Dice(seed);
    let mut told = Vec::new();
    let (mut incremental, mut refreshes) = (0, 0);
    for step in 0..steps {
        let done = writer.step();
        told.push(format!("{} {}", done["version"], done["operation"].as_str().unwrap()));
        if dice.roll(3) > 0 && step + 1 < steps {
            continue;
        }
        let happened = format!("{name}, seed {seed}:\n  {}", told.join("\n  "));
        let refreshed = readers.during(|| lakefront(["refresh", "lake.copy", "--database", &url, "--json"]));
        assert_eq!(refreshed.code, 0, "{happened}\n{}", refreshed.stdout);
        let report = refreshed.json();
        assert_eq!(report["version"], done["version"], "{happened}");
        refreshes += 1;
        incremental += u32::from(report["refresh"] == "incremental");
        told.push(format!("     -> {} ({})", report["refresh"], report["reason"]));
        let happened = format!("{happened}\n{}", told[told.len() - 1]);

        let mut expected = replay(std::slice::from_ref(&folder)).pop().unwrap();
        if options["events"] == true {
            keep_newest(&mut expected);
        }
        let differing = differing(&client, "lake.copy", &expected).await;
        assert_eq!(differing, Vec::<String>::new(), "{happened}");
        let rows = expected["rows"].as_array().unwrap().len();
        assert_eq!(report["rows"], json!(rows), "{happened}");
        let verified = lakefront(["verify", "lake.copy", "--database", &url]);
        assert_eq!(verified.code, 0, "{}{}\n{happened}", verified.stdout, verified.stderr);
        let now: u32 = client.query_one(object, &[]).await.unwrap().get(0);
        assert_eq!(now, oid, "the table is still the same object");
        assert_eq!(dependents.faults(&client, rows).await, "", "{happened}");
        assert_eq!(untold(&client, &report).await, Vec::<String>::new(), "{happened}\n{report}");
        assert_eq!(readers.faults().await, Vec::<String>::new(), "{happened}");
    }
    let (readings, longest) = readers.stop().await;
    dependents.forget(&client).await;
    eprintln!("{name}:\n  {}", told.join("\n  "));
    eprintln!(
        "{name}: {incremental} of {refreshes} refreshes were incremental; {readings} readings beside them, the longest {longest:?}"
    );
    assert!(incremental > 0, "no refresh of {name} was incremental");
    assert!(readings > 3 * refreshes, "the readers hardly read");
    assert!(longest < HELD_UP, "a reader was held up for {longest:?}");
}

/// Columns that are kept for what depends on them and that a refresh did not tell of.
async fn untold(client: &Client, report: &Value) -> Vec<String> {
    if report["refresh"] == "none" {
        return Vec::new();
    }
    let kept = "SELECT kept_columns FROM lakefront.synced_tables";
    let kept: Vec<String> = client.query_one(kept, &[]).await.unwrap().get(0);
    let notices: Vec<&str> =
        report["notices"].as_array().into_iter().flatten().map(|n| n.as_str().unwrap()).collect();
    kept.into_iter().filter(|column| !notices.iter().any(|notice| notice.contains(column))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_change_data_feed() {
    history("with change data feed", "history.py", json!({"feed": true})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_change_data_feed() {
    history("without change data feed", "history.py", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_key_columns_and_partitions_with_change_data_feed() {
    history(
        "two key columns, partitions, feed",
        "history.py",
        json!({"feed": true, "composite": true, "partitioned": true}),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_key_columns_and_partitions_without_change_data_feed() {
    history("two key columns, partitions", "history.py", json!({"composite": true, "partitioned": true}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_with_change_data_feed() {
    history("events, feed", "history.py", json!({"feed": true, "events": true})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_without_change_data_feed() {
    history("events", "history.py", json!({"events": true})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_files_with_change_data_feed() {
    history("plain files, feed", "plain_history.py", json!({"feed": true})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_vectors_with_change_data_feed() {
    history("deletion vectors, feed", "plain_history.py", json!({"feed": true, "vectors": true})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_vectors_two_key_columns_and_partitions() {
    let options = json!({"vectors": true, "composite": true, "partitioned": true});
    history("deletion vectors, two key columns, partitions", "plain_history.py", options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_mapped_by_name_with_deletion_vectors_and_change_data_feed() {
    let options = json!({"feed": true, "vectors": true, "mapping": "name", "partitioned": true});
    history("mapped by name, deletion vectors, feed", "plain_history.py", options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_mapped_by_number_with_wider_types() {
    let options = json!({"vectors": true, "mapping": "id", "widening": true});
    history("mapped by number, wider types", "plain_history.py", options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_mapped_later_with_wider_types_and_change_data_feed() {
    let options = json!({"feed": true, "mapping": "later", "widening": true});
    history("mapped later, wider types, feed", "plain_history.py", options).await;
}
