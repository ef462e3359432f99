//! The live table follows its source's shape in place: its object id, indexes, views, grants and comments stay.

use super::views::Views;
use super::{ShapeChange, TableShape};
use crate::error::Doing;
use crate::{PgError, PgResult, ident};
use lakefront_model::{GeneratedColumn, QualifiedName, TableMapping, TargetColumn};
use tokio_postgres::error::SqlState;
use tokio_postgres::{GenericClient, Transaction};

/// Renames, widens, relaxes and adds columns, in the running transaction. All but widening changes the catalog alone;
/// a wider type rewrites the table, and views that use the column are made anew.
///
/// # Errors
/// When the server refuses, such as for a materialized view on a column whose type changes.
pub async fn alter(
    client: &impl GenericClient,
    name: &QualifiedName,
    mapping: &TableMapping,
    change: &ShapeChange,
) -> PgResult<()> {
    rename_columns(client, name, &change.renamed).await?;
    let widened: Vec<_> = change.widened.iter().filter_map(|&place| mapping.columns.get(place)).collect();
    if !widened.is_empty() {
        widen(client, name, &widened).await.map_err(PgError::of_type_change)?;
    }
    for column in change.relaxed.iter().filter_map(|&place| mapping.columns.get(place)) {
        let relax = format!(
            "ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL",
            ident::qualified(name),
            ident::quote(&column.name)
        );
        client.batch_execute(&relax).await.doing(|| format!("allowing NULL in {} of {name}", column.name))?;
    }
    for column in change.missing.iter().filter_map(|&place| mapping.columns.get(place)) {
        let add = format!(
            "ALTER TABLE {} ADD COLUMN {} {}",
            ident::qualified(name),
            ident::quote(&column.name),
            column.pg_type.sql()
        );
        client.batch_execute(&add).await.doing(|| format!("adding column {} to {name}", column.name))?;
    }
    Ok(())
}

async fn widen(client: &impl GenericClient, name: &QualifiedName, columns: &[&TargetColumn]) -> PgResult<()> {
    let doing = || {
        let names: Vec<_> = columns.iter().map(|c| format!("{} to {}", c.name, c.pg_type)).collect();
        format!("widening {} of {name}", names.join(", "))
    };
    let names: Vec<_> = columns.iter().map(|c| c.name.as_str()).collect();
    let views = Views::using(client, name, &names).await?;
    views.drop(client).await?;
    let steps =
        columns.iter().map(|c| format!("ALTER COLUMN {} TYPE {}", ident::quote(&c.name), c.pg_type.sql()));
    let alter = format!("ALTER TABLE {} {}", ident::qualified(name), steps.collect::<Vec<_>>().join(", "));
    client.batch_execute(&alter).await.doing(doing)?;
    views.make(client).await
}

/// Names may be exchanged or handed on, so all of them are given up first.
async fn rename_columns(
    client: &impl GenericClient,
    name: &QualifiedName,
    renamed: &[(String, String)],
) -> PgResult<()> {
    let table = ident::qualified(name);
    let rename = |from: &str, to: &str| {
        format!("ALTER TABLE {table} RENAME COLUMN {} TO {}", ident::quote(from), ident::quote(to))
    };
    let between: Vec<String> = (0..renamed.len()).map(|n| format!("lakefront renames {n}")).collect();
    let away = renamed.iter().zip(&between).map(|((from, _), between)| rename(from, between));
    let back = renamed.iter().zip(&between).map(|((_, to), between)| rename(between, to));
    let steps: Vec<String> = match renamed {
        [(from, to)] => vec![rename(from, to)],
        _ => away.chain(back).collect(),
    };
    if steps.is_empty() {
        return Ok(());
    }
    client.batch_execute(&steps.join("; ")).await.doing(|| format!("renaming columns of {name}"))
}

/// What became of a column that the source no longer has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum DroppedColumn {
    /// it is gone
    Dropped,
    /// something depends on it, as the server's message says: it stays, and is NULL
    Kept(String),
}

/// Drops a column that the source no longer has, in the running transaction.
///
/// # Errors
/// When the server refuses for another reason than an object that depends on it.
pub async fn drop_column(
    txn: &mut Transaction<'_>,
    name: &QualifiedName,
    column: &str,
) -> PgResult<DroppedColumn> {
    let doing = || format!("dropping column {column} of {name}");
    let (table, quoted) = (ident::qualified(name), ident::quote(column));
    let attempt = txn.transaction().await.doing(doing)?;
    match attempt.batch_execute(&format!("ALTER TABLE {table} DROP COLUMN {quoted}")).await {
        Ok(()) => {
            attempt.commit().await.doing(doing)?;
            Ok(DroppedColumn::Dropped)
        }
        Err(e) if e.code() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
            attempt.rollback().await.doing(doing)?;
            let detail = e.as_db_error().and_then(|db| db.detail()).unwrap_or("something depends on it");
            let message =
                format!("column {column} is gone at the source and stays in the copy, NULL: {detail}");
            let clear = format!("UPDATE {table} SET {quoted} = NULL WHERE {quoted} IS NOT NULL");
            txn.batch_execute(&format!("ALTER TABLE {table} ALTER COLUMN {quoted} DROP NOT NULL; {clear}"))
                .await
                .doing(doing)?;
            Ok(DroppedColumn::Kept(message))
        }
        Err(e) => Err(PgError::new(doing(), e)),
    }
}

/// Adds the declared generated columns that are missing, in the running transaction. The server computes them for
/// all rows and holds readers up meanwhile: this happens only when a declaration was added to a table that is there.
///
/// # Errors
/// When the server refuses the type or the expression.
pub async fn add_generated_columns(
    client: &impl GenericClient,
    name: &QualifiedName,
    live: &TableShape,
    generated: &[GeneratedColumn],
) -> PgResult<()> {
    for column in generated.iter().filter(|g| !live.columns.iter().any(|c| c.name == g.name)) {
        let add = format!(
            "ALTER TABLE {} ADD COLUMN {} {} GENERATED ALWAYS AS ({}) STORED",
            ident::qualified(name),
            ident::quote(&column.name),
            column.sql_type,
            column.expression
        );
        client
            .execute(&add, &[])
            .await
            .doing(|| format!("adding the generated column {} to {name}", column.name))?;
    }
    Ok(())
}
