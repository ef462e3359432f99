//! Changed rows on their way into the live table: copied beside it, each with what is to become of it, then applied.
//!
//! The reader of the source knows for each key whether the copy has it. That is not believed but checked: a row that
//! should be new and is there, or should be there and is not, means that source or copy is not what the ledger says.

mod greatest;

pub use greatest::{Greatest, Lost};

use crate::difference::{Counts, differs};
use crate::error::Doing;
use crate::keys::{key_text, same_key};
use crate::{PgResult, ident, left_out};
use lakefront_model::{Condition, QualifiedName, TableMapping};
use tokio_postgres::{GenericClient, Transaction};

/// The live table has this many rows for each changed one from where on its key's index is the way to them: below, the
/// planner may read all of the table.
const ROWS_PER_LOOKUP: i64 = 10;

/// What is to become of a changed row; the mark that it is copied with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// the key is new
    Insert,
    /// the key is there, with other values
    Update,
    /// the key is there and goes
    Delete,
}

impl Fate {
    /// The value of the mark's column.
    pub fn mark(self) -> i16 {
        match self {
            Self::Insert => 1,
            Self::Update => 2,
            Self::Delete => 3,
        }
    }
}

/// How applying ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// as expected; updated rows are those that really differed
    Done(Counts),
    /// the copy has not the rows that it should have: the transaction is to be rolled back
    Disagrees,
}

/// Lets the planner choose as it does by default, after few changed rows had their keys looked up in the same transaction.
///
/// # Errors
/// When the server refuses.
pub async fn plan_as_usual(txn: &Transaction<'_>) -> PgResult<()> {
    let usual = "SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT";
    txn.batch_execute(usual).await.doing(|| "setting the planner's choices".into())
}

/// The session's own table for changed rows of one synced table. It empties itself at the end of each transaction and
/// goes with the session, so nothing is left behind and the catalog is written once.
#[derive(Debug)]
pub struct ChangeStage<'a> {
    name: String,
    mark: String,
    mapping: &'a TableMapping,
}

impl<'a> ChangeStage<'a> {
    /// The table for a number in the ledger and the copy's columns.
    pub fn new(table_id: i64, mapping: &'a TableMapping) -> Self {
        let mut mark = "change".to_owned();
        while mapping.columns.iter().any(|c| c.name == mark) {
            mark.push('_');
        }
        Self { name: format!("changes_{table_id}"), mark, mapping }
    }

    /// The table as SQL text.
    pub fn sql(&self) -> String {
        format!("pg_temp.{}", ident::quote(&self.name))
    }

    /// The columns that are copied: the mark, then the copy's.
    pub fn columns(&self) -> Vec<&str> {
        std::iter::once(self.mark.as_str()).chain(self.names()).collect()
    }

