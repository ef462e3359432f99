//! The products table as the database has it: found in the catalog at run time, because lakes differ.

use tokio_postgres::types::{Oid, Type};

use super::Column;
use crate::{
    database::{Bind, Database, DatabaseError, quote_name},
    settings::TableNames,
};

/// The table or view, its columns' types, and whether Lakefront says how fresh it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// `"schema"."table"`.
    pub sql_name: String,
    /// Unquoted schema.
    pub schema: String,
    /// Unquoted table.
    pub table: String,
    /// The view `lakefront.freshness` is there and may be read.
    pub has_freshness: bool,
    types: [Option<Oid>; Column::ALL.len()],
}

/// How a column's values can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// int2, int4, int8.
    Integer,
    /// numeric, real, double precision.
    Fraction,
    /// text, varchar, char, name.
    Text,
    /// timestamptz.
    Moment,
    /// timestamp, date.
    LocalMoment,
    /// Anything else; only its text can be used.
    Other,
}

/// Columns of the table with their types; domains are seen through to their base type.
const COLUMNS: &str = "SELECT a.attname::text, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END,
       has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE n.nspname = $1::text AND c.relname = $2::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

/// Whether Lakefront's view is there for this user.
const FRESHNESS: &str = "SELECT EXISTS (
    SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'lakefront' AND c.relname = 'freshness'
       AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))";

impl Relation {
    /// Looks the products table up.
    pub async fn find(database: &Database, names: &TableNames) -> Result<Self, DatabaseError> {
        let (schema, table) = (&names.schema, &names.products);
        let binds = [Bind::Text(schema.clone()), Bind::Text(table.clone())];
        let columns = database.read(COLUMNS, &binds).await?.rows;
        let has_freshness = has_freshness(database).await?;
        let sql_name = format!("{}.{}", quote_name(schema), quote_name(table));
        let mut types = [None; Column::ALL.len()];
        let mut readable = true;
        for row in &columns {
            let name: &str = row.get(0);
            readable &= row.get::<_, bool>(2);
            if let Some(slot) = Column::named(name).and_then(|column| types.get_mut(column as usize)) {
                *slot = Some(row.get::<_, Oid>(1));
            }
        }
        let relation = Self { sql_name, schema: schema.clone(), table: table.clone(), has_freshness, types };
        if columns.is_empty() {
            return Err(DatabaseError::TableMissing {
                name: names.products_name(),
                database: database.settings().database.clone(),
                schema: schema.clone(),
                table: table.clone(),
            });
        }
        if !readable {
            return Err(DatabaseError::TableForbidden {
                name: names.products_name(),
                relation: relation.sql_name,
                user: database.settings().user.clone(),
            });
        }
        for needed in [Column::ProductId, Column::ProductDisplayName] {
            if relation.family(needed).is_none() {
                return Err(DatabaseError::NotProducts {
                    name: names.products_name(),
                    column: needed.name(),
                });
            }
        }
        Ok(relation)
    }

    /// How the column can be used; `None` when this table has no such column.
    pub fn family(&self, column: Column) -> Option<Family> {
        let oid = (*self.types.get(column as usize)?)?;
        Some(match Type::from_oid(oid) {
            Some(Type::INT2 | Type::INT4 | Type::INT8) => Family::Integer,
            Some(Type::NUMERIC | Type::FLOAT4 | Type::FLOAT8) => Family::Fraction,
            Some(Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME) => Family::Text,
            Some(Type::TIMESTAMPTZ) => Family::Moment,
            Some(Type::TIMESTAMP | Type::DATE) => Family::LocalMoment,
            _ => Family::Other,
        })
    }

    /// The columns that the table has, in the order of a product.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        Column::ALL.into_iter().filter(|column| self.family(*column).is_some())
    }
}

/// Whether the view `lakefront.freshness` is there and may be read.
pub(super) async fn has_freshness(database: &Database) -> Result<bool, DatabaseError> {
    let rows = database.read(FRESHNESS, &[]).await?.rows;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}
