//! Indexes and generated columns that are declared beside a table, and comments from the source.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{ShopTable, lakefront};
use lakefront_testkit::TestDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn declared_objects_are_made_kept_and_follow_the_declaration() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(2_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lakefront.toml");
    let source = shop.path().display().to_string();
    let configure = |indexes: &str| {
        let text = format!(
            "[[synced_tables]]\nname = \"shop.products\"\nsource = \"{source}\"\nprimary_key = [\"product_id\"]\n\
             indexes = [{indexes}]\n\
             generated_columns = [{{ name = \"search\", type = \"tsvector\", expression = \"to_tsvector('simple', name)\" }}]\n"
        );
        std::fs::write(&file, text).unwrap();
    };
    let refresh = || {
        lakefront(["refresh", "shop.products", "--database", &url, "--config", &file.display().to_string()])
            .good()
    };
    configure("\"(price)\", \"USING gin (search)\", \"unique (product_id, price)\"");
    refresh();
    let client = database.client().await;
    let names = "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_index i
                 JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'shop.products'::regclass";
    let found: String = client.query_one(names, &[]).await.unwrap().get(0);
    assert_eq!(found, "products_pkey products_price_idx products_product_id_price_idx products_search_idx");

    client.batch_execute("CREATE INDEX own ON shop.products (name)").await.unwrap();
    shop.reprice([3], 9);
    configure("\"USING gin (search)\", \"(name, price)\"");
    refresh();
    let found: String = client.query_one(names, &[]).await.unwrap().get(0);
    assert_eq!(found, "own products_name_price_idx products_pkey products_search_idx");
    let hits: i64 = client
        .query_one("SELECT count(*) FROM shop.products WHERE search @@ to_tsquery('simple', '1999')", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(hits, 1);
}
