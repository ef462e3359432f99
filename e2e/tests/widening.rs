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

#[tokio::test(flavor = "multi_thread")]
async fn views_keep_their_triggers_rules_and_defaults() {
    let Some(copied) = Copied::make().await else { return };
    // The rule on the first view speaks of the second one, which is made of the first.
    copied
        .run(
            "CREATE TABLE lake.wanted (id bigint, stock bigint);
             CREATE VIEW lake.shown AS SELECT id, stock FROM lake.copy;
             CREATE VIEW lake.listed AS SELECT id FROM lake.shown;
             ALTER VIEW lake.shown ALTER COLUMN stock SET DEFAULT 7;
             CREATE FUNCTION lake.want() RETURNS trigger LANGUAGE plpgsql
             AS 'BEGIN INSERT INTO lake.wanted VALUES (NEW.id, NEW.stock); RETURN NEW; END';
             CREATE TRIGGER \"Want\" INSTEAD OF INSERT ON lake.shown FOR EACH ROW EXECUTE FUNCTION lake.want();
             CREATE RULE \"All\" AS ON UPDATE TO lake.shown
             DO INSTEAD INSERT INTO lake.wanted SELECT id, NEW.stock FROM lake.listed;
             CREATE RULE \"None\" AS ON DELETE TO lake.listed DO INSTEAD NOTHING;
             COMMENT ON TRIGGER \"Want\" ON lake.shown IS 'it''s wanted'; COMMENT ON RULE \"All\" ON lake.shown IS 'all of them'",
        )
        .await;
    let about = "SELECT string_agg(told, E'\\n' ORDER BY told) FROM (
                     SELECT concat_ws(' ', pg_get_triggerdef(oid), obj_description(oid, 'pg_trigger')) FROM pg_trigger
                     WHERE tgrelid = 'lake.shown'::regclass
                     UNION ALL
                     SELECT concat_ws(' ', pg_get_ruledef(oid), obj_description(oid, 'pg_rewrite')) FROM pg_rewrite
                     WHERE ev_class IN ('lake.shown'::regclass, 'lake.listed'::regclass)) AS t (told)";
    let before = copied.text(about).await;
    copied.widen();
    let report = copied.refresh();
    assert_eq!(report["refresh"], "incremental", "{report}");
    assert_eq!(copied.text(about).await, before);
    copied.run("INSERT INTO lake.shown (id) VALUES (1)").await;
    assert_eq!(copied.text("SELECT string_agg(wanted::text, ' ') FROM lake.wanted AS wanted").await, "(1,7)");
}
