//! The stage: a table of Lakefront's own that new data is copied into, beside the live one.

use crate::error::Doing;
use crate::ledger::Claim;
use crate::{PgError, PgResult, ident};
use lakefront_model::{GeneratedColumn, TableMapping, TargetColumn};
use std::ops::Range;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, GenericClient};

/// What the stage is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageKind {
    /// it becomes the live table itself: logged, with the generated columns
    Table,
    /// its difference to the live table is applied and it is dropped: unlogged, the source's columns only
    Difference,
}

/// A stage of one synced table. Its name begins with the table's number in the ledger, so that what a killed process
/// left behind is found and dropped by the next one.
#[derive(Debug, Clone)]
pub struct Stage {
    table: String,
    rejected: String,
    /// what the names of all stages of the table for the same purpose begin with
    family: String,
}

/// A source row that is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// why: a condition's name
    pub reason: &'static str,
    /// the column at fault, where it is one
    pub column: Option<String>,
    /// the row's key as text
    pub key: String,
    /// the row as JSON text
    pub row: String,
}

impl Stage {
    /// The stage for comparing a table with its source.
    pub fn for_verifying(table_id: i64) -> Self {
        let family = format!("verify_{table_id}");
        Self::named(family.clone(), family)
    }

    /// The stage for loading a table under a claim. Others have another one: a process that lost the table and does not know
    /// it yet neither writes into theirs nor drops it.
    pub fn for_loading(claim: &Claim) -> Self {
        let family = format!("load_{}", claim.table_id);
        Self::named(format!("{family}_{}", claim.epoch), family)
    }

    fn named(table: String, family: String) -> Self {
        Self { rejected: format!("{table}_rejected"), table, family }
    }

    /// The stage's name without its schema.
    pub fn name(&self) -> &str {
        &self.table
    }

    /// The stage as SQL text.
    pub fn sql(&self) -> String {
        format!("lakefront.{}", ident::quote(&self.table))
    }

    /// The table of rows set aside, as SQL text.
    pub fn rejected_sql(&self) -> String {
        format!("lakefront.{}", ident::quote(&self.rejected))
    }

    /// The list of places at which stage and live table differ, as SQL text.
    pub(crate) fn difference_sql(&self) -> String {
        format!("lakefront.{}", ident::quote(&format!("{}_difference", self.table)))
    }

    /// Makes the stage, empty, dropping those that others left.
    ///
    /// # Errors
    /// When the server refuses; a missing pgvector says what to install.
    pub async fn create(
        &self,
        client: &Client,
        mapping: &TableMapping,
        generated: &[GeneratedColumn],
        kind: StageKind,
    ) -> PgResult<()> {
        self.drop_all(client).await?;
        let mut columns: Vec<String> = mapping.columns.iter().map(definition).collect();
        if kind == StageKind::Table {
            columns.extend(generated.iter().map(|g| {
                format!(
                    "{} {} GENERATED ALWAYS AS ({}) STORED",
                    ident::quote(&g.name),
                    g.sql_type,
                    g.expression
                )
            }));
        }
        let unlogged = if kind == StageKind::Table { "" } else { "UNLOGGED " };
        let create = format!(
            "CREATE {unlogged}TABLE {} ({}) WITH (autovacuum_enabled = false)",
            self.sql(),
            columns.join(", ")
        );
        client.execute(&create, &[]).await.doing(|| "creating the table for the new data".into())?;
        let rejected = format!(
            "CREATE UNLOGGED TABLE {} (reason text, column_name text, key text, source_row text)",
            self.rejected_sql()
        );
        client.execute(&rejected, &[]).await.doing(|| "creating the table for rows set aside".into())?;
        Ok(())
    }

