//! Tables that `lakefront serve` refreshes by a schedule, or when their source changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Serve, ShopTable, lakefront, until};
use lakefront_testkit::TestDatabase;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A configuration file of tables, each with its name, its source and what else is declared of it.
fn configuration(database: &TestDatabase, tables: &[(&str, &Path, &str)]) -> (TempDir, PathBuf) {
    let mut text = format!("[database]\nurl = \"{}\"\n", database.url());
    for (name, source, keys) in tables {
        let source = source.display();
        text += &format!(
            "[[synced_tables]]\nname = \"shop.{name}\"\nsource = \"{source}\"\nprimary_key = [\"product_id\"]\n{keys}\n"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lakefront.toml");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

fn status(config: &Path) -> Vec<Value> {
    let told = lakefront(["status", "--json", "--config", config.to_str().unwrap()]).good().json();
    let mut tables = told.as_array().unwrap().clone();
    tables.sort_by_key(|table| table["name"].to_string());
    tables
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_has_tables_refreshed() {
    let database = TestDatabase::create().await;
    let client = database.client().await;
    let mut shops = [(); 3].map(|()| ShopTable::with_rows(100));
    let every_second = "schedule = \"* * * * * *\"";
    let keys = [
        every_second.to_owned(),
        "schedule = \"30 4 1 1 *\"\nschedule_time_zone = \"Asia/Tokyo\"".to_owned(),
        format!("scheduling_policy = \"SNAPSHOT\"\n{every_second}"),
    ];
    let tables = [
        ("often", shops[0].path(), &keys[0]),
        ("seldom", shops[1].path(), &keys[1]),
        ("whole", shops[2].path(), &keys[2]),
    ];
    let (_folder, config) = configuration(
        &database,
        &tables.each_ref().map(|(name, source, keys)| (*name, source.as_path(), keys.as_str())),
    );
    let serve = Serve::start(&config);
    for (name, ..) in tables {
        until("the first copies", &client, &format!("SELECT count(*) = 100 FROM shop.{name}")).await;
    }
    for round in 1..=2 {
        for shop in &mut shops {
            shop.append([Some(100 + round)]);
        }
        for name in ["often", "whole"] {
            let there = format!("SELECT count(*) = {} FROM shop.{name}", 100 + round);
            until("the schedule's next time", &client, &there).await;
        }
    }
    let tables = status(&config);
    let refreshes: Vec<&Value> = tables.iter().map(|table| &table["last_update"]["refresh"]).collect();
    assert_eq!(refreshes, ["incremental", "full", "full"]);
    let rows: Vec<&Value> = tables.iter().map(|table| &table["rows"]).collect();
    assert_eq!(rows, [102, 100, 102], "a table whose time has not come stays as it is");

    assert_eq!(tables[0]["trigger"]["schedule"]["cron"], "* * * * * *");
    assert_eq!(tables[0]["trigger"]["schedule"]["time_zone"], "UTC");
    let next = tables[1]["next_refresh"].as_str().unwrap();
    assert!(next.ends_with("-12-31T19:30:00Z"), "{next} is not 4:30 of 1 January in Tokyo");
    let shown = lakefront(["status", "--config", config.to_str().unwrap()]).good().stdout;
    assert!(shown.contains("NEXT") && shown.contains("12-31 19:30 UTC"), "{shown}");
    assert_eq!(serve.stop(), 0);
    lakefront(["verify", "--all", "--config", config.to_str().unwrap()]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_source_has_a_table_refreshed() {
    let database = TestDatabase::create().await;
    let client = database.client().await;
    let (mut at_once, mut later, mut asked) =
        (ShopTable::with_rows(100), ShopTable::with_rows(100), ShopTable::with_rows(100));
    let on_change = "refresh_on = \"source_change\"";
    let rarely = format!("{on_change}\nmin_time_between_triggers_seconds = 3");
    let (at_once_path, later_path, asked_path) = (at_once.path(), later.path(), asked.path());
    let tables = [
        ("at_once", at_once_path.as_path(), on_change),
        ("later", later_path.as_path(), rarely.as_str()),
        ("asked", asked_path.as_path(), ""),
    ];
    let (_folder, config) = configuration(&database, &tables);
    let started = Instant::now();
    let serve = Serve::start(&config);
    for name in ["at_once", "later", "asked"] {
        until("the first copies", &client, &format!("SELECT count(*) = 100 FROM shop.{name}")).await;
    }
    for round in 1..=2 {
        for shop in [&mut at_once, &mut later, &mut asked] {
            shop.append([Some(100 + round)]);
        }
        for name in ["at_once", "later"] {
            let there = format!("SELECT count(*) = {} FROM shop.{name}", 100 + round);
            until("a commit", &client, &there).await;
        }
        let least = Duration::from_secs(3 * round.unsigned_abs());
        assert!(started.elapsed() >= least, "refresh {round} came after {:?}", started.elapsed());
    }
    let tables = status(&config);
    assert_eq!(tables[0]["rows"], 100, "a table without a trigger stays as it is");
    assert_eq!(tables[2]["trigger"]["source_change"]["min_time_between_triggers_seconds"], 3);
    assert_eq!(serve.stop(), 0);
    lakefront(["verify", "--all", "--config", config.to_str().unwrap()]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_the_next_change_is_waited_for() {
    let database = TestDatabase::create().await;
    let client = database.client().await;
    let mut shop = ShopTable::with_rows(100);
    let on_change = "refresh_on = \"source_change\"";
    let (_folder, config) = configuration(&database, &[("products", &shop.path(), on_change)]);
    let serve = Serve::start(&config);
    until("the first copy", &client, "SELECT count(*) = 100 FROM shop.products").await;
    shop.append([Some(7)]);
    let failed = "SELECT condition = 'PRIMARY_KEY_CONSTRAINT_VIOLATION' FROM lakefront.synced_tables";
    until("a key that is there twice to be noticed", &client, failed).await;
    shop.delete([7]);
    until("the repaired source", &client, "SELECT count(*) = 99 FROM shop.products").await;
    let well = "SELECT condition IS NULL FROM lakefront.synced_tables";
    until("the failure to be over", &client, well).await;
    assert_eq!(serve.stop(), 0);
    lakefront(["verify", "--all", "--config", config.to_str().unwrap()]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_comes_later_is_found() {
    let database = TestDatabase::create().await;
    let client = database.client().await;
    let shop = ShopTable::with_rows(100);
    let later = shop.path().with_file_name("later");
    let on_change = "refresh_on = \"source_change\"";
    let (folder, config) = configuration(&database, &[("products", &later, on_change)]);
    let told = folder.path().join("told");
    let serve = Serve::start_telling(&config, &told);
    let started = Instant::now();
    while !std::fs::read_to_string(&told).unwrap().contains("error:") {
        assert!(started.elapsed() < Duration::from_secs(60), "a source that is not there is not told of");
        std::thread::yield_now();
    }
    std::fs::rename(shop.path(), &later).unwrap();
    until("the first copy", &client, "SELECT count(*) = 100 FROM shop.products").await;
    assert_eq!(serve.stop(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_tried_again_before_the_next_time() {
    let database = TestDatabase::create().await;
    let client = database.client().await;
    let mut shop = ShopTable::with_rows(100);
    let once_a_year = "schedule = \"@yearly\"";
    let (_folder, config) = configuration(&database, &[("products", &shop.path(), once_a_year)]);
    lakefront(["refresh", "--all", "--config", config.to_str().unwrap()]).good();
    shop.append([Some(101)]);

    let holder = database.client().await;
    holder.batch_execute("BEGIN; LOCK TABLE shop.products IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let serve = Serve::start(&config);
    let waiting = "SELECT pid FROM pg_stat_activity
                   WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let is_waiting = format!("SELECT EXISTS ({waiting})");
    until("the refresh to wait for the lock", &client, &is_waiting).await;
    let ended = format!("SELECT pg_terminate_backend(pid) FROM ({waiting}) AS w");
    assert!(client.query_one(&ended, &[]).await.unwrap().get::<_, bool>(0));
    holder.batch_execute("ROLLBACK").await.unwrap();
    until("another try", &client, "SELECT count(*) = 101 FROM shop.products").await;
    assert_eq!(serve.stop(), 0);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lakefront.toml");
    let told = |keys: &str| {
        let text = format!(
            "[[synced_tables]]\nname = \"shop.products\"\nsource = \"x\"\nprimary_key = [\"id\"]\n{keys}"
        );
        std::fs::write(&file, text).unwrap();
        let finished = lakefront(["status", "--config", file.to_str().unwrap()]);
        assert_eq!(finished.code, 2, "{keys}: {}", finished.stderr);
        finished.stderr
    };
    for (keys, error, hint) in [
        (
            "scheduling_policy = \"CONTINUOUS\"\nschedule = \"0 6 * * *\"",
            "schedule is of no use with scheduling_policy = \"CONTINUOUS\"",
            "scheduling_policy = \"TRIGGERED\"",
        ),
        (
            "scheduling_policy = \"CONTINUOUS\"\nrefresh_on = \"source_change\"",
            "refresh_on is of no use with",
            "leave it out",
        ),
        (
            "schedule = \"0 6 * * *\"\nrefresh_on = \"source_change\"",
            "schedule and refresh_on exclude each other",
            "keep schedule to refresh at set times",
        ),
        ("schedule = \"0 6 * *\"", "\"0 6 * *\" is no cron expression", "five fields are wanted"),
        ("schedule = \"0 0 31 4 *\"", "names a time that never comes", "a day that its month has"),
        (
            "schedule = \"0 6 * * *\"\nschedule_time_zone = \"Berlin\"",
            "there is no time zone \"Berlin\"",
            "Europe/Berlin",
        ),
        ("schedule_time_zone = \"UTC\"", "schedule_time_zone is there without schedule", "add schedule"),
        ("min_time_between_triggers_seconds = 5", "is there without refresh_on", "add refresh_on"),
        ("refresh_on = \"commit\"", "expected `source_change`", ""),
    ] {
        let told = told(keys);
        assert!(told.contains(error) && told.contains(hint), "{keys}:\n{told}");
        assert!(hint.is_empty() || told.contains("\nhint: "), "{keys}:\n{told}");
    }
}
