//! `lakefront serve`: what its file declares is there, stays fresh, and is served.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Serve, ShopTable, get, lakefront};
use lakefront_testkit::TestDatabase;
use std::net::TcpListener;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn what_the_file_declares_is_kept_fresh() {
    let database = TestDatabase::create().await;
    let client = database.client().await;
    let mut followed = ShopTable::with_rows(500);
    let asked = ShopTable::with_rows(70);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lakefront.toml");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        r#"
        [database]
        url = "{url}"
        [catalogs.main]
        tables = {{ "shop.followed" = "{followed}", "shop.asked" = "{asked}" }}
        [catalogs.app]
        database = "{name}"
        [[synced_tables]]
        name = "app.shop.followed"
        source = "main.shop.followed"
        primary_key = ["product_id"]
        scheduling_policy = "CONTINUOUS"
        indexes = ["(price)"]
        [[synced_tables]]
        name = "app.shop.asked"
        source = "main.shop.asked"
        primary_key = ["product_id"]
        scheduling_policy = "TRIGGERED"
        generated_columns = [{{ name = "product_display_name", type = "text", expression = "upper(name)" }}]
        [storefront]
        listen = "127.0.0.1:{port}"
        settings = {{ catalog = "app", schema = "shop", products_table = "asked" }}
        "#,
        url = database.url(),
        name = client.query_one("SELECT current_database()::text", &[]).await.unwrap().get::<_, String>(0),
        followed = followed.path().display(),
        asked = asked.path().display(),
    );
    std::fs::write(&config, text).unwrap();
    let config = config.as_path();
    let serve = Serve::start(config);
    let has = async |table: &str, rows: i64| {
        let started = Instant::now();
        let count = format!("SELECT count(*) FROM shop.{table}");
        loop {
            match client.query_one(&count, &[]).await {
                Ok(row) if row.get::<_, i64>(0) == rows => break,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
            assert!(started.elapsed() < PATIENCE, "shop.{table} does not come to {rows} rows");
        }
    };
    has("followed", 500).await;
    has("asked", 70).await;
    followed.append([Some(501), Some(502)]);
    followed.delete([1]);
    has("followed", 501).await;

    let answer = lakefront(["status", "--json", "--config", config.to_str().unwrap()]).good().json();
    let mut tables: Vec<(&str, u64)> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|table| (table["name"].as_str().unwrap(), table["rows"].as_u64().unwrap()))
        .collect();
    tables.sort_unstable();
    assert_eq!(tables, [("app.shop.asked", 70), ("app.shop.followed", 501)]);

    let page = json(&format!("127.0.0.1:{port}"), "/api/v1/products?page_size=1").await;
    let shown = (&page["total"], &page["products"][0]["product_display_name"]);
    assert_eq!(shown, (&70.into(), &"PRODUCT 1".into()), "{page}");
    assert_eq!(serve.stop(), 0);

    // A second start finds all as it was left.
    let serve = Serve::start(config);
    followed.append([Some(503)]);
    has("followed", 502).await;
    assert_eq!(serve.stop(), 0);
    lakefront(["verify", "--all", "--config", config.to_str().unwrap()]).good();
}

/// The JSON at an address, once something answers there.
async fn json(address: &str, path: &str) -> serde_json::Value {
    let started = Instant::now();
    loop {
        match get(address, path) {
            Ok((_, body)) => return serde_json::from_slice(&body).unwrap(),
            Err(error) => assert!(started.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
