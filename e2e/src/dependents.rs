//! What users build on a copy: it stays and works whatever a refresh does.

use std::fmt::Write as _;
use tokio_postgres::{Client, SimpleQueryMessage};

/// Views on views, indexes, a materialized view, a foreign key, grants and comments on a copy that has the columns `name` and
/// `price`, in the schema `lake`.
pub struct Dependents {
    copy: String,
    key: String,
    role: String,
    /// the place of `price`, whatever it is called later
    price: i16,
    made: String,
}

/// All that makes up the objects of a schema, but for the copy's columns, which change.
const CATALOG: &str = "
SELECT string_agg(told, E'\\n' ORDER BY told) FROM (
    SELECT concat_ws(' ', c.relkind, c.relname, pg_get_userbyid(c.relowner), c.relacl, c.reloptions, obj_description(c.oid, 'pg_class'), i.indisvalid,
        (SELECT string_agg(concat_ws(' ', attname, attacl, col_description(attrelid, attnum)), ';' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND c.relkind <> 'i' AND c.oid <> $1::text::regclass)) AS told
    FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relnamespace = 'lake'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'price', attacl, col_description(attrelid, attnum)) FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum = $2
    UNION ALL
    SELECT concat_ws(' ', conname, contype, convalidated) FROM pg_constraint WHERE contype IN ('p', 'f') AND $1::text::regclass IN (conrelid, confrelid)
) AS object";

impl Dependents {
    /// Makes them. `key` names the copy's key as SQL lists it.
    pub async fn make(client: &Client, copy: &str, key: &str) -> Self {
        let database: String = client.query_one("SELECT current_database()", &[]).await.unwrap().get(0);
        let role = format!("{database}_reader");
        let sql = format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA lake TO {role}; GRANT SELECT ON {copy} TO {role};
             CREATE INDEX users_own ON {copy} (price); CREATE INDEX users_part ON {copy} (lower(name)) WHERE price > 1;
             CREATE VIEW lake.shown WITH (security_barrier = true) AS SELECT {key}, name AS called, price FROM {copy};
             CREATE VIEW lake.shown_twice AS SELECT {key}, price * 2 AS twice FROM lake.shown;
             CREATE MATERIALIZED VIEW lake.counted AS SELECT count(*) AS rows FROM {copy};
             CREATE TABLE lake.noted AS SELECT {key} FROM {copy}; CREATE TABLE lake.notes AS SELECT {key} FROM {copy};
             ALTER TABLE lake.notes ADD FOREIGN KEY ({key}) REFERENCES {copy} ON DELETE CASCADE;
             CREATE INDEX ON lake.notes ({key});
             GRANT SELECT ON lake.shown TO {role}; GRANT SELECT (twice) ON lake.shown_twice TO PUBLIC;
             GRANT SELECT (price) ON {copy} TO PUBLIC;
             COMMENT ON TABLE {copy} IS 'of the user'; COMMENT ON COLUMN {copy}.price IS 'the user''s own';
             COMMENT ON VIEW lake.shown IS 'what is shown'; COMMENT ON COLUMN lake.shown_twice.twice IS 'twice the price'"
        );
        // Each by itself: together they would be one transaction, which autovacuum and it could wait in for each other.
        for statement in sql.split(';') {
            client.batch_execute(statement).await.unwrap_or_else(|e| panic!("{statement}: {e:?}"));
        }
        let place =
            "SELECT attnum FROM pg_attribute WHERE attrelid = $1::text::regclass AND attname = 'price'";
        let price = client.query_one(place, &[&copy]).await.unwrap().get(0);
        let made = client.query_one(CATALOG, &[&copy, &price]).await.unwrap().get(0);
        Self { copy: copy.to_owned(), key: key.to_owned(), role, price, made }
    }

    /// What is wrong with them after a refresh that left the copy with so many rows; empty in the good case.
    pub async fn faults(&self, client: &Client, rows: usize) -> String {
        let Self { copy, key, role, price, made } = self;
        let mut faults = String::new();
        let now: String = client.query_one(CATALOG, &[copy, price]).await.unwrap().get(0);
        if now != *made {
            let _ = writeln!(faults, "the objects were\n{made}\nand are\n{now}");
        }
        let counts = [
            ("a view on a view", rows, "SELECT count(*) FROM lake.shown_twice".to_owned()),
            (
                "the materialized view",
                rows,
                "REFRESH MATERIALIZED VIEW lake.counted; SELECT rows FROM lake.counted".to_owned(),
            ),
            (
                "the role",
                rows,
                format!(
                    "SET ROLE {role}; SELECT count(*) FROM {copy} JOIN lake.shown USING ({key}); RESET ROLE"
                ),
            ),
            // A row that stays is never deleted: its note would go with it.
            (
                "keys that lost their notes",
                0,
                format!(
                    "SELECT count(*) FROM (SELECT {key} FROM lake.noted INTERSECT SELECT {key} FROM {copy} EXCEPT SELECT {key} FROM lake.notes) AS lost"
                ),
            ),
            (
                "notes without a key",
                0,
                format!(
                    "SELECT count(*) FROM (SELECT {key} FROM lake.notes EXCEPT SELECT {key} FROM {copy}) AS left_over"
                ),
            ),
        ];
        for (what, wanted, sql) in counts {
            let found = number(client, &sql).await;
            if found != Ok(wanted.to_string()) {
                let _ = writeln!(faults, "{what}: {found:?} instead of {wanted}");
            }
        }
        let note = format!(
            "DELETE FROM lake.noted; INSERT INTO lake.noted SELECT {key} FROM {copy};
             INSERT INTO lake.notes SELECT {key} FROM {copy} EXCEPT SELECT {key} FROM lake.notes"
        );
        client.batch_execute(&note).await.unwrap();
        faults
    }

    /// Takes away what outlives the database.
    pub async fn forget(self, client: &Client) {
        let role = self.role;
        client.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    }
}

/// The number that the last of some statements answers.
async fn number(client: &Client, sql: &str) -> Result<String, String> {
    let answers = client.simple_query(sql).await.map_err(|e| format!("{e:?}"))?;
    let row = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    row.map(str::to_owned).ok_or_else(|| "no row".to_owned())
}