    /// The copy's columns.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.mapping.columns.iter().map(|c| c.name.as_str())
    }

    /// Makes the table where the session has it not yet, or has it for other columns.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn ensure(&self, txn: &impl GenericClient) -> PgResult<()> {
        let doing = || "creating the session's table for changed rows".to_owned();
        let columns =
            self.mapping.columns.iter().map(|c| format!("{} {}", ident::quote(&c.name), c.pg_type.sql()));
        let columns: Vec<_> = std::iter::once(format!("{} smallint NOT NULL", ident::quote(&self.mark)))
            .chain(columns)
            .collect();
        let definition = columns.join(", ");
        let found = txn
            .query_opt("SELECT obj_description(to_regclass($1), 'pg_class')", &[&self.sql()])
            .await
            .doing(doing)?;
        let found: Option<String> = found.and_then(|row| row.get(0));
        if found.as_deref() == Some(&definition) {
            return Ok(());
        }
        let table = self.sql();
        let make = format!(
            "DROP TABLE IF EXISTS {table}; CREATE TEMPORARY TABLE {} ({definition}) ON COMMIT DELETE ROWS; COMMENT ON TABLE {table} IS {}",
            ident::quote(&self.name),
            ident::literal(&definition)
        );
        txn.batch_execute(&make).await.doing(doing)
    }

    /// Whether a changed row has a key that rows are set aside for, since several have it: what becomes of them is not in
    /// the changes alone. Rows set aside for other reasons are not among those that can be copied here.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn touches_quarantine(&self, txn: &Transaction<'_>, table_id: i64) -> PgResult<bool> {
        let sql = format!(
            "SELECT EXISTS (SELECT FROM lakefront.quarantine AS q WHERE q.table_id = $1 AND q.reason = $2
                 AND q.key IN (SELECT {} FROM {} AS s))",
            key_text("s", self.mapping),
            self.sql()
        );
        let reason = Condition::PrimaryKeyConstraintViolation.name();
        let found = txn.query_one(&sql, &[&table_id, &reason]).await;
        Ok(found.doing(|| "comparing the changes with the quarantine".into())?.get(0))
    }

    fn marked(&self, alias: &str, fate: Fate) -> String {
        format!("{alias}.{} = {}", ident::quote(&self.mark), fate.mark())
    }

    /// Has few changed rows look up their keys one by one, which is also what the planner would do if it knew how few
    /// they are.
    async fn look_up_keys(
        &self,
        txn: &Transaction<'_>,
        changed: u64,
        live_rows: i64,
    ) -> Result<(), tokio_postgres::Error> {
        if live_rows / ROWS_PER_LOOKUP > i64::try_from(changed).unwrap_or(i64::MAX) {
            txn.batch_execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off").await?;
        }
        Ok(())
    }

    /// Applies what was copied to the live table, in the running transaction: `expected` rows of each fate, to a table
    /// of about `live_rows`. Rows whose values are the same are left alone.
    ///
    /// # Errors
    /// When the server refuses, such as for a new key that is there, or rows are left out.
    pub async fn apply(
        &self,
        txn: &Transaction<'_>,
        target: &QualifiedName,
        expected: Counts,
        live_rows: i64,
    ) -> PgResult<Applied> {
        let doing = || format!("applying the changes to {target}");
        let (live, stage) = (ident::qualified(target), self.sql());
        let marked = |fate: Fate| self.marked("s", fate);
        let same = same_key("t", "s", self.mapping);
        let all = expected.inserted + expected.updated + expected.deleted;
        self.look_up_keys(txn, all, live_rows).await.doing(doing)?;
        if expected.deleted > 0 {
            let delete = format!(
                "DELETE FROM {live} AS t USING {stage} AS s WHERE {} AND {same}",
                marked(Fate::Delete)
            );
            if txn.execute(&delete, &[]).await.doing(doing)? != expected.deleted {
                return Ok(Applied::Disagrees);
            }
        }
        let (columns, values) = (ident::list(self.names()), ident::list_of("s", self.names()));
        let mut counts = Counts { updated: 0, ..expected };
        if expected.updated > 0 {
            let update = format!(
                "UPDATE {live} AS t SET ({columns}) = ROW({values}) FROM {stage} AS s WHERE {} AND {same} AND {}",
                marked(Fate::Update),
                differs("t", "s", self.mapping)
            );
            counts.updated = txn.execute(&update, &[]).await.doing(doing)?;
            // Fewer can mean that values were the same after all, that rows are missing, or that they were left out.
            if counts.updated != expected.updated {
                let [missing, left_out] = self.not_updated(txn, &live).await.doing(doing)?;
                if missing > 0 {
                    return Ok(Applied::Disagrees);
                }
                if left_out > 0 {
                    return Err(left_out::error(txn, target, left_out).await);
                }
            }
        }
        if expected.inserted > 0 {
            let insert = format!(
                "INSERT INTO {live} ({columns}) SELECT {values} FROM {stage} AS s WHERE {}",
                marked(Fate::Insert)
            );
            let inserted = txn.execute(&insert, &[]).await.doing(doing)?;
            if inserted != expected.inserted {
                return Err(left_out::error(txn, target, expected.inserted.saturating_sub(inserted)).await);
            }
        }
        Ok(Applied::Done(counts))
    }

    /// How many rows that were to be updated are not there, and how many have other values although this transaction
    /// did not write them.
    async fn not_updated(
        &self,
        txn: &Transaction<'_>,
        live: &str,
    ) -> Result<[u64; 2], tokio_postgres::Error> {
        let key = self.mapping.key_names().first().map(|key| ident::quote(key)).unwrap_or_default();
        let count = format!(
            "SELECT count(*) FILTER (WHERE t.{key} IS NULL),
                 count(*) FILTER (WHERE t.{key} IS NOT NULL AND t.xmin <> pg_current_xact_id()::xid AND {})
             FROM {} AS s LEFT JOIN {live} AS t ON {} WHERE {}",
            differs("t", "s", self.mapping),
            self.sql(),
            same_key("t", "s", self.mapping),
            self.marked("s", Fate::Update),
        );
        let row = txn.query_one(&count, &[]).await?;
        Ok([row.get::<_, i64>(0), row.get(1)].map(|n| u64::try_from(n).unwrap_or_default()))
    }
}
