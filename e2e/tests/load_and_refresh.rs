//! `load`, `refresh`, `status`, `verify` and `delete` on one table, as a user types them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{ShopTable, lakefront};
use lakefront_testkit::TestDatabase;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_loaded_refreshed_verified_and_deleted() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(60_000);
    let source = shop.path().display().to_string();
    let load = || {
        lakefront([
            "load",
            &source,
            "--into",
            "shop.products",
            "--key",
            "product_id",
            "--database",
            &url,
            "--json",
        ])
        .good()
        .json()
    };
    let first = load();
    assert_eq!(first["table"], "shop.products");
    assert_eq!(first["source"], json!(source));
    assert_eq!(first["refresh"], "full");
    assert_eq!(first["from_version"], json!(null));
    assert_eq!(
        (&first["version"], &first["rows"], &first["inserted"]),
        (&json!(1), &json!(60_000), &json!(60_000))
    );
    assert_eq!(
        (&first["updated"], &first["deleted"], &first["quarantined"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert!(first["bytes"].as_u64().unwrap() > 100_000);

    let again = load();
    assert_eq!(
        (&again["refresh"], &again["from_version"], &again["rows"]),
        (&json!("none"), &json!(1), &json!(60_000))
    );

    shop.reprice([5, 6, 7], 3);
    shop.delete([60_000]);
    let refreshed = lakefront(["refresh", "shop.products", "--database", &url, "--json"]).good().json();
    assert_eq!((&refreshed["from_version"], &refreshed["version"]), (&json!(1), &json!(3)));
    assert_eq!(refreshed["rows"], 59_999);

    let client = database.client().await;
    let price: f64 =
        client.query_one("SELECT price FROM shop.products WHERE product_id = 5", &[]).await.unwrap().get(0);
    assert!((price - 9.5).abs() < 1e-9);

    let same = lakefront(["verify", "shop.products", "--database", &url, "--json"]).good().json();
    assert_eq!((&same["same"], &same["rows"]), (&json!(true), &json!(59_999)));

    let status = lakefront(["status", "--database", &url, "--json"]).good().json();
    assert_eq!((&status[0]["version"], &status[0]["lag_versions"]), (&json!(3), &json!(0)));
    assert_eq!(status[0]["state"], "SYNCED_TABLE_ONLINE_NO_PENDING_UPDATE");
    let told = lakefront(["status", "shop.products", "--database", &url]).good().stdout;
    assert!(told.contains("last update: incremental, 0 inserted, 3 updated, 1 deleted"), "{told}");

    client
        .batch_execute(
            "UPDATE shop.products SET price = -1 WHERE product_id = 9; DELETE FROM shop.products WHERE product_id = 10;
             INSERT INTO shop.products VALUES (-1, 'smuggled', 0)",
        )
        .await
        .unwrap();
    let differs = lakefront(["verify", "shop.products", "--database", &url, "--json"]);
    assert_eq!(differs.code, 1, "{}", differs.stderr);
    let differs = differs.json();
    assert_eq!(
        (&differs["missing"], &differs["surplus"], &differs["different"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let different = &differs["examples"][0];
    assert_eq!((&different["key"], &different["columns"]), (&json!("product_id=9"), &json!(["price"])));
    lakefront(["refresh", "shop.products", "--full", "--database", &url]).good();
    lakefront(["verify", "--all", "--database", &url]).good();

    lakefront(["delete", "shop.products", "--purge", "--database", &url]).good();
    let gone: bool =
        client.query_one("SELECT to_regclass('shop.products') IS NULL", &[]).await.unwrap().get(0);
    assert!(gone);
    let left: i64 = client
        .query_one(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
             WHERE nspname = 'lakefront' AND (relname LIKE 'load%' OR relname LIKE 'verify%')",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0, "stages are left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_users_made_survives_a_refresh_under_readers() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(50_000);
    shop.load(&url);
    let client = database.client().await;
    let role = format!("app_{}", std::process::id());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role};
             CREATE INDEX by_price ON shop.products (price);
             CREATE VIEW shop.cheap AS SELECT * FROM shop.products WHERE price < 100;
             CREATE VIEW shop.cheapest AS SELECT min(price) AS price FROM shop.cheap;
             GRANT SELECT ON shop.products TO {role}; GRANT SELECT (name) ON shop.products TO {role};
             COMMENT ON COLUMN shop.products.price IS 'in euros';
             ALTER TABLE shop.products SET (fillfactor = 90); ALTER TABLE shop.products ALTER price SET STATISTICS 500"
        ))
        .await
        .unwrap();
    let facts = "SELECT concat_ws('|', 'shop.products'::regclass::oid, to_regclass('shop.by_price')::oid,
        (SELECT relacl FROM pg_class WHERE oid = 'shop.products'::regclass),
        (SELECT reloptions FROM pg_class WHERE oid = 'shop.products'::regclass),
        (SELECT attstattarget FROM pg_attribute WHERE attrelid = 'shop.products'::regclass AND attname = 'price'),
        col_description('shop.products'::regclass, 3), obj_description('shop.products'::regclass),
        'shop.cheapest'::regclass::oid, pg_get_viewdef('shop.cheap'::regclass))";
    let before: String = client.query_one(facts, &[]).await.unwrap().get(0);
    assert!(before.contains("in euros") && before.contains("what the shop sells"), "{before}");

    let reader = database.client().await;
    // A reader that a lock holds up for longer than this fails; how fast the machine is otherwise does not matter.
    reader.batch_execute("SET lock_timeout = '100ms'").await.unwrap();
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = done.clone();
    let reading = tokio::spawn(async move {
        let mut slowest = std::time::Duration::ZERO;
        let mut counts = std::collections::BTreeSet::new();
        while !flag.load(std::sync::atomic::Ordering::Relaxed) {
            let started = std::time::Instant::now();
            let row =
                reader.query_one("SELECT name FROM shop.products WHERE product_id = 77", &[]).await.unwrap();
            assert_eq!(row.get::<_, String>(0), "product 77");
            slowest = slowest.max(started.elapsed());
            counts.insert(
                reader.query_one("SELECT count(*) FROM shop.products", &[]).await.unwrap().get::<_, i64>(0),
            );
        }
        (slowest, counts)
    });
    for round in 1..=3i64 {
        shop.reprice((1..=20_000).map(|i| i * 2), round);
        shop.append([Some(60_000 + round)]);
        lakefront(["refresh", "shop.products", "--database", &url]).good();
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    let (slowest, counts) = reading.await.unwrap();
    assert!(counts.iter().all(|n| (50_000..=50_003).contains(n)), "a half-filled table was seen: {counts:?}");
    // Whatever else may hold a reader up, a busy machine among it.
    assert!(slowest < std::time::Duration::from_millis(500), "a reader was held up for {slowest:?}");
    let after: String = client.query_one(facts, &[]).await.unwrap().get(0);
    assert_eq!(before, after);
    client.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_cannot_write() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let shop = ShopTable::with_rows(10);
    shop.load(&url);
    let client = database.client().await;
    let role = format!("reader_{}", std::process::id());
    client
        .batch_execute(&format!("CREATE ROLE {role}; GRANT lakefront_reader TO {role}; SET ROLE {role}"))
        .await
        .unwrap();
    let rows: i64 = client.query_one("SELECT count(*) FROM shop.products", &[]).await.unwrap().get(0);
    assert_eq!(rows, 10);
    for write in
        ["DELETE FROM shop.products", "INSERT INTO shop.products VALUES (11)", "DROP TABLE shop.products"]
    {
        let error = client.batch_execute(write).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "42501", "{write}");
    }
    client
        .batch_execute(&format!("RESET ROLE; REVOKE lakefront_reader FROM {role}; DROP ROLE {role}"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_the_first_format_is_brought_up_to_date() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(100);
    shop.load(&url);
    let client = database.client().await;
    client
        .batch_execute(
            "ALTER TABLE lakefront.synced_tables DROP COLUMN source_feed, DROP COLUMN kept_columns, DROP COLUMN commit_bytes;
             UPDATE lakefront.ledger_format SET format = 1",
        )
        .await
        .unwrap();
    shop.delete([7]);
    let refreshed = lakefront(["refresh", "shop.products", "--database", &url, "--json"]).good().json();
    assert_eq!((&refreshed["refresh"], &refreshed["deleted"]), (&json!("incremental"), &json!(1)));
    lakefront(["verify", "shop.products", "--database", &url]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_waiting_commits_are_applied_in_their_order() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let mut shop = ShopTable::with_rows(500);
    shop.load(&url);
    // The same keys again and again, so that their order decides, in more files than one reading takes.
    for round in 0..150 {
        shop.reprice(round % 7 * 20 + 1..=round % 7 * 20 + 60, round);
        shop.append([Some(1_000 + round)]);
        shop.delete([1_000 + round - 3]);
    }
    let refreshed = lakefront(["refresh", "shop.products", "--database", &url, "--json"]).good().json();
    assert_eq!(refreshed["refresh"], "incremental", "{refreshed}");
    assert_eq!((&refreshed["inserted"], &refreshed["deleted"]), (&3.into(), &0.into()), "{refreshed}");
    lakefront(["verify", "shop.products", "--database", &url]).good();
}
