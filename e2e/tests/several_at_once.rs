//! Several commands on one fresh database at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{ShopTable, lakefront};
use lakefront_testkit::TestDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn first_loads_do_not_hinder_each_other() {
    for _ in 0..3 {
        let database = TestDatabase::create().await;
        let url = database.url();
        let shop = ShopTable::with_rows(500);
        let source = shop.path().display().to_string();
        let loads: Vec<_> = (0..4)
            .map(|number| {
                let (url, source) = (url.clone(), source.clone());
                std::thread::spawn(move || {
                    let into = format!("shop.products{number}");
                    lakefront(["load", &source, "--into", &into, "--key", "product_id", "--database", &url])
                })
            })
            .collect();
        for load in loads {
            load.join().unwrap().good();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refreshes_of_one_table_apply_it_once() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(20_000);
    shop.load(&url);
    shop.reprice(1..=5_000, 1);
    let refreshes: Vec<_> = (0..3)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || lakefront(["refresh", "shop.products", "--database", &url, "--json"]))
        })
        .collect();
    let ways: Vec<String> = refreshes
        .into_iter()
        .map(|refresh| refresh.join().unwrap().good().json()["refresh"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ways.iter().filter(|way| *way == "incremental").count(), 1, "{ways:?}");
    lakefront(["verify", "shop.products", "--database", &url]).good();
}
