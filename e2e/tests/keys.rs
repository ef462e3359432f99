//! Keys that are NULL, shared or composite, and what the policies of the file do with them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{ShopTable, lakefront};
use lakefront_testkit::TestDatabase;
use serde_json::json;

/// A configuration for one table with more lines for it.
fn configuration(folder: &std::path::Path, source: &str, more: &str) -> String {
    let file = folder.join("lakefront.toml");
    let text = format!("[[synced_tables]]\nname = \"shop.products\"\nsource = \"{source}\"\n{more}\n");
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_a_key_of_their_own_are_set_aside() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let mut shop = ShopTable::with_rows(100);
    shop.append([None, Some(7), Some(101), None, Some(8), Some(8)]);
    let source = shop.path().display().to_string();

    let strict =
        configuration(folder.path(), &source, "primary_key = [\"product_id\"]\nnull_key = \"quarantine\"");
    let failed = lakefront(["refresh", "shop.products", "--database", &url, "--config", &strict, "--json"]);
    assert_eq!(failed.code, 1);
    let error = failed.json()["error"].clone();
    assert_eq!(error["condition"], "PRIMARY_KEY_CONSTRAINT_VIOLATION");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("2 keys are shared by 5 rows") && message.contains("product_id=7 (2 rows)"),
        "{message}"
    );

    let lenient = configuration(
        folder.path(),
        &source,
        "primary_key = [\"product_id\"]\nnull_key = \"quarantine\"\nduplicate_key = \"quarantine\"",
    );
    let report = lakefront(["refresh", "shop.products", "--database", &url, "--config", &lenient, "--json"])
        .good()
        .json();
    assert_eq!((&report["rows"], &report["quarantined"]), (&json!(99), &json!(7)));
    assert_eq!(report["left_out"], json!({"NULL_PRIMARY_KEY": 2, "PRIMARY_KEY_CONSTRAINT_VIOLATION": 5}));
    let client = database.client().await;
    let listed = client
        .query(
            "SELECT reason, key, source_row::jsonb->>'name' FROM lakefront.quarantine ORDER BY 1, 2, 3",
            &[],
        )
        .await
        .unwrap();
    let listed: Vec<(String, String, Option<String>)> =
        listed.iter().map(|r| (r.get(0), r.get(1), r.get(2))).collect();
    assert_eq!(listed.len(), 7);
    assert_eq!(listed[0], ("NULL_PRIMARY_KEY".into(), "product_id=NULL".into(), None));
    assert_eq!(listed[2].1, "product_id=7");
    lakefront(["verify", "shop.products", "--database", &url, "--config", &lenient]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_greatest_timeseries_key_wins() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(100);
    shop.append([Some(7), Some(8)]);
    let source = shop.path().display().to_string();
    let load = ["load", &source, "--into", "shop.products", "--database", &url, "--json"];
    let by_name = [load.as_slice(), &["--key", "product_id", "--timeseries-key", "price"]].concat();
    let report = lakefront(by_name).good().json();
    assert_eq!((&report["rows"], &report["quarantined"]), (&json!(100), &json!(0)));
    lakefront(["verify", "shop.products", "--database", &url]).good();

    // Rows that are greater, lesser and the same, and keys that are new, some of them twice.
    shop.append_at([1, 1, 2, 200, 200, 201], 40);
    shop.append_at([1, 2, 3], 20);
    shop.append_at([3, 4], 0);
    let refresh = ["refresh", "shop.products", "--database", &url, "--json"];
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["refresh"], &report["rows"]), (&json!("incremental"), &json!(102)));
    assert_eq!(
        (&report["inserted"], &report["updated"], &report["deleted"]),
        (&json!(2), &json!(3), &json!(0))
    );
    lakefront(["verify", "shop.products", "--database", &url]).good();
    let price = "SELECT price FROM shop.products WHERE product_id = $1";
    let client = database.client().await;
    let priced: f64 = client.query_one(price, &[&1i64]).await.unwrap().get(0);
    assert_eq!(priced, (7.0 + 40.0) / 4.0);

    // Rows that go: what is no key's greatest is not missed; after a key's greatest comes the next in the source.
    shop.delete_priced(2, 0);
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["refresh"], &report["updated"]), (&json!("incremental"), &json!(0)), "{report}");
    shop.delete_priced(2, 40);
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["refresh"], &report["updated"]), (&json!("incremental"), &json!(1)), "{report}");
    let priced: f64 = client.query_one(price, &[&2i64]).await.unwrap().get(0);
    assert_eq!(priced, (14.0 + 20.0) / 4.0);
    shop.delete([2, 5, 200]);
    shop.reprice([1, 6], 1);
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["refresh"], &report["rows"]), (&json!("incremental"), &json!(99)), "{report}");
    assert_eq!((&report["updated"], &report["deleted"]), (&json!(2), &json!(3)), "{report}");
    lakefront(["verify", "shop.products", "--database", &url]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_set_aside_do_not_stop_changes() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let mut shop = ShopTable::with_rows(100);
    shop.append([None, Some(7), Some(8), Some(8)]);
    let file = configuration(
        folder.path(),
        &shop.path().display().to_string(),
        "primary_key = [\"product_id\"]\nnull_key = \"quarantine\"\nduplicate_key = \"quarantine\"",
    );
    let refresh = ["refresh", "shop.products", "--database", &url, "--config", &file, "--json"];
    let verify = ["verify", "shop.products", "--database", &url, "--config", &file];
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["rows"], &report["quarantined"]), (&json!(98), &json!(6)));

    // Other keys change: what is set aside stays as it is.
    shop.append_at([1000], 0);
    shop.delete([3]);
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["refresh"], &report["rows"]), (&json!("incremental"), &json!(98)), "{report}");
    assert_eq!(report["quarantined"], json!(6));
    lakefront(verify).good();

    // One more row of a key that is set aside, and one of a key that had but one.
    for (id, quarantined) in [(8, 7), (9, 9)] {
        shop.append_at([id], 0);
        let report = lakefront(refresh).good().json();
        assert_eq!(
            (&report["refresh"], &report["quarantined"]),
            (&json!("full"), &json!(quarantined)),
            "{report}"
        );
        lakefront(verify).good();
    }
    // Such a key goes with all its rows.
    shop.delete([7]);
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["refresh"], &report["quarantined"]), (&json!("full"), &json!(7)), "{report}");
    lakefront(verify).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_there_twice_for_a_while() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(100);
    shop.load(&url);
    // The new row comes in one commit and the old one goes in the next: in none of them is the key updated.
    shop.append_at([7], 40);
    shop.delete_priced(7, 0);
    lakefront(["refresh", "shop.products", "--database", &url]).good();
    lakefront(["verify", "shop.products", "--database", &url]).good();
    let client = database.client().await;
    let row = client.query_one("SELECT price FROM shop.products WHERE product_id = 7", &[]).await.unwrap();
    assert_eq!(row.get::<_, f64>(0), (49.0 + 40.0) / 4.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_row_whose_key_is_there() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let folder = tempfile::tempdir().unwrap();
    let mut shop = ShopTable::with_rows(100);
    let file = configuration(
        folder.path(),
        &shop.path().display().to_string(),
        "primary_key = [\"product_id\"]\nduplicate_key = \"quarantine\"",
    );
    let refresh = ["refresh", "shop.products", "--database", &url, "--config", &file, "--json"];
    let verify = ["verify", "shop.products", "--database", &url, "--config", &file];
    lakefront(refresh).good();

    // Nothing but new rows: they go straight into the table.
    shop.append_at([200], 0);
    shop.append_at([201], 0);
    let report = lakefront(refresh).good().json();
    assert_eq!((&report["refresh"], &report["inserted"]), (&json!("incremental"), &json!(2)), "{report}");
    assert_eq!(report["rows"], json!(102), "{report}");
    // One of them is not new, as the table's own key says, and then one comes twice in two commits.
    for (ids, rows, quarantined) in [([300, 7], 102, 2), ([301, 301], 102, 4)] {
        for id in ids {
            shop.append_at([id], 0);
        }
        let report = lakefront(refresh).good().json();
        assert_eq!((&report["refresh"], &report["rows"]), (&json!("full"), &json!(rows)), "{report}");
        assert_eq!(report["quarantined"], json!(quarantined), "{report}");
        lakefront(verify).good();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn composite_keys_and_tables_without_a_key() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(1_000);
    let source = shop.path().display().to_string();
    lakefront(["load", &source, "--into", "a.composite", "--key", "product_id,\"name\"", "--database", &url])
        .good();
    lakefront(["load", &source, "--into", "a.keyless", "--database", &url]).good();
    shop.append([Some(5), Some(2_000)]);
    shop.delete([17]);
    let report = lakefront(["refresh", "a.keyless", "--database", &url, "--json"]).good().json();
    assert_eq!(report["rows"], 1_001);
    lakefront(["verify", "a.keyless", "--database", &url]).good();
    // Product 5 is there twice now, with the same name.
    let failed = lakefront(["refresh", "a.composite", "--database", &url]);
    assert_eq!(failed.code, 1);
    assert!(failed.stderr.contains("(product_id, name)"), "{}", failed.stderr);
    let client = database.client().await;
    let rows: i64 = client.query_one("SELECT count(*) FROM a.composite", &[]).await.unwrap().get(0);
    assert_eq!(rows, 1_000, "the last good copy stays");
    let status = lakefront(["status", "a.composite", "--database", &url, "--json"]).good().json();
    assert_eq!(status[0]["state"], "SYNCED_TABLE_ONLINE_PIPELINE_FAILED");
    let message = status[0]["message"].as_str().unwrap();
    assert!(message.starts_with("PRIMARY_KEY_CONSTRAINT_VIOLATION: "), "{message}");
}
