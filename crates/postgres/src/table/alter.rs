//! The live table follows its source's shape in place: its object id, indexes, views, grants and comments stay.

use super::views::Views;
use super::{ShapeChange, TableShape};
use crate::error::Doing;
use crate::{PgError, PgResult, ident};
use lakefront_model::{GeneratedColumn, PgType, QualifiedName, TableMapping, TargetColumn};
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
    // Types before names: views are locked then before the table, as those who read them do.
    let called = |column: &TargetColumn| {
        let renamed = change.renamed.iter().find(|(_, to)| *to == column.name);
        renamed.map_or_else(|| column.name.clone(), |(from, _)| from.clone())
    };
    let widened = change.widened.iter().filter_map(|&place| mapping.columns.get(place));
    let widened: Vec<_> = widened.map(|column| (called(column), &column.pg_type)).collect();
    if !widened.is_empty() {
        widen(client, name, &widened).await.map_err(PgError::of_type_change)?;
    }
    rename_columns(client, name, &change.renamed).await?;
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

async fn widen(
    client: &impl GenericClient,
    name: &QualifiedName,
    columns: &[(String, &PgType)],
) -> PgResult<()> {
    let doing = || {
        let names: Vec<_> = columns.iter().map(|(column, to)| format!("{column} to {to}")).collect();
        format!("widening {} of {name}", names.join(", "))
    };
    let names: Vec<_> = columns.iter().map(|(column, _)| column.as_str()).collect();
    let views = Views::using(client, name, &names).await?;
    views.drop(client).await?;
    let steps =
        columns.iter().map(|(column, to)| format!("ALTER COLUMN {} TYPE {}", ident::quote(column), to.sql()));
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
    let table = ident::qualified(name);
    if let Some(dependents) = dependents_of(txn, &table, column).await.doing(doing)? {
        return keep_column(txn, name, column, &format!("{dependents} depends on it")).await;
    }
    let attempt = txn.transaction().await.doing(doing)?;
    let drop = format!("ALTER TABLE {table} DROP COLUMN {}", ident::quote(column));
    match attempt.batch_execute(&drop).await {
        Ok(()) => {
            attempt.commit().await.doing(doing)?;
            Ok(DroppedColumn::Dropped)
        }
        Err(e) if e.code() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
            attempt.rollback().await.doing(doing)?;
            let detail = e.as_db_error().and_then(|db| db.detail()).unwrap_or("something depends on it");
            keep_column(txn, name, column, detail).await
        }
        Err(e) => Err(PgError::new(doing(), e)),
    }
}

/// What keeps a column from being dropped. Looked up before it is tried: PostgreSQL locks the views on it before it refuses,
/// and whoever reads such a view has locked that, and waits for the table, which is locked by then.
async fn dependents_of(
    txn: &Transaction<'_>,
    table: &str,
    column: &str,
) -> Result<Option<String>, tokio_postgres::Error> {
    let dependents = "SELECT string_agg(DISTINCT CASE WHEN r.rulename = '_RETURN'
                                                      THEN pg_describe_object('pg_class'::regclass, r.ev_class, 0)
                                                      ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END, ', ')
                      FROM pg_depend d
                      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                      LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::text::regclass
                        AND a.attname = $2 AND d.deptype = 'n'";
    Ok(txn.query_one(dependents, &[&table, &column]).await?.get(0))
}

async fn keep_column(
    txn: &Transaction<'_>,
    name: &QualifiedName,
    column: &str,
    why: &str,
) -> PgResult<DroppedColumn> {
    let (table, quoted) = (ident::qualified(name), ident::quote(column));
    let clear = format!(
        "ALTER TABLE {table} ALTER COLUMN {quoted} DROP NOT NULL;
         UPDATE {table} SET {quoted} = NULL WHERE {quoted} IS NOT NULL"
    );
    txn.batch_execute(&clear).await.doing(|| format!("clearing column {column} of {name}"))?;
    Ok(DroppedColumn::Kept(format!(
        "column {column} is gone at the source and stays in the copy, NULL: {why}"
    )))
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
