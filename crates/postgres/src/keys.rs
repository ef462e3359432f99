//! Keys in the stage: the primary key, rows that share one, and which of them stays.

use crate::error::Doing;
use crate::table::Stage;
use crate::{PgError, PgResult, ident};
use lakefront_model::{Condition, TableMapping, TargetColumn};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// How building the key ended.
#[derive(Debug)]
#[must_use]
pub enum KeyBuild {
    /// the key is there
    Built,
    /// rows share a key, so there is none
    Duplicates,
}

/// The keys that more than one row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// number of such keys
    pub keys: i64,
    /// number of rows that have them
    pub rows: i64,
    /// one of the keys, as text
    pub example: String,
    /// the rows that have this one
    pub example_rows: i64,
}

/// Adds the primary key to a loaded stage.
///
/// # Errors
/// When the server refuses for another reason than rows that share a key.
pub async fn build_primary_key(client: &Client, stage: &Stage, mapping: &TableMapping) -> PgResult<KeyBuild> {
    let columns = ident::list(mapping.key_names());
    match client.batch_execute(&format!("ALTER TABLE {} ADD PRIMARY KEY ({columns})", stage.sql())).await {
        Ok(()) => Ok(KeyBuild::Built),
        Err(e) if e.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(KeyBuild::Duplicates),
        Err(e) => Err(PgError::new(format!("building the primary key ({columns})"), e)),
    }
}

/// Counts the keys that more than one row has, None if there are none.
///
/// # Errors
/// When the stage cannot be read.
pub async fn find_duplicates(
    client: &Client,
    stage: &Stage,
    mapping: &TableMapping,
) -> PgResult<Option<Duplicates>> {
    let sql = format!(
        "WITH shared AS ({shared}) SELECT count(*), coalesce(sum(s.{rows}), 0)::bigint,
         (SELECT {key} FROM shared AS s ORDER BY {keys} LIMIT 1), (SELECT s.{rows} FROM shared AS s ORDER BY {keys} LIMIT 1) FROM shared AS s",
        shared = shared_keys(stage, mapping),
        rows = rows_of_key(mapping),
        key = key_text("s", mapping),
        keys = ident::list_of("s", mapping.key_names()),
    );
    let row = client.query_one(&sql, &[]).await.doing(|| "counting rows that share a key".into())?;
    let keys: i64 = row.get(0);
    Ok((keys > 0).then(|| Duplicates {
        keys,
        rows: row.get(1),
        example: row.get::<_, Option<String>>(2).unwrap_or_default(),
        example_rows: row.get::<_, Option<i64>>(3).unwrap_or_default(),
    }))
}

/// Leaves, of the rows that share a key, the one with the greatest timeseries key (NULL is the least). Ties are
/// broken by the rows' stored bytes, which is arbitrary but the same every time. Returns the rows taken out.
///
/// # Errors
/// When the server refuses.
pub async fn keep_greatest(
    client: &Client,
    stage: &Stage,
    mapping: &TableMapping,
    by: usize,
) -> PgResult<u64> {
    let Some(by) = mapping.columns.get(by) else { return Ok(0) };
    let sql = format!(
        "WITH shared AS ({shared}), ranked AS (
             SELECT s.ctid AS place, row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS rank
             FROM {stage} AS s JOIN shared AS d ON {same})
         DELETE FROM {stage} AS s USING ranked AS r WHERE s.ctid = r.place AND r.rank > 1",
        shared = shared_keys(stage, mapping),
        keys = ident::list_of("s", mapping.key_names()),
        order = by_greatness("s", mapping, by),
        stage = stage.sql(),
        same = same_key("s", "d", mapping),
    );
    client.execute(&sql, &[]).await.doing(|| "keeping the row with the greatest timeseries key".into())
}

/// Sets aside all rows that share a key: nothing tells which of them is right.
///
/// # Errors
/// When the server refuses.
pub async fn put_duplicates_aside(client: &Client, stage: &Stage, mapping: &TableMapping) -> PgResult<u64> {
    let sql = format!(
        "WITH shared AS ({shared}),
         taken AS (DELETE FROM {stage} AS s USING shared AS d WHERE {same} RETURNING s.*)
         INSERT INTO {rejected} SELECT '{reason}', NULL, {key}, row_to_json(t.*)::text FROM taken AS t",
        shared = shared_keys(stage, mapping),
        stage = stage.sql(),
        same = same_key("s", "d", mapping),
        rejected = stage.rejected_sql(),
        reason = Condition::PrimaryKeyConstraintViolation.name(),
        key = key_text("t", mapping),
    );
    client.execute(&sql, &[]).await.doing(|| "setting rows that share a key aside".into())
}

fn shared_keys(stage: &Stage, mapping: &TableMapping) -> String {
    let (keys, rows) = (ident::list(mapping.key_names()), rows_of_key(mapping));
    format!("SELECT {keys}, count(*) AS {rows} FROM {} GROUP BY {keys} HAVING count(*) > 1", stage.sql())
}

/// What the number of a key's rows is called: as no column of the key.
fn rows_of_key(mapping: &TableMapping) -> String {
    let mut name = "rows".to_owned();
    while mapping.key_names().contains(&name.as_str()) {
        name.push('_');
    }
    ident::quote(&name)
}

/// The order of rows that share a key, the greatest first: by the timeseries key, then by the stored bytes.
pub(crate) fn by_greatness(alias: &str, mapping: &TableMapping, by: &TargetColumn) -> String {
    let (by, row) = (ident::quote(&by.name), by_name(alias, mapping));
    format!("{alias}.{by} DESC NULLS LAST, {row} USING OPERATOR(pg_catalog.*>)")
}

/// A condition that is true when row `a` comes before row `b` in the same order.
pub(crate) fn is_greater(a: &str, b: &str, mapping: &TableMapping, by: &TargetColumn) -> String {
    let by = ident::quote(&by.name);
    format!(
        "(({a}.{by} > {b}.{by}) IS TRUE OR {a}.{by} IS NOT NULL AND {b}.{by} IS NULL
             OR {a}.{by} IS NOT DISTINCT FROM {b}.{by} AND {row_a} OPERATOR(pg_catalog.*>) {row_b})",
        row_a = by_name(a, mapping),
        row_b = by_name(b, mapping),
    )
}

/// All of a row, its columns by name: the source may order them anew.
fn by_name(alias: &str, mapping: &TableMapping) -> String {
    let mut names: Vec<&str> = mapping.columns.iter().map(|c| c.name.as_str()).collect();
    names.sort_unstable();
    format!("ROW({})::record", ident::list_of(alias, names))
}

/// `a.k1 = b.k1 AND a.k2 = b.k2`
pub(crate) fn same_key(a: &str, b: &str, mapping: &TableMapping) -> String {
    let parts = mapping.key_names().into_iter().map(|k| {
        let k = ident::quote(k);
        format!("{a}.{k} = {b}.{k}")
    });
    parts.collect::<Vec<_>>().join(" AND ")
}

/// An SQL expression for a row's key as messages show it: `id=7` or `shop=3, day=2026-01-31`.
pub(crate) fn key_text(alias: &str, mapping: &TableMapping) -> String {
    let parts = mapping
        .key_names()
        .into_iter()
        .map(|k| format!("{} || {alias}.{}::text", ident::literal(&format!("{k}=")), ident::quote(k)));
    format!("concat_ws(', ', {})", parts.collect::<Vec<_>>().join(", "))
}
