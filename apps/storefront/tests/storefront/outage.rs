//! The database away, and back.

use axum::http::StatusCode;

use crate::{
    database::TestDatabase,
    items::invent,
    proxy::Proxy,
    shop::{TestShop, eventually},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_said_and_got_over() {
    let database = TestDatabase::with_items(&invent(50)).await;
    database.create_freshness(3).await;
    let mut given = database.settings();
    let proxy = Proxy::before(&given).await;
    given.host = Some("127.0.0.1".into());
    given.port = Some(proxy.port);
    let shop = TestShop::open(&given).await;
    shop.listens().await;
    assert_eq!(shop.total("/api/v1/products").await, 50);
    let home = shop.get("/").await.status;
    assert_eq!(home, StatusCode::OK);

    proxy.cut();
    eventually("unhealthy", async || {
        shop.get("/healthcheck").await.status == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    let (status, body) = shop.json("/api/v1/products").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let detail = body["detail"].as_str().unwrap();
    let user = given.user.clone().unwrap();
    for part in [format!("127.0.0.1:{}", proxy.port), format!("user \"{user}\""), "sign-in: ".to_owned()] {
        assert!(detail.contains(&part), "{detail}");
    }
    let page = shop.get("/catalogue").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().contains("closed for a moment"));

    // What changes while nobody can be told must be seen afterwards.
    database.run("DELETE FROM fashion_demo.productsdb WHERE product_id = 9000").await;
    proxy.mend();
    eventually("healthy", async || shop.get("/healthcheck").await.status == StatusCode::OK).await;
    shop.listens().await;
    assert_eq!(shop.total("/api/v1/products").await, 49);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_ended_by_the_server_go_unnoticed() {
    let database = TestDatabase::with_items(&invent(50)).await;
    let shop = TestShop::open(&database.settings()).await;
    shop.listens().await;
    for _ in 0..5 {
        futures::future::join_all((0..8).map(|_| shop.total("/api/v1/products?page_size=5"))).await;
        database
            .run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'lakefront-storefront'",
            )
            .await;
        assert_eq!(shop.total("/api/v1/products?page_size=5").await, 50);
    }
    shop.listens().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_sign_in_names_host_user_and_way() {
    let database = TestDatabase::empty().await;
    let mut given = database.settings();
    given.database = Some("no_such_database_here".into());
    let shop = TestShop::open(&given).await;
    let (status, body) = shop.json("/api/v1/products").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let detail = body["detail"].as_str().unwrap();
    let user = given.user.clone().unwrap();
    for part in
        [format!("refuses user \"{user}\""), "no_such_database_here".to_owned(), "sign-in: ".to_owned()]
    {
        assert!(detail.contains(&part), "{detail}");
    }
    assert!(body["hint"].as_str().unwrap().contains("LAKEBASE_USER"));
}
