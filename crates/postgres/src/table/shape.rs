//! The shape of a table as PostgreSQL has it, and how it follows the wanted one.

use crate::error::Doing;
use crate::{PgResult, ident};
use lakefront_model::{GeneratedColumn, QualifiedName, SourceSchema, TableMapping};
use tokio_postgres::error::SqlState;
use tokio_postgres::{GenericClient, Transaction};

/// One column as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnShape {
    /// its name
    pub name: String,
    /// its type as `format_type` prints it
    pub sql_type: String,
    /// whether it is NOT NULL
    pub not_null: bool,
    /// whether PostgreSQL computes it
    pub generated: bool,
}

/// A table as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// `r` table, `v` view, `p` partitioned table … (pg_class.relkind)
    pub relkind: i8,
    /// its columns in order
    pub columns: Vec<ColumnShape>,
    /// its primary key's columns in order, empty without one
    pub primary_key: Vec<String>,
}

/// How the found table differs from the wanted one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShapeChange {
    /// wanted columns that are not there, as places in the mapping
    pub missing: Vec<usize>,
    /// columns there that the source no longer has
    pub surplus: Vec<String>,
    /// columns whose type differs: name, type found, type wanted
    pub retyped: Vec<(String, String, String)>,
    /// whether the primary key differs
    pub key_changed: bool,
}

impl TableShape {
    /// Compares with what is wanted. Only columns that came from the source, as its schema at the last checkpoint
    /// says, can be surplus: others are their makers' own.
    pub fn change_to(&self, mapping: &TableMapping, before: Option<&SourceSchema>) -> ShapeChange {
        let mut change = ShapeChange::default();
        for (place, wanted) in mapping.columns.iter().enumerate() {
            match self.columns.iter().find(|c| c.name == wanted.name) {
                None => change.missing.push(place),
                Some(found) if found.sql_type != wanted.pg_type.sql() => {
                    change.retyped.push((found.name.clone(), found.sql_type.clone(), wanted.pg_type.sql()));
                }
                Some(_) => {}
            }
        }
        change.surplus = self
            .columns
            .iter()
            .filter(|c| before.is_some_and(|b| b.columns.iter().any(|was| was.name == c.name)))
            .filter(|c| !mapping.columns.iter().any(|wanted| wanted.name == c.name))
            .map(|c| c.name.clone())
            .collect();
        change.key_changed = self.primary_key != mapping.key_names();
        change
    }
}

/// The shape of a table, None where there is none of that name.
///
/// # Errors
/// When the catalog cannot be read.
pub async fn shape_of(client: &impl GenericClient, name: &QualifiedName) -> PgResult<Option<TableShape>> {
    let doing = || format!("looking at {name}");
    let found = client
        .query_opt(
            "SELECT c.oid, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = $2",
            &[&name.schema, &name.table],
        )
        .await
        .doing(doing)?;
    let Some(found) = found else { return Ok(None) };
    let oid: u32 = found.get(0);
    let columns = client
        .query(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attgenerated <> ''
             FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            &[&oid],
        )
        .await
        .doing(doing)?;
    let key = client
        .query(
            "SELECT a.attname FROM pg_index i
             CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE i.indrelid = $1 AND i.indisprimary ORDER BY k.place",
            &[&oid],
        )
        .await
        .doing(doing)?;
    Ok(Some(TableShape {
        relkind: found.get(1),
        columns: columns
            .iter()
            .map(|r| ColumnShape {
                name: r.get(0),
                sql_type: r.get(1),
                not_null: r.get(2),
                generated: r.get(3),
            })
            .collect(),
        primary_key: key.iter().map(|r| r.get(0)).collect(),
    }))
}

/// Adds the wanted columns that are missing, nullable and NULL, in the running transaction: a change of the catalog
/// alone, which holds its lock for a moment.
///
/// # Errors
/// When the server refuses.
pub async fn add_missing_columns(
    client: &impl GenericClient,
    name: &QualifiedName,
    mapping: &TableMapping,
    missing: &[usize],
) -> PgResult<()> {
    for column in missing.iter().filter_map(|&place| mapping.columns.get(place)) {
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
        Err(e) => Err(crate::PgError::new(doing(), e)),
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
