//! `load --follow`: each commit shows in PostgreSQL by itself, and idle time costs nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Follow, ShopTable, lakefront, until};
use lakefront_testkit::TestDatabase;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn commits_show_by_themselves() {
    let database = TestDatabase::create().await;
    let (url, client) = (database.url(), database.client().await);
    let mut shop = ShopTable::with_rows(10_000);
    let follow = Follow::start(&shop.path(), "shop.products", "product_id", &url);
    until("the first copy", &client, "SELECT count(*) = 10000 FROM shop.products").await;

    shop.append([Some(10_001)]);
    until("an append", &client, "SELECT count(*) = 1 FROM shop.products WHERE product_id = 10001").await;
    shop.reprice([5], 3);
    until("an update", &client, "SELECT price = 9.5 FROM shop.products WHERE product_id = 5").await;
    shop.delete([10_001]);
    until("a deletion", &client, "SELECT count(*) = 0 FROM shop.products WHERE product_id = 10001").await;

    let busy = follow.cpu_seconds();
    let idle = Instant::now();
    until("two quiet seconds", &client, "SELECT pg_sleep(2) IS NOT NULL").await;
    let used = (follow.cpu_seconds() - busy) / idle.elapsed().as_secs_f64();
    assert!(used < 0.1, "{used:.3} of a core while nothing happens");

    assert_eq!(follow.stop(), 130);
    lakefront(["verify", "shop.products", "--database", &url]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_follower_leaves_a_table_that_the_next_one_goes_on_with() {
    let database = TestDatabase::create().await;
    let (url, client) = (database.url(), database.client().await);
    let mut shop = ShopTable::with_rows(2_000);
    for round in 1..=6 {
        let follow = Follow::start(&shop.path(), "shop.products", "product_id", &url);
        until("the copy", &client, "SELECT count(*) > 0 FROM shop.products").await;
        for part in 0..round {
            shop.reprice(part * 100 + 1..part * 100 + 50, round);
        }
        // At another moment of its work each time.
        follow.kill();
    }
    lakefront(["refresh", "shop.products", "--database", &url]).good();
    lakefront(["verify", "shop.products", "--database", &url]).good();
}
