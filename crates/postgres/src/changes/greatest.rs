//! Changed rows of a table with a timeseries key: of all rows that share a key, the copy holds the greatest.
//!
//! Rows that the source got are marked [`Fate::Insert`], those that it lost [`Fate::Delete`]. Where a key's greatest row
//! went and no greater one came, the next one is among the rows that did not change; they are looked for at the source
//! and marked [`Fate::Update`].

use super::{ChangeStage, Fate, plan_as_usual};
use crate::difference::{Counts, differs};
use crate::error::Doing;
use crate::keys::{by_greatness, is_greater, same_key};
use crate::{PgResult, ident, left_out};
use lakefront_model::{QualifiedName, TargetColumn};
use tokio_postgres::Transaction;

/// Up to so many changed rows, the planner needs no statistics of them.
const FEW: u64 = 1000;

/// What the rows that went were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Lost {
    /// lesser ones, or others came that are greater
    Lesser,
    /// some were the greatest of their keys, and which is the next one is not known
    Greatest,
    /// greater than what the copy holds: it does not hold what it should
    Unknown,
}

/// The rows of a [`ChangeStage`] on their way into a table with a timeseries key.
pub struct Greatest<'a> {
    /// the changed rows
    pub stage: &'a ChangeStage<'a>,
    /// the live table
    pub target: &'a QualifiedName,
    /// the timeseries key
    pub by: &'a TargetColumn,
}

