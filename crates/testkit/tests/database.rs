//! A database per test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_testkit::{TestDatabase, server_options};

async fn exists(name: &str) -> bool {
    let client = server_options().await.connect().await.unwrap();
    let sql = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    client.query_one(sql, &[&name]).await.unwrap().get(0)
}

#[tokio::test]
async fn each_database_is_empty_and_its_own() {
    let (one, two) = (TestDatabase::create().await, TestDatabase::create().await);
    assert_ne!(one.name(), two.name());
    one.client().await.batch_execute("CREATE TABLE t ()").await.unwrap();
    two.client().await.batch_execute("CREATE TABLE t ()").await.unwrap();
}

#[tokio::test]
async fn a_database_is_dropped_with_its_sessions() {
    let database = TestDatabase::create().await;
    let name = database.name().to_owned();
    let client = database.client().await;
    client.batch_execute("BEGIN; CREATE TABLE t ()").await.unwrap();
    assert!(exists(&name).await);
    drop(database);
    assert!(!exists(&name).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_test_drops_its_database_as_well() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let failing = tokio::spawn(async move {
        let database = TestDatabase::create().await;
        tell.send(database.name().to_owned()).unwrap();
        panic!("as a test fails");
    });
    assert!(failing.await.unwrap_err().is_panic());
    assert!(!exists(&told.await.unwrap()).await);
}
