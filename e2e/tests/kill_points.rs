//! The process is killed at each named moment of a refresh: the copy holds the old rows or the new ones, and the next
//! refresh goes on as if nothing had happened.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Finished, ShopTable, command, lakefront};
use lakefront_testkit::TestDatabase;
use serde_json::json;
use std::os::unix::process::ExitStatusExt;

/// The ways of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    First,
    Full,
    Incremental,
}

use Way::{First, Full, Incremental};

/// Each moment, the ways that come by it, and whether the new rows are there afterwards.
const MOMENTS: [(&str, &[Way], bool); 10] = [
    ("found", &[First, Full, Incremental], false),
    ("claimed", &[First, Full, Incremental], false),
    ("stage-made", &[First, Full], false),
    ("staged", &[First, Full], false),
    ("begun", &[First, Full, Incremental], false),
    ("copied", &[First, Full, Incremental], false),
    ("applied", &[First, Full, Incremental], false),
    ("checkpoint-moved", &[First, Full, Incremental], false),
    ("committed", &[First, Full, Incremental], true),
    ("released", &[First, Full, Incremental], true),
];

/// Aborted: the signal that ended the process.
const SIGABRT: i32 = 6;

fn killed_at(moment: &str, arguments: &[&str]) {
    let ended = command().args(arguments).env("LAKEFRONT_FAILPOINT", moment).output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.signal(), Some(SIGABRT), "{moment} was not reached: {told}");
}

async fn survives(moment: &str, way: Way, is_new: bool) {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(1_000);
    let source = shop.path().display().to_string();
    let load = ["load", &source, "--into", "shop.products", "--key", "product_id", "--database", &url];
    let refresh = ["refresh", "shop.products", "--database", &url, "--json"];
    let full = [refresh.as_slice(), &["--full"]].concat();
    if way != First {
        lakefront(load).good();
        shop.append((2_001..=2_500).map(Some));
        shop.delete([1, 2, 3]);
        shop.reprice(10..=20, 3);
    }
    killed_at(
        moment,
        match way {
            First => &load,
            Full => &full,
            Incremental => &refresh,
        },
    );

    let client = database.client().await;
    let rows = client.query_one("SELECT count(*) FROM shop.products", &[]).await;
    let rows = rows.ok().map(|row| row.get::<_, i64>(0));
    let (old, new) = if way == First { (None, 1_000) } else { (Some(1_000), 1_497) };
    assert_eq!(rows, if is_new { Some(new) } else { old }, "{moment}, {way:?}");
    let finished: Finished = if way == First { lakefront(load) } else { lakefront(refresh) };
    let told = format!("{moment}, {way:?}: {}{}", finished.stdout, finished.stderr);
    finished.good();
    let again = lakefront(refresh).good().json();
    assert_eq!((&again["refresh"], &again["rows"]), (&json!("none"), &json!(new)), "{told}");
    lakefront(["verify", "shop.products", "--database", &url]).good();
    // Of its own tables none is left, and the newest version was applied once.
    let left = "SELECT count(*) FROM pg_tables WHERE schemaname = 'lakefront' AND tablename LIKE 'load\\_%'";
    assert_eq!(client.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0, "{told}");
    let runs = "SELECT count(*) FROM lakefront.updates WHERE ended_at IS NULL";
    assert_eq!(client.query_one(runs, &[]).await.unwrap().get::<_, i64>(0), 0, "{told}");
    let applied = "SELECT count(*) FROM lakefront.updates WHERE version = $1 AND ended_at IS NOT NULL AND condition IS NULL";
    let version = i64::try_from(shop.version()).unwrap();
    assert_eq!(client.query_one(applied, &[&version]).await.unwrap().get::<_, i64>(0), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_first_copy_is_made() {
    for (moment, _, is_new) in MOMENTS.iter().filter(|(_, ways, _)| ways.contains(&First)) {
        survives(moment, First, *is_new).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_everything_is_copied_again() {
    for (moment, _, is_new) in MOMENTS.iter().filter(|(_, ways, _)| ways.contains(&Full)) {
        survives(moment, Full, *is_new).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_changes_are_applied() {
    for (moment, _, is_new) in MOMENTS.iter().filter(|(_, ways, _)| ways.contains(&Incremental)) {
        survives(moment, Incremental, *is_new).await;
    }
}

/// A moment that is named in the engine is tested here.
#[test]
fn every_moment_is_tested() {
    let engine = include_str!("../../crates/sync/src/failpoint.rs");
    let named: Vec<&str> =
        engine.lines().filter_map(|line| line.split_once("=> \"")?.1.split('"').next()).collect();
    let tested: Vec<&str> = MOMENTS.iter().map(|(moment, ..)| *moment).collect();
    assert_eq!(named, tested);
}
