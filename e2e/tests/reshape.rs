//! The source changes shape: the copy follows in place, and what users built on it stays.
//!
//! Column mapping and type widening are what other writers' tables bring; the changes of their schema are commits of
//! metadata alone, written here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Readers, ReshapedTable as Table, differing, field, lakefront};
use lakefront_testkit::TestDatabase;
use serde_json::{Value, json};
use std::path::Path;

fn load(folder: &Path, key: &str, url: &str) {
    let source = folder.display().to_string();
    lakefront(["load", &source, "--into", "lake.copy", "--key", key, "--database", url]).good();
}

fn refresh(url: &str) -> Value {
    lakefront(["refresh", "lake.copy", "--database", url, "--json"]).good().json()
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_renamed_exchanged_dropped_and_added_in_place() {
    let Some(table) = Table::of("cdf-column-mapping-name-mode") else { return };
    let database = TestDatabase::create().await;
    let (url, client) = (database.url(), database.client().await);
    load(&table.folder, "id", &url);
    client
        .batch_execute(
            "SET TimeZone = 'UTC';
             CREATE INDEX own ON lake.copy (value); COMMENT ON COLUMN lake.copy.value IS 'of the user';
             CREATE VIEW lake.shown AS SELECT id, name FROM lake.copy; GRANT SELECT (name) ON lake.copy TO PUBLIC",
        )
        .await
        .unwrap();
    let object = "SELECT 'lake.copy'::regclass::oid";
    let oid: u32 = client.query_one(object, &[]).await.unwrap().get(0);

    table.change_fields(|fields| {
        field(fields, "name")["name"] = json!("title");
        field(fields, "id")["name"] = json!("key");
    });
    // The declaration names the key as it was.
    let stopped = lakefront(["refresh", "lake.copy", "--database", &url, "--json"]);
    assert_eq!(stopped.json()["error"]["condition"], "CHANGED_PRIMARY_KEY", "{}", stopped.stdout);
    let state = lakefront(["status", "lake.copy", "--database", &url, "--json"]).good().json();
    assert!(state[0]["message"].as_str().unwrap().starts_with("CHANGED_PRIMARY_KEY"), "{state}");
    load(&table.folder, "key", &url);
    assert_eq!(differing(&client, "lake.copy", &table.replayed()).await, Vec::<String>::new());
    client.query("SELECT id, name FROM lake.shown", &[]).await.unwrap();

    table.change_fields(|fields| {
        field(fields, "title")["name"] = json!("between");
        field(fields, "value")["name"] = json!("title");
        field(fields, "between")["name"] = json!("value");
    });
    assert_eq!(refresh(&url)["refresh"], "incremental");
    assert_eq!(differing(&client, "lake.copy", &table.replayed()).await, Vec::<String>::new());
    let comment = "SELECT col_description('lake.copy'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'lake.copy'::regclass AND attname = 'title'";
    let comment: Option<String> = client.query_one(comment, &[]).await.unwrap().get(0);
    assert_eq!(comment.as_deref(), Some("of the user"), "it goes with the column");

    // A column goes that a view shows, and another one comes.
    table.change_fields(|fields| {
        fields.retain(|f| f["name"] != "value");
        fields.push(json!({"name": "stock", "type": "integer", "nullable": true, "metadata": {
            "delta.columnMapping.id": 9, "delta.columnMapping.physicalName": "col-stock"}}));
    });
    let report = refresh(&url);
    assert_eq!(report["refresh"], "incremental");
    let told = report["notices"][0].as_str().unwrap();
    assert!(told.contains("value") && told.contains("lake.shown"), "{told}");
    assert_eq!(differing(&client, "lake.copy", &table.replayed()).await, Vec::<String>::new());
    let left = "SELECT count(*) FROM lake.copy WHERE value IS NOT NULL";
    let left: i64 = client.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 0, "it is kept, NULL");
    assert_eq!(refresh(&url)["refresh"], "none");

    // The view lets it go.
    client.batch_execute("DROP VIEW lake.shown").await.unwrap();
    table.change_fields(|fields| field(fields, "stock")["metadata"]["comment"] = json!("in the shops"));
    assert_eq!(refresh(&url)["notices"], Value::Null);
    let kept =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'lake.copy'::regclass AND attname = 'value'";
    let kept: i64 = client.query_one(kept, &[]).await.unwrap().get(0);
    assert_eq!(kept, 0);

    let now: u32 = client.query_one(object, &[]).await.unwrap().get(0);
    assert_eq!(now, oid);
    client.query("SELECT 'lake.own'::regclass", &[]).await.unwrap();
    lakefront(["verify", "lake.copy", "--database", &url]).good();
}

