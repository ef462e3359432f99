//! The live table follows the source's shape, and no reader is held up by it for long.

use crate::SyncError;
use crate::run::Run;
use lakefront_postgres::PgError;
use lakefront_postgres::table::{self, DroppedColumn, ShapeChange, TableShape};
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

/// How long the moment of change waits for its locks before it gives way to whoever holds them and tries again:
/// a waiting lock holds up the readers that come after it, and none may be held up by more than 100 ms.
const LOCK_TIMEOUT: Duration = Duration::from_millis(80);
/// Tries of the moment of change, with a pause between that grows to [`LONGEST_PAUSE`].
const LOCK_TRIES: u32 = 30;
/// The longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Steps that lock the live table.
enum Step<'a> {
    /// columns renamed, widened, added; declared columns that the shape lacks
    Alter(&'a ShapeChange, Option<&'a TableShape>),
    /// a column that the source no longer has
    Drop(&'a str),
}

/// A column that the source no longer has and that stays, NULL, as something depends on it.
pub(crate) struct KeptColumn {
    pub name: String,
    /// what is to be said of it
    pub told: String,
}

impl Run<'_> {
    /// Gives the live table the columns that are wanted, in a short transaction of its own: the data that fills them
    /// may take long to apply, and a lock on the table would hold readers up as long.
    pub(crate) async fn prepare_live(
        &self,
        control: &mut Client,
        live: &TableShape,
        change: &ShapeChange,
    ) -> Result<(), SyncError> {
        let lacks_generated = self
            .request
            .spec
            .generated_columns
            .iter()
            .any(|g| !live.columns.iter().any(|c| c.name == g.name));
        if !alters(change) && !lacks_generated {
            return Ok(());
        }
        let begun = self.engine.begin(control, std::slice::from_ref(self)).await;
        let mut txn = begun.map_err(|stopped| stopped.error)?;
        self.in_a_moment(&mut txn, &Step::Alter(change, Some(live))).await?;
        self.engine.commit_plain(txn, "committing the new columns").await
    }

    /// Gives the live table the columns that are wanted, in the transaction with their data.
    pub(crate) async fn alter_with_data(
        &self,
        txn: &mut Transaction<'_>,
        change: &ShapeChange,
    ) -> Result<(), SyncError> {
        if alters(change) {
            self.in_a_moment(txn, &Step::Alter(change, None)).await?;
        }
        Ok(())
    }

    /// Drops columns that the source no longer has. Returns those that have to stay.
    pub(crate) async fn drop_columns(
        &self,
        txn: &mut Transaction<'_>,
        change: &ShapeChange,
    ) -> Result<Vec<KeptColumn>, SyncError> {
        let mut kept = Vec::new();
        if change.surplus.is_empty() && change.kept.is_empty() {
            return Ok(kept);
        }
        let checking = |e| PgError::new(format!("checking the constraints of {}", self.target()), e);
        // A table with checks that are still to come cannot be altered. Those of the tables after it may wait again.
        txn.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await.map_err(checking)?;
        for name in change.surplus.iter().chain(&change.kept) {
            let told = self.in_a_moment(txn, &Step::Drop(name)).await?;
            kept.extend(told.map(|told| KeptColumn { name: name.clone(), told }));
        }
        txn.batch_execute("SET CONSTRAINTS ALL DEFERRED").await.map_err(checking)?;
        Ok(kept)
    }

    /// Carries a step out, giving way to whoever holds the table's lock and trying again.
    async fn in_a_moment(
        &self,
        txn: &mut Transaction<'_>,
        step: &Step<'_>,
    ) -> Result<Option<String>, SyncError> {
        let doing = |e| PgError::new("changing the table's columns", e);
        let limit = |millis: u128| format!("SET LOCAL lock_timeout = {millis}");
        txn.batch_execute(&limit(LOCK_TIMEOUT.as_millis())).await.map_err(doing)?;
        let mut attempt = 0;
        let told = loop {
            attempt += 1;
            let mut point = txn.transaction().await.map_err(doing)?;
            match self.step(&mut point, step).await {
                Ok(told) => {
                    point.commit().await.map_err(doing)?;
                    break told;
                }
                Err(e) if e.sqlstate() == Some(&SqlState::LOCK_NOT_AVAILABLE) && attempt < LOCK_TRIES => {
                    point.rollback().await.map_err(doing)?;
                    tokio::time::sleep(Duration::from_millis(50 * u64::from(attempt)).min(LONGEST_PAUSE))
                        .await;
                }
                Err(e) => return Err(e.into()),
            }
        };
        txn.batch_execute(&limit(0)).await.map_err(doing)?;
        Ok(told)
    }

    async fn step(&self, point: &mut Transaction<'_>, step: &Step<'_>) -> Result<Option<String>, PgError> {
        let target = self.target();
        match step {
            Step::Alter(change, live) => {
                table::alter(point, target, &self.goal.mapping, change).await?;
                if let Some(live) = live {
                    table::add_generated_columns(point, target, live, &self.request.spec.generated_columns)
                        .await?;
                }
                Ok(None)
            }
            Step::Drop(column) => match table::drop_column(point, target, column).await? {
                DroppedColumn::Dropped => Ok(None),
                DroppedColumn::Kept(message) => Ok(Some(message)),
            },
        }
    }
}

/// Whether anything is to be done before the data comes.
fn alters(change: &ShapeChange) -> bool {
    !(change.renamed.is_empty()
        && change.widened.is_empty()
        && change.relaxed.is_empty()
        && change.missing.is_empty())
}
