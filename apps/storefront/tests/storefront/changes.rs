//! Counts and options are kept only as long as they are true.

use std::time::{Duration, Instant};

use crate::{
    database::TestDatabase,
    items::invent,
    shop::{TestShop, eventually},
};

const LIST: &str = "/api/v1/products?gender=Men&page_size=1";
const OPTIONS: &str = "/api/v1/products/filters/options";

/// Adds two products for men, one of them in a new colour.
const ADD: &str =
    "INSERT INTO fashion_demo.productsdb (product_id, gender, base_color, product_display_name) VALUES
    (1, 'Men', 'Ultraviolet', 'A'), (2, 'Men', 'Black', 'B')";

fn has_new_color(options: &serde_json::Value) -> bool {
    options["colors"].as_array().unwrap().iter().any(|color| color == "Ultraviolet")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_lakefront_a_count_is_a_second_old_at_most() {
    let database = TestDatabase::with_items(&invent(100)).await;
    let shop = TestShop::open(&database.settings()).await;
    shop.listens().await;
    let before = shop.total(LIST).await;
    assert!(!has_new_color(&shop.ok(OPTIONS).await));
    database.run(ADD).await;
    let changed = Instant::now();
    eventually("the new count", async || shop.total(LIST).await == before + 2).await;
    eventually("the new option", async || has_new_color(&shop.ok(OPTIONS).await)).await;
    // A second, and what a busy machine adds to a request.
    assert!(changed.elapsed() < Duration::from_secs(5), "{:?}", changed.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_lakefront_a_count_is_kept_until_it_tells_of_a_change() {
    let database = TestDatabase::with_items(&invent(100)).await;
    database.create_freshness(7).await;
    let shop = TestShop::open(&database.settings()).await;
    shop.listens().await;
    let before = shop.total(LIST).await;
    shop.ok(OPTIONS).await;
    // Not how Lakefront writes: neither version nor notification tells of it, so it must not be seen yet.
    database.run(ADD).await;
    let changed = Instant::now();
    while changed.elapsed() < Duration::from_millis(1500) {
        assert_eq!(shop.total(LIST).await, before);
        assert!(!has_new_color(&shop.ok(OPTIONS).await));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for other in [r#"{"table":"fashion_demo.usersdb","version":8}"#, r#"{"table":"productsdb","version":8}"#]
    {
        database.run(&format!("NOTIFY lakefront, '{other}'")).await;
    }
    assert_eq!(shop.total(LIST).await, before);
    database.run(r#"NOTIFY lakefront, '{"table":"fashion_demo.productsdb","version":8}'"#).await;
    eventually("the new count", async || shop.total(LIST).await == before + 2).await;
    eventually("the new option", async || has_new_color(&shop.ok(OPTIONS).await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_total_and_version_are_of_one_state_without_any_notification() {
    let items = invent(60);
    let database = TestDatabase::with_items(&items).await;
    database.create_freshness(1).await;
    let shop = TestShop::open(&database.settings()).await;
    shop.listens().await;
    for version in 2..30_i64 {
        database
            .run(&format!(
                "BEGIN;
                 INSERT INTO fashion_demo.productsdb (product_id, product_display_name) VALUES ({version}, ' {version:03}');
                 UPDATE lakefront.checkpoints SET version = {version}, synced_at = clock_timestamp();
                 COMMIT"
            ))
            .await;
        let response = shop.get("/api/v1/products?page_size=2").await;
        assert_eq!(response.header("x-lakefront-version"), version.to_string());
        let timing = response.header("server-timing").to_owned();
        assert!(timing.starts_with("db;dur="), "{timing}");
        let body: serde_json::Value = serde_json::from_str(&response.text()).unwrap();
        assert_eq!(body["total"], 60 + version - 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_never_see_a_total_of_another_version() {
    let database = TestDatabase::with_items(&[]).await;
    database.create_freshness(0).await;
    database
        .run("INSERT INTO fashion_demo.productsdb (product_id, product_display_name) SELECT -g, 'x' FROM generate_series(1, 200) g")
        .await;
    let shop = TestShop::open(&database.settings()).await;
    shop.listens().await;
    let done = std::sync::atomic::AtomicBool::new(false);
    let read = async || {
        let mut seen = 0;
        while !done.load(std::sync::atomic::Ordering::SeqCst) {
            let response = shop.get("/api/v1/products?page_size=3&page=2").await;
            let version: i64 = response.header("x-lakefront-version").parse().unwrap();
            let body: serde_json::Value = serde_json::from_str(&response.text()).unwrap();
            assert_eq!(body["total"], 200 + version);
            seen = seen.max(version);
        }
        seen
    };
    let write = async {
        for version in 1..=40_i64 {
            database
                .run(&format!(
                    "BEGIN;
                     INSERT INTO fashion_demo.productsdb (product_id, product_display_name) VALUES ({version}, 'y');
                     UPDATE lakefront.checkpoints SET version = {version}, synced_at = clock_timestamp();
                     SELECT pg_notify('lakefront', '{{\"table\":\"fashion_demo.productsdb\",\"version\":{version}}}');
                     COMMIT"
                ))
                .await;
            // Faster than reading twice, no pair of reads could agree.
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        eventually("the last version", async || shop.total("/api/v1/products?page_size=3").await == 240)
            .await;
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let (first, second, third, ()) = tokio::join!(read(), read(), read(), write);
    assert!(first.min(second).min(third) > 0);
}