    /// How many pages the stage has.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn pages(&self, client: &Client) -> PgResult<i64> {
        let sql = "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint";
        let row = client.query_one(sql, &[&self.sql()]).await.doing(|| "measuring the new data".into())?;
        Ok(row.get(0))
    }

    /// Reads the rows of some pages, which notes in each page how the transactions ended that wrote it (hint bits).
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn look_at(&self, client: &Client, pages: Range<i64>) -> PgResult<()> {
        let (table, Range { start, end }) = (self.sql(), pages);
        let sql = format!("SELECT count(*) FROM {table} WHERE ctid >= '({start},0)' AND ctid < '({end},0)'");
        client.batch_execute(&sql).await.doing(|| "looking at the new data".into())
    }

    /// Gathers statistics.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn analyze(&self, client: &Client) -> PgResult<()> {
        client.batch_execute(&format!("ANALYZE {}", self.sql())).await.doing(|| "gathering statistics".into())
    }

    /// Drops the stage if it is there.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn drop(&self, client: &impl GenericClient) -> PgResult<()> {
        client
            .batch_execute(&format!("DROP TABLE IF EXISTS {}, {}", self.sql(), self.rejected_sql()))
            .await
            .doing(|| "dropping the table for the new data".into())
    }

    /// Drops all stages of the table for the same purpose.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn drop_all(&self, client: &impl GenericClient) -> PgResult<()> {
        let doing = || "dropping tables that an earlier update left".to_owned();
        let left = "SELECT string_agg(format('lakefront.%I', relname), ', ') FROM pg_class
                    WHERE relnamespace = 'lakefront'::regnamespace AND relkind = 'r' AND relname ~ ('^' || $1 || '(_[0-9]+)?(_rejected)?$')";
        let left: Option<String> = client.query_one(left, &[&self.family]).await.doing(doing)?.get(0);
        match left {
            Some(left) => client.batch_execute(&format!("DROP TABLE IF EXISTS {left}")).await.doing(doing),
            None => Ok(()),
        }
    }

    /// Keeps rows that policy set aside.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn put_aside(&self, client: &Client, rows: &[Rejected]) -> PgResult<()> {
        let reasons: Vec<&str> = rows.iter().map(|r| r.reason).collect();
        let columns: Vec<Option<&str>> = rows.iter().map(|r| r.column.as_deref()).collect();
        // PostgreSQL's text cannot hold a 0x00 byte, and such rows come here just because they have one.
        let shown = |text: &str| text.replace('\0', "\\u0000");
        let keys: Vec<String> = rows.iter().map(|r| shown(&r.key)).collect();
        let sources: Vec<String> = rows.iter().map(|r| shown(&r.row)).collect();
        let insert = format!(
            "INSERT INTO {} SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])",
            self.rejected_sql()
        );
        client
            .execute(&insert, &[&reasons, &columns, &keys, &sources])
            .await
            .doing(|| "keeping rows set aside".into())?;
        Ok(())
    }

    /// Replaces the table's quarantine with the rows set aside this time, and returns their number.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn publish_rejected(
        &self,
        client: &impl GenericClient,
        table_id: i64,
        version: i64,
    ) -> PgResult<i64> {
        let doing = || "filling the quarantine".to_owned();
        client
            .execute("DELETE FROM lakefront.quarantine WHERE table_id = $1", &[&table_id])
            .await
            .doing(doing)?;
        let insert = format!(
            "INSERT INTO lakefront.quarantine (table_id, version, reason, column_name, key, source_row)
             SELECT $1, $2, reason, column_name, key, source_row FROM {}",
            self.rejected_sql()
        );
        let moved = client.execute(&insert, &[&table_id, &version]).await.doing(doing)?;
        client.batch_execute(&format!("DROP TABLE {}", self.rejected_sql())).await.doing(doing)?;
        Ok(i64::try_from(moved).unwrap_or(i64::MAX))
    }
}

/// NOT NULL from the start: adding the primary key later would scan the whole table for NULLs.
fn definition(column: &TargetColumn) -> String {
    let not_null = if column.not_null { " NOT NULL" } else { "" };
    format!("{} {}{not_null}", ident::quote(&column.name), column.pg_type.sql())
}

/// Makes sure that the types `vector` and `halfvec` are there.
///
/// # Errors
/// When pgvector is not installed on the server or the user may not create extensions.
pub async fn ensure_pgvector(client: &Client) -> PgResult<Pgvector> {
    let doing = || "creating the extension vector (pgvector)".to_owned();
    let available = client
        .query_opt("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'", &[])
        .await
        .doing(doing)?;
    if available.is_none() {
        return Ok(Pgvector::NotInstalled);
    }
    match client.batch_execute("CREATE EXTENSION IF NOT EXISTS vector").await {
        Ok(()) => Ok(Pgvector::Ready),
        // Two processes at once: the other one made it.
        Err(e) if e.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(Pgvector::Ready),
        Err(e) => Err(PgError::new(doing(), e)),
    }
}

/// Whether pgvector can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Pgvector {
    /// its types are there
    Ready,
    /// the server does not have it
    NotInstalled,
}
