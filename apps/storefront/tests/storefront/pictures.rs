//! Pictures: addresses, validators, the folder.

use axum::http::StatusCode;
use lakefront_storefront::NoImages;

use crate::{database::TestDatabase, items::invent, shop::TestShop};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_in_a_product_leads_to_its_picture() {
    let database = TestDatabase::with_items(&invent(1)).await;
    let shop = TestShop::open(&database.settings()).await;
    let product = shop.ok("/api/v1/products/9000").await;
    let path = product["image_path"].as_str().unwrap();
    let picture = shop.get(product["image_url"].as_str().unwrap()).await;
    assert_eq!(picture.status, StatusCode::OK);
    assert_eq!(picture.header("content-type"), "image/png");
    assert!(picture.header("cache-control").contains("max-age="));
    let etag = picture.header("etag");
    assert_eq!(picture.text(), format!("picture of {path}"));

    for prefix in ["/images/", "/api/v1/images/"] {
        let again = shop.ask("GET", &format!("{prefix}{path}"), &[("if-none-match", etag)]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert_eq!(again.header("etag"), etag);
        assert!(again.body.is_empty());
    }
    let other = shop.ask("GET", &format!("/images/{path}"), &[("if-none-match", "\"x\"")]).await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_picture_is_not_found() {
    let database = TestDatabase::with_items(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("shirts")).unwrap();
    std::fs::write(folder.path().join("shirts/1.svg"), "<svg/>").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "private").unwrap();
    let mut given = database.settings();
    given.images_dir = Some(folder.path().to_owned());
    let shop = TestShop::with_pictures(&given, NoImages).await;
    let picture = shop.get("/images/shirts/1.svg").await;
    assert_eq!((picture.status, picture.header("content-type")), (StatusCode::OK, "image/svg+xml"));
    for absent in [
        "shirts/2.svg",
        "notes.txt",
        "..%2F..%2Fetc%2Fpasswd",
        "shirts/..%2F..%2Fx.png",
        "%2Fetc%2Fx.png",
        "a%00.png",
    ] {
        let (status, body) = shop.json(&format!("/images/{absent}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{absent}");
        assert!(body["detail"].as_str().unwrap().ends_with("not found"));
    }
}
