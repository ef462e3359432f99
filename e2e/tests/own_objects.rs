//! What users build on a copy: it works there, and where it is in the way of a refresh it is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{ReshapedTable, ShopTable, lakefront};
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
        shop.load(&database.url());
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
    /// Refreshes in vain: message and hint name what is in the way.
    fn is_stopped_by(&self, name: &str, hint: &str) {
        let refresh = ["refresh", "shop.products", "--database", &self.database.url(), "--json"];
        let failed = lakefront(refresh).json();
        let error = &failed["error"];
        assert_eq!(error["condition"], "RESOURCE_CONFLICT", "{failed}");
        assert!(error["message"].as_str().unwrap().contains(name), "{name}: {error}");
        assert!(error["hint"].as_str().unwrap().contains(hint), "{hint}: {error}");
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

#[tokio::test(flavor = "multi_thread")]
async fn constraints_of_users() {
    let mut copied = Copied::make().await;
    // Product 200 comes at the price of product 60.
    copied.run("CREATE UNIQUE INDEX own_price ON shop.products (price)").await;
    copied.shop.append_at([200], 20);
    copied.is_stopped_by("own_price", "DEFERRABLE");
    copied.shop.reprice([1], 1);
    copied.is_stopped_by("own_price", "DEFERRABLE");
    // One that is checked in the end lets prices be handed on, but not be the same.
    copied
        .run(
            "DROP INDEX shop.own_price;
             ALTER TABLE shop.products ADD CONSTRAINT own_price UNIQUE (price) DEFERRABLE INITIALLY DEFERRED",
        )
        .await;
    copied.is_stopped_by("own_price", "drop \"own_price\" of shop.products");
    copied.shop.reprice([60], 1);
    copied.refresh();

    copied
        .run(
            "ALTER TABLE shop.products ADD COLUMN note text NOT NULL DEFAULT 'none';
             ALTER TABLE shop.products ALTER COLUMN note DROP DEFAULT",
        )
        .await;
    copied.shop.append([Some(101)]);
    copied.is_stopped_by("note", "drop NOT NULL from column \"note\" of shop.products");
    copied.run("ALTER TABLE shop.products ALTER COLUMN note DROP NOT NULL").await;
    copied.refresh();

    copied.run("ALTER TABLE shop.products ADD CONSTRAINT cheap CHECK (price < 1000)").await;
    copied.shop.append_at([102], 8_000);
    copied.is_stopped_by("cheap", "drop the constraint \"cheap\" of shop.products");
    copied.run("ALTER TABLE shop.products DROP CONSTRAINT cheap").await;
    copied.refresh();

    copied
        .run(
            "CREATE TABLE shop.orders (product_id bigint CONSTRAINT ordered REFERENCES shop.products);
             INSERT INTO shop.orders VALUES (7)",
        )
        .await;
    copied.shop.delete([7]);
    copied.is_stopped_by("ordered", "drop the constraint \"ordered\" of shop.orders");
    let purge = ["delete", "shop.products", "--purge", "--database", &copied.database.url(), "--json"];
    let failed = lakefront(purge).json();
    assert_eq!(failed["error"]["condition"], "RESOURCE_CONFLICT", "{failed}");
    copied.run("DELETE FROM shop.orders").await;
    copied.refresh();
    lakefront(["verify", "shop.products", "--database", &copied.database.url()]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_that_leave_rows_out() {
    let mut copied = Copied::make().await;
    copied
        .run(
            "CREATE FUNCTION shop.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE FUNCTION shop.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'",
        )
        .await;
    // The first are copied straight into the table, the next ones beside it.
    for event in ["INSERT", "INSERT", "UPDATE", "DELETE"] {
        let make = |function: &str| {
            format!(
                "CREATE TRIGGER \"Left\" BEFORE {event} ON shop.products FOR EACH ROW EXECUTE FUNCTION shop.{function}()"
            )
        };
        copied.run(&make("nothing")).await;
        match event {
            "INSERT" => copied.shop.append_at([200, 201], 0),
            "UPDATE" => copied.shop.reprice([1, 2], 9),
            _ => copied.shop.delete([3]),
        }
        copied.is_stopped_by("trigger \"Left\"", "drop or disable");
        copied.run("DROP TRIGGER \"Left\" ON shop.products").await;
        copied.run(&make("no")).await;
        copied.is_stopped_by("no", "trigger or function");
        copied.run("DROP TRIGGER \"Left\" ON shop.products").await;
        if event == "INSERT" {
            copied.shop.delete([200, 201]);
        }
    }
    copied.refresh();
    lakefront(["verify", "shop.products", "--database", &copied.database.url()]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_goes_while_constraints_are_deferred() {
    let Some(table) = ReshapedTable::of("cdf-column-mapping-name-mode") else { return };
    let database = TestDatabase::create().await;
    let (source, url) = (table.folder.display().to_string(), database.url());
    lakefront(["load", &source, "--into", "lake.copy", "--key", "id", "--database", &url]).good();
    let client = database.client().await;
    // A row too many, whose deletion is checked at the end.
    client
        .batch_execute(
            "INSERT INTO lake.copy (id) VALUES (-1);
             CREATE TABLE lake.noted (id bigint REFERENCES lake.copy DEFERRABLE INITIALLY DEFERRED)",
        )
        .await
        .unwrap();
    table.change_fields(|fields| fields.retain(|field| field["name"] != "value"));
    lakefront(["refresh", "lake.copy", "--full", "--database", &url]).good();
    let left =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'lake.copy'::regclass AND attname = 'value'";
    let left: i64 = client.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
}
