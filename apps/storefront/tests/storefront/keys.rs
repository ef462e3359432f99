//! Tables that differ between lakes: the key's type, other columns, other types.

use axum::http::StatusCode;
use serde_json::json;

use crate::{database::TestDatabase, items::insert, items::invent, shop::TestShop};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_any_type_are_given_and_taken_as_text() {
    let items = invent(30);
    for key_type in ["bigint", "int", "text", "varchar(40)", "numeric"] {
        let database = TestDatabase::empty().await;
        database.create_products(key_type).await;
        insert(&database.client, &items).await;
        let shop = TestShop::open(&database.settings()).await;
        let page = shop.ok("/api/v1/products?sort_by=product_id&page_size=100").await;
        assert_eq!(page["total"], 30, "{key_type}");
        for item in &items {
            let product = shop.ok(&format!("/api/v1/products/{}", item.id)).await;
            assert_eq!(product, item.as_answer(), "{key_type}");
        }
        for absent in
            ["1", "0", "-1", "99999999999", "99999999999999999999", "09000", "nine", "1.5", "%20", "%00"]
        {
            let (status, body) = shop.json(&format!("/api/v1/products/{absent}")).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{key_type} {absent}");
            let named = absent.replace("%20", " ").replace("%00", "\0");
            assert_eq!(body, json!({"detail": format!("Product {named} not found")}), "{key_type}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_may_hold_any_characters() {
    let database = TestDatabase::empty().await;
    database.create_products("text").await;
    database
        .run(
            "INSERT INTO fashion_demo.productsdb (product_id, product_display_name) VALUES
             ('a/b?c=1&d', 'Slash'), ('ü ''; DROP', 'Quote')",
        )
        .await;
    let shop = TestShop::open(&database.settings()).await;
    let slash = shop.ok("/api/v1/products/a%2Fb%3Fc%3D1%26d").await;
    assert_eq!(slash["product_display_name"], "Slash");
    assert_eq!(shop.ok("/api/v1/products/%C3%BC%20';%20DROP").await["product_id"], "ü '; DROP");
    let page = shop.get("/catalogue").await.text();
    let href = page.split("href=\"/product/").nth(2).unwrap().split('"').next().unwrap().to_owned();
    assert!(shop.get(&format!("/product/{href}")).await.status.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_columns_are_passed_over_and_missing_ones_are_null() {
    let database = TestDatabase::empty().await;
    database
        .run(
            r#"CREATE SCHEMA "Odd ""Schema";
             CREATE DOMAIN "Odd ""Schema".money AS numeric(10, 2);
             CREATE TABLE "Odd ""Schema"."Pro'ducts" (product_display_name varchar(100), product_id smallint,
                secret text, price "Odd ""Schema".money, year text, gender char(6), ingested_at date, base_color int);
             INSERT INTO "Odd ""Schema"."Pro'ducts" VALUES
                ('Shirt', 7, 'hidden', 12.50, 'unknown', 'Men', '2026-02-03', 5),
                ('Hat', 8, 'hidden', NULL, NULL, NULL, 'infinity', NULL)"#,
        )
        .await;
    let mut given = database.settings();
    given.schema = Some("Odd \"Schema".into());
    given.products_table = Some("Pro'ducts".into());
    let shop = TestShop::open(&given).await;
    let product = shop.ok("/api/v1/products/7").await;
    assert_eq!(
        product,
        json!({
            "product_id": "7", "gender": "Men", "master_category": null, "sub_category": null,
            "article_type": null, "base_color": "5", "season": null, "year": null, "usage": null,
            "product_display_name": "Shirt", "price": 12.5, "image_path": null,
            "ingested_at": "2026-02-03T00:00:00", "image_url": null, "similarity_score": null,
            "personalization_reason": null
        })
    );
    assert_eq!(shop.ok("/api/v1/products/8").await["ingested_at"], json!(null));
    assert_eq!(shop.total("/api/v1/products?gender=Men&min_price=12.5&max_price=12.5&base_color=5").await, 1);
    assert_eq!(shop.total("/api/v1/products?season=Summer").await, 0);
    let (status, body) = shop.json("/api/v1/products?sort_by=season").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        body["detail"][0]["msg"],
        "Input should be 'product_id', 'gender', 'base_color', 'year', 'product_display_name', 'price' or 'ingested_at'"
    );
    for page in ["/", "/catalogue?gender=Men", "/product/7", "/product/8"] {
        assert!(shop.get(page).await.status.is_success(), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_replaced_under_way_is_read_as_it_is_now() {
    let items = invent(40);
    let database = TestDatabase::with_items(&items).await;
    let shop = TestShop::open(&database.settings()).await;
    for _ in 0..8 {
        shop.ok("/api/v1/products").await;
        shop.ok("/api/v1/products/9000").await;
    }
    database
        .run(
            "ALTER TABLE fashion_demo.productsdb ALTER product_id TYPE text;
             ALTER TABLE fashion_demo.productsdb ALTER price TYPE numeric;
             ALTER TABLE fashion_demo.productsdb DROP COLUMN season",
        )
        .await;
    for _ in 0..8 {
        assert_eq!(shop.ok("/api/v1/products").await["products"][0]["season"], json!(null));
        assert_eq!(shop.ok("/api/v1/products/9000").await["product_id"], "9000");
        assert_eq!(shop.total("/api/v1/products?min_price=0").await, 40);
    }
    database.run("DROP TABLE fashion_demo.productsdb").await;
    let (status, _) = shop.json("/api/v1/products").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    database.run("DROP SCHEMA fashion_demo").await;
    database.create_products("bigint").await;
    insert(&database.client, &items[..5]).await;
    assert_eq!(shop.total("/api/v1/products?page_size=5").await, 5);
}
