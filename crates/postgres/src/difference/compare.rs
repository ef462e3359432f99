//! Counting a difference: checksums of key ranges first, then the rows of the ranges that differ.

use super::apply::differs;
use crate::error::Doing;
use crate::keys::{key_text, same_key};
use crate::table::Stage;
use crate::{PgResult, ident};
use lakefront_model::{QualifiedName, TableMapping};
use tokio_postgres::Client;

/// Ranges (of the key's hash) that get a checksum each: few enough for one small result, many enough that a handful
/// of differing rows leaves most of the table out of the second step.
const RANGES: i64 = 4096;

/// One row on which stage and live table disagree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Disagreement {
    /// the row's key as text; the whole row where there is no key
    pub key: String,
    /// `missing` from the copy, `surplus` in the copy, or `different`
    pub kind: String,
    /// the columns whose values differ
    pub columns: Vec<String>,
}

/// How stage and live table compare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// rows of the source
    pub source_rows: i64,
    /// rows of the copy
    pub copy_rows: i64,
    /// rows that the copy lacks
    pub missing: i64,
    /// rows that the source lacks
    pub surplus: i64,
    /// rows whose key is the same and whose values are not
    pub different: i64,
    /// some of them
    pub examples: Vec<Disagreement>,
}

impl Comparison {
    /// Whether the two hold the same rows.
    pub fn is_same(&self) -> bool {
        self.missing == 0 && self.surplus == 0 && self.different == 0 && self.source_rows == self.copy_rows
    }
}

/// Compares; `examples` bounds the rows that are named.
///
/// # Errors
/// When the server refuses.
pub async fn compare(
    client: &Client,
    target: &QualifiedName,
    stage: &Stage,
    mapping: &TableMapping,
    examples: i64,
) -> PgResult<Comparison> {
    let doing = || format!("comparing {target} with its source");
    let row = client.query_one(&checksums(target, stage, mapping), &[]).await.doing(doing)?;
    let mut comparison =
        Comparison { source_rows: row.get(0), copy_rows: row.get(1), ..Comparison::default() };
    let ranges: Vec<i64> = row.get(2);
    if ranges.is_empty() {
        return Ok(comparison);
    }
    let rows =
        client.query(&disagreements(target, stage, mapping), &[&ranges, &examples]).await.doing(doing)?;
    for row in &rows {
        let kind: String = row.get("kind");
        let count: i64 = row.get("count");
        match kind.as_str() {
            "missing" => comparison.missing = count,
            "surplus" => comparison.surplus = count,
            _ => comparison.different = count,
        }
        let columns: Vec<Option<String>> = row.get("columns");
        comparison.examples.push(Disagreement {
            key: row.get::<_, Option<String>>("key").unwrap_or_default(),
            kind,
            columns: columns.into_iter().flatten().collect(),
        });
    }
    Ok(comparison)
}

fn columns<'a>(alias: &str, mapping: &'a TableMapping) -> String {
    let names: Vec<&'a str> = mapping.columns.iter().map(|c| c.name.as_str()).collect();
    ident::list_of(alias, names)
}

/// The range that a row belongs to: by its key, or by all of it where there is no key.
fn range(alias: &str, mapping: &TableMapping) -> String {
    let of = if mapping.key.is_empty() {
        format!("ROW({})::text", columns(alias, mapping))
    } else {
        format!("ROW({})::text", ident::list_of(alias, mapping.key_names()))
    };
    format!("(hashtextextended({of}, 0) & {})", RANGES - 1)
}

fn checksums(target: &QualifiedName, stage: &Stage, mapping: &TableMapping) -> String {
    let side = |table: &str| {
        format!(
            "SELECT {range} AS range, count(*) AS n, sum(hashtextextended(ROW({columns})::text, 1)) AS sum
             FROM {table} AS t GROUP BY 1",
            range = range("t", mapping),
            columns = columns("t", mapping),
        )
    };
    format!(
        "WITH source AS ({}), copy AS ({})
         SELECT coalesce(sum(s.n), 0)::bigint, coalesce(sum(c.n), 0)::bigint,
                coalesce(array_agg(range) FILTER (WHERE s.sum IS DISTINCT FROM c.sum OR s.n IS DISTINCT FROM c.n), '{{}}')
         FROM source AS s FULL JOIN copy AS c USING (range)",
        side(&stage.sql()),
        side(&ident::qualified(target)),
    )
}

fn disagreements(target: &QualifiedName, stage: &Stage, mapping: &TableMapping) -> String {
    let of = |table: &str| {
        format!("SELECT * FROM {table} AS t WHERE {} = ANY ($1::bigint[])", range("t", mapping))
    };
    let (source, copy) = (of(&stage.sql()), of(&ident::qualified(target)));
    let differing = if mapping.key.is_empty() {
        let all = columns("t", mapping);
        format!(
            "SELECT 'missing' AS kind, r.row AS key, '{{}}'::text[] AS columns
             FROM (SELECT ROW({all})::text AS row FROM ({source}) AS t EXCEPT ALL SELECT ROW({all})::text FROM ({copy}) AS t) AS r
             UNION ALL
             SELECT 'surplus', r.row, '{{}}'::text[]
             FROM (SELECT ROW({all})::text AS row FROM ({copy}) AS t EXCEPT ALL SELECT ROW({all})::text FROM ({source}) AS t) AS r"
        )
    } else {
        let differing_columns = mapping.columns.iter().map(|c| {
            let name = ident::quote(&c.name);
            format!(
                "CASE WHEN ROW(s.{name})::record OPERATOR(pg_catalog.*<>) ROW(t.{name})::record THEN {} END",
                ident::literal(&c.name)
            )
        });
        let first_key = mapping.key_names().first().map(|k| ident::quote(k)).unwrap_or_default();
        format!(
            "SELECT CASE WHEN t.{first_key} IS NULL THEN 'missing' WHEN s.{first_key} IS NULL THEN 'surplus' ELSE 'different' END AS kind,
                    CASE WHEN t.{first_key} IS NULL THEN {source_key} ELSE {copy_key} END AS key,
                    CASE WHEN s.{first_key} IS NULL OR t.{first_key} IS NULL THEN '{{}}'::text[]
                         ELSE array_remove(ARRAY[{differs}]::text[], NULL) END AS columns
             FROM ({source}) AS s FULL JOIN ({copy}) AS t ON {same}
             WHERE s.{first_key} IS NULL OR t.{first_key} IS NULL OR {values_differ}",
            source_key = key_text("s", mapping),
            copy_key = key_text("t", mapping),
            differs = differing_columns.collect::<Vec<_>>().join(", "),
            same = same_key("s", "t", mapping),
            values_differ = differs("s", "t", mapping),
        )
    };
    format!(
        "WITH differing AS MATERIALIZED ({differing}),
         ranked AS (SELECT *, count(*) OVER (PARTITION BY kind) AS count,
                    row_number() OVER (PARTITION BY kind ORDER BY key) AS rank FROM differing)
         SELECT kind, key, columns, count FROM ranked WHERE rank <= $2 ORDER BY kind, rank"
    )
}
