//! The demo: started, queried, looked at with a real browser, ended, and started again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Browser, Demo};
use std::time::{Duration, Instant};

#[test]
fn the_demo_opens_its_shop_twice_in_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let demo = Demo::start(&data, "off");
    let page = demo.json("/api/v1/products?page=1&page_size=5");
    assert_eq!((page["total"].as_u64(), page["products"].as_array().unwrap().len()), (Some(44_424), 5));
    let product = &page["products"][0];
    let id = product["product_id"].as_str().expect("product_id is a string").to_owned();
    assert_eq!(
        demo.json(&format!("/api/v1/products/{id}"))["product_display_name"],
        product["product_display_name"]
    );
    let (status, picture) = demo.get(product["image_url"].as_str().unwrap());
    assert_eq!((status, &picture[1..4]), (200, b"PNG".as_slice()));
    let red = demo.json("/api/v1/products?base_color=Red&article_type=Dresses&sort_by=price&sort_order=DESC");
    let prices: Vec<f64> =
        red["products"].as_array().unwrap().iter().map(|p| p["price"].as_f64().unwrap()).collect();
    assert!(!prices.is_empty() && prices.windows(2).all(|w| w[0] >= w[1]), "{prices:?}");
    assert_eq!(demo.get("/api/v1/products/no-such-product").0, 404);
    assert_eq!(demo.get("/api/v1/products?page=0").0, 422);
    assert_eq!(demo.json("/healthcheck")["status"], "ok");
    for asset in ["/docs", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/openapi.json"] {
        assert_eq!(demo.get(asset).0, 200, "{asset}");
    }

    if let Some(browser) = Browser::find(folder.path()) {
        for (path, shown) in [
            ("/", "</html>"),
            ("/catalogue", &format!("/product/{id}") as &str),
            (&format!("/product/{id}"), "<h1"),
            ("/docs/", "opblock-summary-path"),
        ] {
            let url = format!("http://{}{path}", demo.address);
            let document = browser.document(&url);
            assert!(document.contains(shown), "{path} shows no {shown}: {document}");
            // A blank page of this size is some 9 kB.
            let size = browser.picture(&url).len();
            assert!(size > 20_000, "{path} looks blank: {size} bytes");
        }
    }
    assert_eq!(demo.stop(), 0);

    let again = Demo::start(&data, "off");
    assert_eq!(again.json("/api/v1/products?page=1&page_size=1")["total"], 44_424);
    again.kill();
    let after_a_kill = Demo::start(&data, "off");
    assert_eq!(after_a_kill.json("/api/v1/products?page=1&page_size=1")["total"], 44_424);
    assert_eq!(after_a_kill.stop(), 0);
}

#[test]
fn changes_in_the_lake_reach_the_shop() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(&folder.path().join("demo"), "5");
    let started = Instant::now();
    let version = |demo: &Demo| {
        let health = demo.json("/healthcheck");
        health["tables"][0]["freshness"]["version"].as_u64().unwrap_or_default()
    };
    let first = version(&demo);
    while version(&demo) < first + 3 {
        assert!(started.elapsed() < Duration::from_secs(120), "no commit arrives");
        std::thread::yield_now();
    }
    assert_eq!(demo.stop(), 0);
}
