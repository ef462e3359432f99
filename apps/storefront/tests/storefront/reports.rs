//! Health, settings, and the API's description.

use axum::http::StatusCode;
use lakefront_storefront::openapi_document;
use serde_json::json;

use crate::{database::TestDatabase, items::invent, shop::TestShop};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_tells_of_database_and_freshness() {
    let database = TestDatabase::with_items(&invent(3)).await;
    database.create_freshness(12).await;
    let shop = TestShop::open(&database.settings()).await;
    for path in ["/healthcheck", "/api/v1/healthcheck"] {
        let health = shop.ok(path).await;
        assert_eq!((&health["status"], &health["database"]["status"]), (&json!("ok"), &json!("ok")));
        assert!(health["database"]["latency_ms"].as_f64().unwrap() > 0.0);
        assert_eq!(
            health["tables"][0],
            json!({
                "name": "ecom.fashion_demo.productsdb", "exists": true,
                "freshness": {
                    "source": "main.fashion_demo.productsdb", "version": 12, "committed_at": "2026-03-01T10:00:00Z",
                    "synced_at": "2026-03-01T10:00:01.500Z", "lag_seconds": 1.5, "state": "SYNCED_TABLE_ONLINE"
                }
            })
        );
        assert_eq!(
            health["tables"][1],
            json!({"name": "ecom.fashion_demo.usersdb", "exists": false, "freshness": null})
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_lakefront_freshness_is_null() {
    let database = TestDatabase::with_items(&invent(3)).await;
    let shop = TestShop::open(&database.settings()).await;
    let health = shop.ok("/healthcheck").await;
    assert_eq!(health["tables"][0]["freshness"], json!(null));
    let list = shop.get("/api/v1/products").await;
    assert!(list.headers.get("x-lakefront-version").is_none());
    assert!(shop.get("/").await.text().contains("freshness not known"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_shown_and_the_password_is_not() {
    let database = TestDatabase::empty().await;
    let mut given = database.settings();
    given.password = Some("hunter2-secret".into());
    given.catalog = Some("shop_catalog".into());
    let shop = TestShop::open(&given).await;
    for path in ["/config-check", "/api/v1/config-check"] {
        let report = shop.ok(path).await;
        assert_eq!(report["settings"]["password"], "********");
        assert_eq!(report["settings"]["database"], database.name.as_str());
        assert_eq!(report["settings"]["catalog"], "shop_catalog");
        assert_eq!(report["settings"]["products_table"], "productsdb");
        assert_eq!(report["sign_in"], "password");
        assert_eq!(report["origins"]["catalog"], "configuration");
        assert_eq!(report["origins"]["schema"], "default");
        assert!(!report.to_string().contains("hunter2"));
    }
    let (_, body) = shop.json("/api/v1/products").await;
    assert!(!body.to_string().contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_is_complete_without_the_network() {
    let database = TestDatabase::empty().await;
    let shop = TestShop::open(&database.settings()).await;
    for path in ["/docs", "/docs/"] {
        let page = shop.get(path).await.text();
        let mut files = 0;
        for attribute in ["src=\"", "href=\""] {
            for part in page.split(attribute).skip(1) {
                let address = part.split('"').next().unwrap();
                assert!(address.starts_with("/docs/"), "{address}");
                let file = shop.get(address).await;
                assert_eq!(file.status, StatusCode::OK, "{address}");
                files += 1;
            }
        }
        assert!(files >= 4, "{page}");
    }
    let initializer = shop.get("/docs/swagger-initializer.js").await.text();
    assert!(initializer.contains("/openapi.json"), "{initializer}");
    assert_eq!(shop.ok("/openapi.json").await["openapi"], "3.1.0");
}

#[test]
fn the_description_of_the_api_changes_only_on_purpose() {
    insta::assert_snapshot!("openapi", openapi_document().to_pretty_json().unwrap());
}