/// The source drops a column and has another one of its name and of another type when it is looked at next.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_gives_way_to_one_of_its_name() {
    let Some(table) = Table::of("cdf-column-mapping-name-mode") else { return };
    let database = TestDatabase::create().await;
    let (url, client) = (database.url(), database.client().await);
    load(&table.folder, "id", &url);
    client
        .batch_execute("SET TimeZone = 'UTC'; CREATE VIEW lake.shown AS SELECT id, value FROM lake.copy")
        .await
        .unwrap();
    let replaced = |number: i64, kind: &str| {
        let physical = format!("col-{number}");
        let metadata =
            json!({"delta.columnMapping.id": number, "delta.columnMapping.physicalName": physical});
        let another = json!({"name": "value", "type": kind, "nullable": true, "metadata": metadata});
        table.change_fields(|fields| *field(fields, "value") = another);
    };
    for (number, kind) in [(9, "date"), (10, "boolean")] {
        replaced(number, kind);
        let report = refresh(&url);
        assert_eq!(report["refresh"], "full", "{report}");
        assert!(report["reason"].as_str().unwrap().contains("gave its name"), "{report}");
        assert!(report["notices"][0].as_str().unwrap().contains("lake.shown"), "{report}");
        assert_eq!(differing(&client, "lake.copy", &table.replayed()).await, Vec::<String>::new());
        lakefront(["verify", "lake.copy", "--database", &url]).good();
    }
    let shown = "SELECT count(*), count(value) FROM lake.shown";
    let shown = client.query_one(shown, &[]).await.unwrap();
    assert!(shown.get::<_, i64>(0) > 0);
    assert_eq!(shown.get::<_, i64>(1), 0, "a view keeps the column that it was made of, NULL");
    client.batch_execute("DROP VIEW lake.shown").await.unwrap();
    table.change_fields(|fields| field(fields, "value")["metadata"]["comment"] = json!("whether"));
    refresh(&url);
    let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'lake.copy'::regclass AND attnum > 0 AND attname LIKE 'lakefront%'";
    assert_eq!(client.query_one(columns, &[]).await.unwrap().get::<_, i64>(0), 0);
}

/// Who reads a view locks the view and then the table. A change of shape that went the other way round would wait for its
/// readers, and they for it, until it gives up.
#[tokio::test(flavor = "multi_thread")]
async fn columns_change_under_readers_of_views() {
    let Some(table) = Table::of("cdf-column-mapping-name-mode") else { return };
    let number = |name: &str, kind: &str| {
        json!({"name": name, "type": kind, "nullable": true, "metadata": {
            "delta.columnMapping.id": 9, "delta.columnMapping.physicalName": "col-stock"}})
    };
    table.change_fields(|fields| fields.push(number("stock", "integer")));
    let database = TestDatabase::create().await;
    let (url, client) = (database.url(), database.client().await);
    load(&table.folder, "id", &url);
    client
        .batch_execute(
            "SET TimeZone = 'UTC'; CREATE VIEW lake.first AS SELECT id, stock, value FROM lake.copy;
             CREATE VIEW lake.second AS SELECT id, stock, value FROM lake.first",
        )
        .await
        .unwrap();
    let application = "SELECT count(stock), count(value) FROM lake.second";
    let readers = Readers::start(&database, "lake.copy", "id", application).await;
    table.change_fields(|fields| *field(fields, "stock") = number("left", "long"));
    assert_eq!(readers.during(|| refresh(&url))["refresh"], "incremental");
    table.change_fields(|fields| fields.retain(|field| field["name"] != "value"));
    let report = readers.during(|| refresh(&url));
    assert!(report["notices"][0].as_str().unwrap().contains("lake.first"), "{report}");
    assert_eq!(readers.faults().await, Vec::<String>::new());
    readers.stop().await;
    assert_eq!(differing(&client, "lake.copy", &table.replayed()).await, Vec::<String>::new());
    lakefront(["verify", "lake.copy", "--database", &url]).good();
}

