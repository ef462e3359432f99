//! Applying a difference.

use crate::error::Doing;
use crate::keys::same_key;
use crate::table::Stage;
use crate::{PgResult, ident};
use lakefront_model::{QualifiedName, TableMapping};
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
/// When the server refuses.
pub async fn apply(
    txn: &impl GenericClient,
    target: &QualifiedName,
    stage: &Stage,
    mapping: &TableMapping,
) -> PgResult<Counts> {
    let doing = || format!("applying the difference to {target}");
    let live = ident::qualified(target);
    let new = stage.sql();
    let same = same_key("t", "s", mapping);
    let names = || mapping.columns.iter().map(|c| c.name.as_str());
    let deleted = txn
        .execute(
            &format!("DELETE FROM {live} AS t WHERE NOT EXISTS (SELECT FROM {new} AS s WHERE {same})"),
            &[],
        )
        .await
        .doing(doing)?;
    let update = format!(
        "UPDATE {live} AS t SET ({columns}) = ROW({values}) FROM {new} AS s
         WHERE {same} AND ROW({old})::record OPERATOR(pg_catalog.*<>) ROW({values})::record",
        columns = ident::list(names()),
        values = ident::list_of("s", names()),
        old = ident::list_of("t", names()),
    );
    let updated = txn.execute(&update, &[]).await.doing(doing)?;
    let insert = format!(
        "INSERT INTO {live} ({columns}) SELECT {values} FROM {new} AS s
         WHERE NOT EXISTS (SELECT FROM {live} AS t WHERE {same})",
        columns = ident::list(names()),
        values = ident::list_of("s", names()),
    );
    let inserted = txn.execute(&insert, &[]).await.doing(doing)?;
    Ok(Counts { inserted, updated, deleted })
}

/// Makes the live table's rows those of the stage where there is no key: all rows are written anew.
///
/// # Errors
/// When the server refuses.
pub async fn replace_all(
    txn: &impl GenericClient,
    target: &QualifiedName,
    stage: &Stage,
    mapping: &TableMapping,
) -> PgResult<Counts> {
    let doing = || format!("replacing the rows of {target}");
    let live = ident::qualified(target);
    let columns = ident::list(mapping.columns.iter().map(|c| c.name.as_str()));
    let deleted = txn.execute(&format!("DELETE FROM {live}"), &[]).await.doing(doing)?;
    let inserted = txn
        .execute(&format!("INSERT INTO {live} ({columns}) SELECT {columns} FROM {}", stage.sql()), &[])
        .await
        .doing(doing)?;
    Ok(Counts { inserted, updated: 0, deleted })
}
