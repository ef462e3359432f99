//! What users build on a copy: it works there, and where it is in the way of a refresh it is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{ShopTable, lakefront};
use lakefront_testkit::TestDatabase;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// The shop's products and their copy `shop.products`.
struct Copied {
    shop: ShopTable,
    database: TestDatabase,
    client: Client,
}

impl Copied {
    async fn make() -> Self {
        let (shop, database) = (ShopTable::with_rows(100), TestDatabase::create().await);
        let (source, url) = (shop.path().display().to_string(), database.url());
        lakefront(["load", &source, "--into", "shop.products", "--key", "product_id", "--database", &url])
            .good();
        let client = database.client().await;
        Self { shop, database, client }
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }

    async fn code_of(&self, sql: &str) -> Option<SqlState> {
        self.client.batch_execute(sql).await.err().and_then(|e| e.code().cloned())
    }

    fn refresh(&self) {
        lakefront(["refresh", "shop.products", "--database", &self.database.url()]).good();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_keys_to_a_copy() {
    let copied = Copied::make().await;
    let insert = |id: i64| format!("INSERT INTO shop.orders VALUES ({id})");
    copied.run("CREATE TABLE shop.orders (product_id bigint REFERENCES shop.products)").await;
    copied.run(&insert(7)).await;
    assert_eq!(copied.code_of(&insert(1_000)).await, Some(SqlState::FOREIGN_KEY_VIOLATION));

    // A schema of an earlier Lakefront, which had not let the owner in.
    copied.run("REVOKE USAGE ON SCHEMA shop FROM lakefront_owner").await;
    assert_eq!(copied.code_of(&insert(8)).await, Some(SqlState::INSUFFICIENT_PRIVILEGE));
    copied.refresh();
    copied.run(&insert(8)).await;
    assert_eq!(copied.code_of(&insert(1_000)).await, Some(SqlState::FOREIGN_KEY_VIOLATION));
}