#[tokio::test(flavor = "multi_thread")]
async fn types_are_widened_under_views() {
    let Some(table) = Table::of("cdf-column-mapping-name-mode") else { return };
    // A column of whole numbers that no file has yet, so that no writer needs the feature of wider types.
    let number = |kind: &str| {
        json!({"name": "stock", "type": kind, "nullable": true, "metadata": {
            "delta.columnMapping.id": 9, "delta.columnMapping.physicalName": "col-stock"}})
    };
    table.change_fields(|fields| fields.push(number("integer")));
    let database = TestDatabase::create().await;
    let (url, client) = (database.url(), database.client().await);
    load(&table.folder, "id", &url);
    client
        .batch_execute(
            "SET TimeZone = 'UTC'; CREATE ROLE lakefront_test_viewer;
             CREATE VIEW lake.first WITH (security_barrier = true) AS SELECT id, stock FROM lake.copy;
             CREATE VIEW lake.second AS SELECT id, stock + 1 AS more FROM lake.first;
             COMMENT ON VIEW lake.first IS 'stock of the shops'; COMMENT ON COLUMN lake.second.more IS 'one more';
             GRANT SELECT ON lake.first TO lakefront_test_viewer; GRANT SELECT (more) ON lake.second TO PUBLIC;
             CREATE INDEX own ON lake.copy (stock)",
        )
        .await
        .unwrap();
    let about = "SELECT string_agg(concat_ws(' ', c.relname, c.relacl, c.reloptions, obj_description(c.oid, 'pg_class'),
                     (SELECT string_agg(concat_ws(' ', attname, attacl, col_description(attrelid, attnum)), ';' ORDER BY attnum)
                      FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0), pg_get_viewdef(c.oid)), E'\\n' ORDER BY c.relname)
                 FROM pg_class c WHERE relnamespace = 'lake'::regnamespace AND relkind = 'v'";
    let before: String = client.query_one(about, &[]).await.unwrap().get(0);

    table.change_fields(|fields| *field(fields, "stock") = number("long"));
    assert_eq!(refresh(&url)["refresh"], "incremental");
    let kind = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'lake.copy'::regclass AND attname = 'stock'";
    let kind: String = client.query_one(kind, &[]).await.unwrap().get(0);
    assert_eq!(kind, "bigint");
    let after: String = client.query_one(about, &[]).await.unwrap().get(0);
    assert_eq!(after, before);
    client.query("SELECT 'lake.own'::regclass", &[]).await.unwrap();

    // What is no wider type stops the table, and the last good data stays.
    table.change_fields(|fields| *field(fields, "stock") = number("string"));
    let stopped = lakefront(["refresh", "lake.copy", "--database", &url, "--json"]);
    assert_eq!(
        stopped.json()["error"]["condition"],
        "COLUMN_TYPE_CHANGE_NOT_SUPPORTED",
        "{}",
        stopped.stdout
    );
    client.query("SELECT more FROM lake.second", &[]).await.unwrap();
    client
        .batch_execute("DROP OWNED BY lakefront_test_viewer; DROP ROLE lakefront_test_viewer")
        .await
        .unwrap();
}
