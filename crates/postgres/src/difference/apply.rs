//! Applying a difference: one join lists the rows that differ, by their places in both tables, and only those are
//! touched. Why in this form: `docs/design/snapshot-load.md`.

use crate::error::Doing;
use crate::keys::same_key;
use crate::table::Stage;
use crate::{PgResult, ident, left_out};
use lakefront_model::{PgType, QualifiedName, TableMapping};
use tokio_postgres::GenericClient;

/// Rows changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// rows inserted
    pub inserted: u64,
    /// rows updated
    pub updated: u64,
    /// rows deleted
    pub deleted: u64,
}

/// Makes the live table's rows those of the stage, by key, in the running transaction. Rows that are the same are
/// left alone; readers see the old rows until the commit and never wait.
///
/// # Errors
/// When the server refuses, or rows are left out.
pub async fn apply(
    txn: &impl GenericClient,
    target: &QualifiedName,
    stage: &Stage,
    mapping: &TableMapping,
) -> PgResult<Counts> {
    let doing = || format!("applying the difference to {target}");
    let (live, new, list) = (ident::qualified(target), stage.sql(), stage.difference_sql());
    // Places are good as long as nobody else writes or rewrites the table. Readers do not mind this lock.
    txn.batch_execute(&format!("LOCK TABLE {live} IN SHARE ROW EXCLUSIVE MODE")).await.doing(doing)?;
    let listed = txn.execute(&list_of_places(&live, stage, mapping), &[]).await.doing(doing)?;
    if listed == 0 {
        txn.batch_execute(&format!("DROP TABLE {list}")).await.doing(doing)?;
        return Ok(Counts::default());
    }
    txn.batch_execute(&format!("ANALYZE {list}")).await.doing(doing)?;
    let names = || mapping.columns.iter().map(|c| c.name.as_str());
    let (columns, values) = (ident::list(names()), ident::list_of("s", names()));
    let delete = format!(
        "DELETE FROM {live} AS t USING {list} AS d WHERE t.ctid = d.old_place AND d.new_place IS NULL"
    );
    let deleted = txn.execute(&delete, &[]).await.doing(doing)?;
    // Updated in place rather than deleted and inserted, so that foreign keys of users to the row go on.
    let update = format!(
        "UPDATE {live} AS t SET ({columns}) = ROW({values}) FROM {list} AS d JOIN {new} AS s ON s.ctid = d.new_place
         WHERE t.ctid = d.old_place"
    );
    let updated = txn.execute(&update, &[]).await.doing(doing)?;
    let insert = format!(
        "INSERT INTO {live} ({columns}) SELECT {values} FROM {list} AS d JOIN {new} AS s ON s.ctid = d.new_place
         WHERE d.old_place IS NULL"
    );
    let inserted = txn.execute(&insert, &[]).await.doing(doing)?;
    let written = deleted + updated + inserted;
    if written != listed {
        return Err(left_out::error(txn, target, listed.saturating_sub(written)).await);
    }
    txn.batch_execute(&format!("DROP TABLE {list}")).await.doing(doing)?;
    Ok(Counts { inserted, updated, deleted })
}

fn list_of_places(live: &str, stage: &Stage, mapping: &TableMapping) -> String {
    let first_key = mapping.key_names().first().map(|k| ident::quote(k)).unwrap_or_default();
    format!(
        "CREATE UNLOGGED TABLE {list} AS SELECT t.ctid AS old_place, s.ctid AS new_place
         FROM {live} AS t FULL JOIN {new} AS s ON {same}
         WHERE t.{first_key} IS NULL OR s.{first_key} IS NULL OR {differs}",
        list = stage.difference_sql(),
        new = stage.sql(),
        same = same_key("t", "s", mapping),
        differs = differs("t", "s", mapping),
    )
}

/// A condition that is true when a value of the two rows is not the same, by its stored bytes. For most types `=` says
/// just that and is faster; the others are compared as records with `record_image_ops`.
pub(crate) fn differs(a: &str, b: &str, mapping: &TableMapping) -> String {
    let (plain, imaged): (Vec<_>, Vec<_>) =
        mapping.columns.iter().partition(|c| has_exact_equality(&c.pg_type));
    let mut parts: Vec<String> = plain
        .iter()
        .map(|c| {
            let name = ident::quote(&c.name);
            format!("{a}.{name} IS DISTINCT FROM {b}.{name}")
        })
        .collect();
    if !imaged.is_empty() {
        let row = |alias| ident::list_of(alias, imaged.iter().map(|c| c.name.as_str()));
        parts.push(format!("ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record", row(a), row(b)));
    }
    format!("({})", parts.join(" OR "))
}

/// Whether values that are equal for PostgreSQL are always the same to the byte: not so where `-0` equals `0`, a day
/// equals 24 hours, or a jsonb `1.0` equals `1`.
fn has_exact_equality(pg_type: &PgType) -> bool {
    match pg_type {
        PgType::Real
        | PgType::DoublePrecision
        | PgType::Interval
        | PgType::Jsonb
        | PgType::Vector(_)
        | PgType::Halfvec(_) => false,
        PgType::Array(element) => has_exact_equality(element),
        _ => true,
    }
}

/// Makes the live table's rows the stage's `rows` where there is no key: all are written anew.
///
/// # Errors
/// When the server refuses, or rows are left out.
pub async fn replace_all(
    txn: &impl GenericClient,
    target: &QualifiedName,
    stage: &Stage,
    mapping: &TableMapping,
    rows: u64,
) -> PgResult<Counts> {
    let doing = || format!("replacing the rows of {target}");
    let live = ident::qualified(target);
    let columns = ident::list(mapping.columns.iter().map(|c| c.name.as_str()));
    let deleted = txn.execute(&format!("DELETE FROM {live}"), &[]).await.doing(doing)?;
    let inserted = txn
        .execute(&format!("INSERT INTO {live} ({columns}) SELECT {columns} FROM {}", stage.sql()), &[])
        .await
        .doing(doing)?;
    let mut left_out = rows.abs_diff(inserted);
    if left_out == 0 && !left_out::able_to(txn, target).await?.is_empty() {
        let there = format!("SELECT count(*) FROM {live}");
        let there: i64 = txn.query_one(&there, &[]).await.doing(doing)?.get(0);
        left_out = u64::try_from(there).unwrap_or_default().abs_diff(rows);
    }
    if left_out > 0 {
        return Err(left_out::error(txn, target, left_out).await);
    }
    Ok(Counts { inserted, updated: 0, deleted })
}
