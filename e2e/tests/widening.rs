//! A column gets a wider type at the source: what users built on the copy follows, or is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{ReshapedTable, field, lakefront};
use lakefront_testkit::TestDatabase;
use serde_json::{Value, json};
use tokio_postgres::Client;

/// A table with a column of whole numbers that no file has yet, so that no writer needs the feature of wider types, and
/// its copy `lake.copy`.
struct Copied {
    table: ReshapedTable,
    database: TestDatabase,
    client: Client,
}

fn stock(kind: &str) -> Value {
    json!({"name": "stock", "type": kind, "nullable": true, "metadata": {
        "delta.columnMapping.id": 9, "delta.columnMapping.physicalName": "col-stock"}})
}

impl Copied {
    async fn make() -> Option<Self> {
        let table = ReshapedTable::of("cdf-column-mapping-name-mode")?;
        table.change_fields(|fields| fields.push(stock("integer")));
        let database = TestDatabase::create().await;
        let (source, url) = (table.folder.display().to_string(), database.url());
        lakefront(["load", &source, "--into", "lake.copy", "--key", "id", "--database", &url]).good();
        let client = database.client().await;
        Some(Self { table, database, client })
    }

    fn widen(&self) {
        self.table.change_fields(|fields| *field(fields, "stock") = stock("long"));
    }

    fn refresh(&self) -> Value {
        lakefront(["refresh", "lake.copy", "--database", &self.database.url(), "--json"]).json()
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }

    async fn text(&self, sql: &str) -> String {
        self.client.query_one(sql, &[]).await.unwrap_or_else(|e| panic!("{sql}: {e:?}")).get(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_that_do_not_use_the_column_are_left_alone() {
    let Some(copied) = Copied::make().await else { return };
    copied
        .run(
            "CREATE VIEW lake.names AS SELECT id, name FROM lake.copy;
             CREATE MATERIALIZED VIEW lake.kept AS SELECT id FROM lake.names;
             CREATE FUNCTION lake.listed() RETURNS SETOF lake.names LANGUAGE sql AS 'SELECT * FROM lake.names';
             CREATE VIEW lake.late AS SELECT 1::bigint AS id;
             CREATE VIEW lake.filtered AS SELECT id FROM lake.copy WHERE stock > 0;
             CREATE OR REPLACE VIEW lake.late AS SELECT id FROM lake.filtered;
             CREATE VIEW lake.ruled AS SELECT id FROM lake.copy;
             CREATE RULE emptied AS ON DELETE TO lake.ruled DO INSTEAD SELECT stock FROM lake.copy",
        )
        .await;
    let objects = "SELECT string_agg(c.oid::text, ' ' ORDER BY relname) FROM pg_class c
                   WHERE c.oid IN ('lake.names'::regclass, 'lake.kept'::regclass)";
    let before = copied.text(objects).await;
    copied.widen();
    let report = copied.refresh();
    assert_eq!(report["refresh"], "incremental", "{report}");
    assert_eq!(copied.text(objects).await, before);
    copied.run("SELECT id FROM lake.late; SELECT lake.listed(); SELECT id FROM lake.ruled").await;
    let kind =
        "SELECT pg_typeof(stock)::text FROM (SELECT stock FROM lake.copy UNION ALL SELECT NULL LIMIT 1) AS t";
    assert_eq!(copied.text(kind).await, "bigint");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_follow_is_named() {
    let Some(copied) = Copied::make().await else { return };
    copied.widen();
    // What is made, how the message calls it, and what takes it away.
    let blocking = [
        (
            "CREATE MATERIALIZED VIEW lake.kept AS SELECT stock FROM lake.copy",
            "lake.kept",
            "DROP MATERIALIZED VIEW lake.kept",
        ),
        (
            "CREATE VIEW lake.shown AS SELECT stock FROM lake.copy;
             CREATE MATERIALIZED VIEW lake.kept AS SELECT stock FROM lake.shown",
            "materialized view lake.kept",
            "DROP VIEW lake.shown CASCADE",
        ),
        (
            "CREATE VIEW lake.shown AS SELECT stock FROM lake.copy;
             CREATE FUNCTION lake.listed() RETURNS SETOF lake.shown LANGUAGE sql AS 'SELECT * FROM lake.shown'",
            "function lake.listed()",
            "DROP VIEW lake.shown CASCADE",
        ),
        (
            "CREATE FUNCTION lake.doubled(n integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * n';
             CREATE VIEW lake.shown AS SELECT lake.doubled(stock) FROM lake.copy",
            "lake\".\"shown",
            "DROP FUNCTION lake.doubled CASCADE",
        ),
        (
            "CREATE POLICY stocked ON lake.copy USING (stock > 0)",
            "stocked",
            "DROP POLICY stocked ON lake.copy",
        ),
        (
            "CREATE PUBLICATION lakefront_test_sent FOR TABLE lake.copy (id, stock) WHERE (stock > 0)",
            "lakefront_test_sent",
            "DROP PUBLICATION lakefront_test_sent",
        ),
        (
            "CREATE TRIGGER noticed BEFORE UPDATE OF stock ON lake.copy FOR EACH ROW
             EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "noticed",
            "DROP TRIGGER noticed ON lake.copy",
        ),
        (
            "ALTER TABLE lake.copy ADD COLUMN more integer GENERATED ALWAYS AS (stock + 1) STORED",
            "more",
            "ALTER TABLE lake.copy DROP COLUMN more",
        ),
        (
            "CREATE FUNCTION lake.summed() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(stock) FROM lake.copy; END",
            "lake.summed()",
            "DROP FUNCTION lake.summed",
        ),
        (
            "CREATE TABLE lake.rows (whole lake.copy)",
            "rows.whole",
            "DROP TABLE lake.rows",
        ),
    ];
    for (make, name, unmake) in blocking {
        copied.run(make).await;
        let failed = copied.refresh();
        let error = &failed["error"];
        assert_eq!(error["condition"], "COLUMN_TYPE_CHANGE_NOT_SUPPORTED", "{make}: {failed}");
        assert!(error["message"].as_str().unwrap().contains(name), "{make}: {error}");
        assert!(error["hint"].as_str().unwrap().contains("drop what the message says"), "{make}: {error}");
        copied.run(unmake).await;
    }
    let report = copied.refresh();
    assert_eq!(report["refresh"], "incremental", "{report}");
}
