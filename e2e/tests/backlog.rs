//! Sources that are very many commits ahead of their copies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{ShopTable, command, lakefront};
use lakefront_testkit::TestDatabase;
use serde_json::json;
use std::os::unix::process::ExitStatusExt;
use tokio_postgres::Client;

/// Commits that are applied in one transaction.
const PART: u64 = 10_000;
/// Aborted: the signal that ended the process.
const SIGABRT: i32 = 6;

/// A source, and a database with its copy.
async fn copied() -> (ShopTable, TestDatabase) {
    let (shop, database) = (ShopTable::with_rows(1_000), TestDatabase::create().await);
    shop.load(&database.url());
    (shop, database)
}

/// Changes in each of three parts.
fn fall_behind(shop: &mut ShopTable) {
    shop.append((1_001..=1_500).map(Some));
    shop.reprice(1..=10, 1);
    shop.idle(PART - 1);
    shop.delete([1, 2, 3]);
    shop.reprice(4..=20, 2);
    shop.idle(PART - 3);
    shop.reprice(1_400..=1_600, 3);
}

async fn applied(client: &Client) -> Vec<(i64, String)> {
    let updates =
        "SELECT version, refresh FROM lakefront.updates WHERE condition IS NULL ORDER BY started_at";
    let rows = client.query(updates, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn expected(versions: &[(u64, &str)]) -> Vec<(i64, String)> {
    versions.iter().map(|(version, way)| (i64::try_from(*version).unwrap(), (*way).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_commits_are_applied_in_parts() {
    let (mut shop, database) = copied().await;
    let (url, client) = (database.url(), database.client().await);
    let loaded = shop.version();
    fall_behind(&mut shop);
    let refresh = ["refresh", "shop.products", "--database", &url, "--json"];

    // What a part brought stays when the process ends before the next one.
    let ended = command().args(refresh).env("LAKEFRONT_FAILPOINT", "committed").output().unwrap();
    assert_eq!(ended.status.signal(), Some(SIGABRT));
    let rows = client.query_one("SELECT count(*) FROM shop.products", &[]).await.unwrap();
    assert_eq!(rows.get::<_, i64>(0), 1_500);

    let report = lakefront(refresh).good().json();
    assert_eq!(report["refresh"], "incremental", "{report}");
    assert_eq!(
        (&report["from_version"], &report["version"]),
        (&json!(loaded + PART), &json!(shop.version()))
    );
    let counts = [&report["inserted"], &report["updated"], &report["deleted"], &report["rows"]];
    assert_eq!(counts, [&json!(100), &json!(118), &json!(3), &json!(1_597)], "{report}");
    assert!(report["reason"].as_str().unwrap().contains("in 2 parts"), "{report}");
    let (first, second) = (loaded + PART, loaded + 2 * PART);
    let way = "incremental";
    let versions = [(loaded, "full"), (first, way), (second, way), (shop.version(), way)];
    assert_eq!(applied(&client).await, expected(&versions));
    lakefront(["verify", "shop.products", "--database", &url]).good();
    assert_eq!(lakefront(refresh).good().json()["refresh"], "none");
}

/// Where a part cannot be applied, nothing between it and the newest version is copied.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_applied_in_parts_is_copied_once() {
    let (mut shop, database) = copied().await;
    let (url, client) = (database.url(), database.client().await);
    let loaded = shop.version();
    fall_behind(&mut shop);
    let recorded = shop.path().join("_change_data");
    for file in std::fs::read_dir(recorded).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let refresh = ["refresh", "shop.products", "--database", &url, "--json"];
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["refresh"], &report["rows"]), (&json!("full"), &json!(1_597)), "{report}");
    assert!(report["reason"].as_str().unwrap().contains("is gone from the source"), "{report}");
    assert_eq!(applied(&client).await, expected(&[(loaded, "full"), (shop.version(), "full")]));
    lakefront(["verify", "shop.products", "--database", &url]).good();
}

/// A state on the way that the copy's users refuse is passed over.
#[tokio::test(flavor = "multi_thread")]
async fn what_users_refuse_on_the_way_may_be_right_at_its_end() {
    let (mut shop, database) = copied().await;
    let (url, client) = (database.url(), database.client().await);
    client.batch_execute("ALTER TABLE shop.products ADD CHECK (product_id < 2000)").await.unwrap();
    shop.append([Some(3_000)]);
    shop.idle(PART);
    shop.delete([3_000]);
    let report = lakefront(["refresh", "shop.products", "--database", &url, "--json"]).good().json();
    assert_eq!((&report["version"], &report["rows"]), (&json!(shop.version()), &json!(1_000)), "{report}");
    assert!(report["reason"].as_str().unwrap().contains("products_product_id_check"), "{report}");
    lakefront(["verify", "shop.products", "--database", &url]).good();
}
