//! The connection breaks at the COMMIT: whatever became of it, it is found out, and nothing is applied twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Break, Proxy, ShopTable, lakefront};
use lakefront_testkit::TestDatabase;
use serde_json::json;

/// A table of which new commits are applied over a connection that breaks. Returns how the command ended, and the rows
/// that the database has then.
async fn refresh_over(when: Break, full: bool) -> (i32, i64) {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(1_000);
    shop.load(&url);
    shop.append((2_001..=2_500).map(Some));
    shop.reprice(1..=100, 5);

    let proxy = Proxy::start(&url, when).await;
    let proxied = proxy.url().to_owned();
    let refresh = move |url: &str| {
        let mut refresh = vec!["refresh", "shop.products", "--database", url, "--json"];
        refresh.extend(full.then_some("--full"));
        lakefront(refresh)
    };
    let ended = tokio::task::spawn_blocking(move || refresh(&proxied)).await.unwrap();
    assert!(proxy.is_broken(), "{}", ended.stderr);
    let client = database.client().await;
    let rows: i64 = client.query_one("SELECT count(*) FROM shop.products", &[]).await.unwrap().get(0);
    if ended.code == 0 {
        let report = ended.json();
        assert_eq!((&report["rows"], &report["version"]), (&json!(1_500), &json!(shop.version())));
    } else {
        let error = ended.json()["error"].clone();
        assert_eq!(error["condition"], "CONNECTION_ERROR", "{error}");
        lakefront(["refresh", "shop.products", "--database", &url, "--json"]).good();
    }

    // Once, and no more than once.
    let again = lakefront(["refresh", "shop.products", "--database", &url, "--json"]).good().json();
    assert_eq!(again["refresh"], "none");
    let sql = "SELECT count(*) FROM lakefront.updates WHERE refresh = $1 AND condition IS NULL AND from_version IS NOT NULL";
    let way = if full && ended.code == 0 { "full" } else { "incremental" };
    let applied: i64 = client.query_one(sql, &[&way]).await.unwrap().get(0);
    assert_eq!(applied, 1);
    lakefront(["verify", "shop.products", "--database", &url]).good();
    (ended.code, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_server_never_saw() {
    assert_eq!(refresh_over(Break::Before, false).await, (1, 1_000));
    assert_eq!(refresh_over(Break::Before, true).await, (1, 1_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_got_lost() {
    assert_eq!(refresh_over(Break::After, false).await, (0, 1_500));
    assert_eq!(refresh_over(Break::After, true).await, (0, 1_500));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_still_runs() {
    let (code, rows) = refresh_over(Break::Meanwhile, false).await;
    // The server may notice the end of the connection only after its work, so either is right; what is told is what is.
    assert_eq!(rows, if code == 0 { 1_500 } else { 1_000 });
}
