//! From where on the changes of a table are not applied one by one: everything is copied again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Finished, ShopTable, lakefront};
use lakefront_testkit::TestDatabase;
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;

/// Rows of a table that is large enough to be weighed.
const ROWS: i64 = 120_000;

/// A table of the shop and its copy, declared with a threshold.
struct Declared {
    database: TestDatabase,
    _folder: TempDir,
    config: PathBuf,
}

impl Declared {
    async fn new(shop: &ShopTable, threshold: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("lakefront.toml");
        let text = format!(
            "[[synced_tables]]\nname = \"shop.products\"\nsource = \"{}\"\nprimary_key = [\"product_id\"]\n{threshold}\n",
            shop.path().display()
        );
        std::fs::write(&config, text).unwrap();
        Self { database: TestDatabase::create().await, _folder: folder, config }
    }

    fn run(&self, command: &str) -> Finished {
        let config = self.config.to_str().unwrap();
        lakefront([
            command,
            "shop.products",
            "--json",
            "--config",
            config,
            "--database",
            &self.database.url(),
        ])
    }

    /// How the table was refreshed and why, with what its update's record says; the copy is as its source.
    async fn refreshed(&self) -> (String, String) {
        let report = self.run("refresh").good().json();
        assert_eq!(self.run("verify").good().json()["same"], true, "{report}");
        let text = |field: &Value| field.as_str().unwrap().to_owned();
        let client = self.database.client().await;
        let row = client
            .query_one("SELECT refresh, reason FROM lakefront.updates ORDER BY id DESC LIMIT 1", &[])
            .await
            .unwrap();
        let told = (text(&report["refresh"]), text(&report["reason"]));
        assert_eq!((row.get::<_, String>(0), row.get::<_, String>(1)), told, "the record says the same");
        told
    }
}

/// The percentage that a reason gives.
fn share(reason: &str) -> i64 {
    let rest = reason.strip_prefix("the changes are ").unwrap_or_else(|| panic!("{reason}"));
    rest.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_change_data_feed_both_sides_of_the_threshold() {
    let mut shop = ShopTable::with_rows(ROWS);
    let table = Declared::new(&shop, "full_refresh_threshold = 50").await;
    assert_eq!(table.refreshed().await, ("full".to_owned(), "first copy".to_owned()));

    shop.reprice((1..=ROWS).filter(|id| id % 10 < 3), 1);
    let (refresh, reason) = table.refreshed().await;
    assert_eq!(refresh, "incremental", "{reason}");

    shop.reprice((1..=ROWS).filter(|id| id % 10 < 8), 2);
    let (refresh, reason) = table.refreshed().await;
    assert_eq!(refresh, "full", "{reason}");
    assert!(reason.ends_with(" % of the table (threshold 50 %)"), "{reason}");
    // What is recorded is judged by its size; 80 is right.
    assert!((60..=100).contains(&share(&reason)), "{reason}");

    // Twice as many new rows as old ones: copying the old ones again would gain nothing.
    shop.append((ROWS + 1..=3 * ROWS).map(Some));
    let (refresh, reason) = table.refreshed().await;
    assert_eq!(refresh, "incremental", "{reason}");
    shop.reprice(3 * ROWS + 1..=8 * ROWS, 0);
    let (refresh, reason) = table.refreshed().await;
    assert_eq!(refresh, "incremental", "a merge that only inserts: {reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_change_data_feed_rows_of_rewritten_files_count() {
    let mut shop = ShopTable::without_feed(ROWS);
    let table = Declared::new(&shop, "full_refresh_threshold = 50").await;
    table.refreshed().await;

    // Rows of one file in six.
    shop.reprice(1..=10_000, 1);
    let (refresh, reason) = table.refreshed().await;
    assert_eq!(refresh, "incremental", "{reason}");

    shop.reprice((1..=ROWS).filter(|id| id % 100 == 0), 2);
    let (refresh, reason) = table.refreshed().await;
    assert_eq!(refresh, "full", "{reason}");
    assert!((95..=105).contains(&share(&reason)), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn never_means_never_and_small_tables_are_not_weighed() {
    let mut shop = ShopTable::with_rows(ROWS);
    let table = Declared::new(&shop, "full_refresh_threshold = \"never\"").await;
    table.refreshed().await;
    for round in 1..=2 {
        shop.reprice(1..=ROWS, round);
    }
    let (refresh, reason) = table.refreshed().await;
    assert_eq!(refresh, "incremental", "{reason}");

    let mut shop = ShopTable::with_rows(2_000);
    let table = Declared::new(&shop, "full_refresh_threshold = 1").await;
    table.refreshed().await;
    shop.reprice(1..=2_000, 1);
    let report = table.run("refresh").good().json();
    assert_eq!((&report["refresh"], &report["updated"]), (&"incremental".into(), &2_000.into()), "{report}");
}

#[test]
fn a_fraction_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lakefront.toml");
    for wrong in ["0", "0.6", "\"60 %\""] {
        let text = format!(
            "[[synced_tables]]\nname = \"shop.products\"\nsource = \"x\"\nprimary_key = [\"id\"]\nfull_refresh_threshold = {wrong}"
        );
        std::fs::write(&file, text).unwrap();
        let finished = lakefront(["status", "--config", file.to_str().unwrap()]);
        assert_eq!(finished.code, 2, "{}", finished.stderr);
        assert!(finished.stderr.contains("expected a whole percentage"), "{}", finished.stderr);
    }
}
