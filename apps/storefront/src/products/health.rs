//! Whether the shop can be served: the database and how fresh each table is.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Catalogue, Freshness, relation::has_freshness};
use crate::database::{Bind, DatabaseError};

/// Answer of a living database.
#[derive(Debug)]
pub struct Health {
    /// Version of the server, such as `18.4`.
    pub server_version: String,
    /// Time that the question took.
    pub took: Duration,
    /// The four tables.
    pub tables: Vec<TableHealth>,
    /// Changes are heard of as they are committed.
    pub listening: bool,
}

/// One table of the shop.
#[derive(Debug)]
pub struct TableHealth {
    /// Three-part name.
    pub name: String,
    /// It is in the database.
    pub exists: bool,
    /// Its source, when Lakefront keeps it.
    pub source: Option<String>,
    /// Version of the source that it shows.
    pub version: Option<i64>,
    /// When that version was committed.
    pub committed_at: Option<DateTime<Utc>>,
    /// When it became visible here.
    pub synced_at: Option<DateTime<Utc>>,
    /// State of the sync.
    pub state: Option<String>,
}

const TABLES: &str = "SELECT w.name, EXISTS (
      SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1::text AND c.relname = w.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')),
    current_setting('server_version'), f.source, f.version, f.committed_at, f.synced_at, f.state
  FROM unnest($2::text[]) WITH ORDINALITY w(name, place)";

const FRESH: &str = " LEFT JOIN (SELECT table_name, source::text, version::int8, committed_at::timestamptz,
      synced_at::timestamptz, state::text FROM lakefront.freshness WHERE schema_name = $1::text) f
    ON f.table_name = w.name ORDER BY w.place";

const NOT_FRESH: &str = " CROSS JOIN (SELECT NULL::text AS source, NULL::int8 AS version,
      NULL::timestamptz AS committed_at, NULL::timestamptz AS synced_at, NULL::text AS state) f
    ORDER BY w.place";

impl Catalogue {
    /// Asks the database; fails when it is away.
    pub async fn health(&self) -> Result<Health, DatabaseError> {
        let join = if has_freshness(&self.database).await? { FRESH } else { NOT_FRESH };
        let names = self.names.all().map(str::to_owned).to_vec();
        let binds = [Bind::Text(self.names.schema.clone()), Bind::Texts(names)];
        let answer = self.database.read(&format!("{TABLES}{join}"), &binds).await?;
        let server_version = answer.rows.first().map_or_else(String::new, |row| row.get(2));
        let tables = answer
            .rows
            .iter()
            .map(|row| TableHealth {
                name: self.names.three_part(row.get(0)),
                exists: row.get(1),
                source: row.get(3),
                version: row.get(4),
                committed_at: row.get(5),
                synced_at: row.get(6),
                state: row.get(7),
            })
            .collect();
        Ok(Health { server_version, took: answer.took, tables, listening: self.changes.is_certain() })
    }
}

impl TableHealth {
    /// The part that answers carry.
    pub fn freshness(&self) -> Option<Freshness> {
        let version = self.version?;
        Some(Freshness { version, committed_at: self.committed_at, synced_at: self.synced_at })
    }
}
