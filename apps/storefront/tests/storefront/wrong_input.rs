//! Wrong parameters, hostile ones, and tables that are not there.

use axum::http::StatusCode;

use crate::{database::TestDatabase, items::invent, shop::TestShop};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_parameter_is_named() {
    let database = TestDatabase::with_items(&invent(3)).await;
    let shop = TestShop::open(&database.settings()).await;
    for (query, name) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=two", "page"),
        ("page=1&page=", "page"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("min_price=cheap", "min_price"),
        ("max_price=inf", "max_price"),
        ("min_price=", "min_price"),
        ("sort_by=secret", "sort_by"),
        ("sort_by=price%3B+DROP+TABLE+x", "sort_by"),
        ("sort_order=sideways", "sort_order"),
        ("gender=%00", "gender"),
        ("q=%00", "q"),
    ] {
        let (status, body) = shop.json(&format!("/api/v1/products?{query}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(body["detail"][0]["loc"], serde_json::json!(["query", name]), "{query}");
        let page = shop.get(&format!("/catalogue?{query}")).await;
        // The page's form sends empty fields, which mean nothing.
        let expected = if query.ends_with('=') { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        assert_eq!(page.status, expected, "{query}");
    }
    let (_, body) = shop.json("/api/v1/products?page=0&page_size=1000&sort_by=x").await;
    insta::assert_snapshot!("wrong_parameters", serde_json::to_string_pretty(&body).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_texts_are_only_texts() {
    let items = invent(20);
    let database = TestDatabase::with_items(&items).await;
    let shop = TestShop::open(&database.settings()).await;
    for text in [
        "' OR '1'='1",
        "'; DROP TABLE fashion_demo.productsdb; --",
        "$1",
        "\\'; SELECT pg_sleep(10); --",
        "%' OR true --",
        "Men\"; DROP SCHEMA fashion_demo CASCADE; --",
        "\u{202e}\u{fffd}",
    ] {
        let text: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for name in ["gender", "q", "base_color", "usage"] {
            let total = shop.total(&format!("/api/v1/products?{name}={text}")).await;
            assert_eq!(total, 0, "{name}={text}");
        }
        let (status, _) = shop.json(&format!("/api/v1/products/{}", text.replace('+', "%20"))).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let page = shop.get(&format!("/catalogue?q={text}")).await;
        assert_eq!(page.status, StatusCode::OK, "{text}");
    }
    let script = shop.get("/catalogue?q=%3Cscript%3Ealert(1)%3C/script%3E&gender=%22%3E%3Cb%3E").await;
    let script = script.text();
    assert!(!script.contains("<script>alert") && !script.contains("\"><b>"), "{script}");
    assert_eq!(shop.total("/api/v1/products").await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_queries_are_answered() {
    let database = TestDatabase::with_items(&invent(3)).await;
    let shop = TestShop::open(&database.settings()).await;
    for query in ["", "&&&", "=", "page", "%FF=%FF", "gender=%FF%FE", "a=b=c", "utm_source=mail", "page=%2B1"]
    {
        let (status, body) = shop.json(&format!("/api/v1/products?{query}")).await;
        let expected = if query == "page" { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        assert_eq!(status, expected, "{query}: {body}");
    }
    for path in ["/api/v1/products/%FF", "/images/%FF.png"] {
        assert_eq!(shop.json(path).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(shop.get("/product/%FF").await.status, StatusCode::NOT_FOUND);
    let (status, body) = shop.json("/api/v1/nothing").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body["detail"].as_str().unwrap().contains("/api/v1/nothing"));
    let posted = shop.ask("POST", "/api/v1/products", &[]).await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_table_says_what_was_looked_up() {
    let database = TestDatabase::empty().await;
    let shop = TestShop::open(&database.settings()).await;
    let (status, body) = shop.json("/api/v1/products").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let body = serde_json::to_string_pretty(&body).unwrap().replace(&database.name, "shop");
    insta::assert_snapshot!("missing_table", body);
    let page = shop.get("/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().contains("ecom.fashion_demo.productsdb"));
    let health = shop.ok("/healthcheck").await;
    assert_eq!((&health["status"], &health["tables"][0]["exists"]), (&"degraded".into(), &false.into()));

    database.run("CREATE SCHEMA fashion_demo; CREATE TABLE fashion_demo.productsdb (id int)").await;
    let (status, body) = shop.json("/api/v1/products").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body["detail"],
        "table ecom.fashion_demo.productsdb has no column \"product_id\", so it holds no products"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_may_not_be_read_says_so() {
    let database = TestDatabase::with_items(&invent(1)).await;
    let user = format!("{}_reader", database.name);
    database.run(&format!("CREATE ROLE {user} LOGIN PASSWORD 'reader-secret'")).await;
    let mut given = database.settings();
    given.user = Some(user.clone());
    given.password = Some("reader-secret".into());
    let shop = TestShop::open(&given).await;
    let (status, body) = shop.json("/api/v1/products").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let body = serde_json::to_string_pretty(&body).unwrap().replace(&user, "reader");
    insta::assert_snapshot!("forbidden_table", body);
    database.run(&format!("GRANT USAGE ON SCHEMA fashion_demo TO {user}")).await;
    database.run(&format!("GRANT SELECT ON fashion_demo.productsdb TO {user}")).await;
    assert_eq!(shop.total("/api/v1/products").await, 1);
    database.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}")).await;
}