impl Greatest<'_> {
    /// Leaves of the rows that came the greatest of each key, and weighs those that went against it and the copy, which
    /// has about `live_rows`.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn weigh(&self, txn: &Transaction<'_>, staged: Counts, live_rows: i64) -> PgResult<Lost> {
        let (live, stage) = (ident::qualified(self.target), self.stage.sql());
        let all = staged.inserted + staged.deleted;
        if all > FEW {
            self.analyze(txn).await?;
        } else {
            self.stage.look_up_keys(txn, all, live_rows).await.doing(|| self.doing())?;
        }
        if staged.inserted > 1 {
            self.keep_greatest(txn, Fate::Insert).await?;
        }
        if staged.deleted == 0 {
            return Ok(Lost::Lesser);
        }
        let unknown = format!(
            "SELECT EXISTS (SELECT FROM {stage} AS l WHERE {} AND NOT EXISTS (SELECT FROM {live} AS t WHERE {} AND NOT {}))",
            self.stage.marked("l", Fate::Delete),
            self.same("t", "l"),
            self.greater("l", "t"),
        );
        if txn.query_one(&unknown, &[]).await.doing(|| self.doing())?.get(0) {
            return Ok(Lost::Unknown);
        }
        let greatest = format!(
            "SELECT EXISTS (SELECT FROM {stage} AS l JOIN {live} AS t ON {} WHERE {} AND NOT {}
                 AND NOT EXISTS (SELECT FROM {stage} AS s WHERE {} AND {} AND {}))",
            self.same("t", "l"),
            self.stage.marked("l", Fate::Delete),
            self.greater("t", "l"),
            self.stage.marked("s", Fate::Insert),
            self.same("s", "t"),
            self.greater("s", "t"),
        );
        let found = txn.query_one(&greatest, &[]).await.doing(|| self.doing())?.get(0);
        Ok(if found { Lost::Greatest } else { Lost::Lesser })
    }

    /// Puts the greatest of the rows that were looked for in the place of each that went; a key that has none goes.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn replace_lost(&self, txn: &Transaction<'_>) -> PgResult<Counts> {
        let (live, stage) = (ident::qualified(self.target), self.stage.sql());
        // However few rows changed, many may have been looked for.
        plan_as_usual(txn).await?;
        self.keep_greatest(txn, Fate::Update).await?;
        self.analyze(txn).await?;
        let went = format!(
            "EXISTS (SELECT FROM {stage} AS l WHERE {} AND {} AND NOT {})",
            self.stage.marked("l", Fate::Delete),
            self.same("t", "l"),
            self.greater("t", "l"),
        );
        let next = format!("{} AND {}", self.stage.marked("s", Fate::Update), self.same("t", "s"));
        let delete = format!(
            "DELETE FROM {live} AS t WHERE {went} AND NOT EXISTS (SELECT FROM {stage} AS s WHERE {next})"
        );
        let deleted = txn.execute(&delete, &[]).await.doing(|| self.doing())?;
        let update = format!(
            "{} WHERE {next} AND {went} AND {}",
            self.update(),
            differs("t", "s", self.stage.mapping)
        );
        let updated = txn.execute(&update, &[]).await.doing(|| self.doing())?;
        Ok(Counts { updated, deleted, ..Counts::default() })
    }

    /// Takes the rows that came and are greater than the copy's, or of keys that it has not.
    ///
    /// # Errors
    /// When the server refuses, or rows are left out.
    pub async fn take_greater(&self, txn: &Transaction<'_>) -> PgResult<Counts> {
        let came = self.stage.marked("s", Fate::Insert);
        let (same, greater) = (self.same("t", "s"), self.greater("s", "t"));
        let update = format!("{} WHERE {came} AND {same} AND {greater}", self.update());
        let updated = txn.execute(&update, &[]).await.doing(|| self.doing())?;
        let (live, stage) = (ident::qualified(self.target), self.stage.sql());
        let columns = ident::list(self.stage.names());
        let insert = format!(
            "INSERT INTO {live} ({columns}) SELECT {} FROM {stage} AS s
             WHERE {came} AND NOT EXISTS (SELECT FROM {live} AS t WHERE {same})",
            ident::list_of("s", self.stage.names()),
        );
        let inserted = txn.execute(&insert, &[]).await.doing(|| self.doing())?;
        // How many should have been written is not known, and counting them is for tables where not all may have been.
        if !left_out::able_to(txn, self.target).await?.is_empty() {
            let missing = format!(
                "SELECT count(*) FROM {stage} AS s WHERE {came}
                     AND NOT EXISTS (SELECT FROM {live} AS t WHERE {same} AND NOT {greater})"
            );
            let missing: i64 = txn.query_one(&missing, &[]).await.doing(|| self.doing())?.get(0);
            if missing > 0 {
                let rows = u64::try_from(missing).unwrap_or_default();
                return Err(left_out::error(txn, self.target, rows).await);
            }
        }
        Ok(Counts { inserted, updated, deleted: 0 })
    }

    async fn keep_greatest(&self, txn: &Transaction<'_>, of: Fate) -> PgResult<()> {
        let lesser = format!(
            "DELETE FROM {stage} AS s USING (
                 SELECT s.ctid AS place, row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS rank
                 FROM {stage} AS s WHERE {of}) AS r
             WHERE s.ctid = r.place AND r.rank > 1",
            stage = self.stage.sql(),
            keys = ident::list_of("s", self.stage.mapping.key_names()),
            order = by_greatness("s", self.stage.mapping, self.by),
            of = self.stage.marked("s", of),
        );
        txn.execute(&lesser, &[]).await.doing(|| self.doing())?;
        Ok(())
    }

    async fn analyze(&self, txn: &Transaction<'_>) -> PgResult<()> {
        txn.batch_execute(&format!("ANALYZE {}", self.stage.sql())).await.doing(|| self.doing())
    }

    fn update(&self) -> String {
        let columns = ident::list(self.stage.names());
        let values = ident::list_of("s", self.stage.names());
        let (live, stage) = (ident::qualified(self.target), self.stage.sql());
        format!("UPDATE {live} AS t SET ({columns}) = ROW({values}) FROM {stage} AS s")
    }

    fn same(&self, a: &str, b: &str) -> String {
        same_key(a, b, self.stage.mapping)
    }

    fn greater(&self, a: &str, b: &str) -> String {
        is_greater(a, b, self.stage.mapping, self.by)
    }

    fn doing(&self) -> String {
        format!("applying the changes to {}", self.target)
    }
}
