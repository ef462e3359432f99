//! The shape of a table as PostgreSQL has it.

use crate::PgResult;
use crate::error::Doing;
use lakefront_model::QualifiedName;
use tokio_postgres::GenericClient;

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
    /// what the primary key's constraint is called
    pub key_name: Option<String>,
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
            "SELECT a.attname, x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
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
        key_name: key.first().map(|r| r.get(1)),
    }))
}
