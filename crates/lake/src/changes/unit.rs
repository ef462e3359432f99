//! Changed rows of one file.

use crate::LakeError;
use crate::kernel_error::Reading;
use crate::scan::{Batches, ScanUnit, plain};
use arrow_array::{Array, BooleanArray, RecordBatch, cast::AsArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;
use lakefront_model::Version;

/// The column of change data files that says what happened to a row (Delta protocol, section "Change Data Files").
pub(super) const CHANGE_TYPE: &str = "_change_type";

/// What the rows of a unit are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// rows that were there before and are not after
    Deleted,
    /// rows of both kinds, as each one says
    Recorded,
    /// rows that are there after and were not before
    Inserted,
}

/// What happened to one row. An update deletes what the row was and inserts what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowChange {
    /// `delete` or `update_preimage`
    Deleted,
    /// `insert` or `update_postimage`
    Inserted,
}

/// Changed rows of one file, all of one commit.
#[derive(Debug, Clone)]
pub struct ChangeUnit {
    /// the commit's version
    pub version: Version,
    /// what its rows are
    pub kind: ChangeKind,
    /// about how many rows of the table it takes out or replaces; None where the log does not tell
    pub(super) replaced: Option<u64>,
    pub(super) rows: ScanUnit,
    pub(super) reading: Reading,
}

/// Some changed rows.
#[derive(Debug, Clone)]
pub struct ChangeBatch {
    /// the rows, the table's columns first
    pub rows: RecordBatch,
    /// what happened to each
    pub changes: Vec<RowChange>,
}

impl ChangeUnit {
    /// The same, known to hold new rows only.
    pub(super) fn replacing_none(self) -> Self {
        Self { replaced: Some(0), ..self }
    }

    /// Its bytes in the file.
    pub fn bytes(&self) -> u64 {
        self.rows.bytes()
    }

    /// Reads its rows. Blocks, so it belongs on a thread for blocking work. The first error ends it.
    pub fn read(&self) -> impl Iterator<Item = Result<ChangeBatch, LakeError>> + use<> {
        self.changes(self.rows.read())
    }

    /// The same rows with only some of the table's columns, at these places. None where that would not spare reading, and
    /// for rows of both kinds, whose last column is needed.
    pub fn narrowed(&self, columns: &[usize]) -> Option<Self> {
        if self.kind == ChangeKind::Recorded {
            return None;
        }
        Some(Self { rows: self.rows.narrowed(columns)?, ..self.clone() })
    }

    /// The same rows with texts as `Utf8View`, of use where they are only compared. None where that is not to be had, and
    /// for rows of both kinds, which are told apart by a text.
    pub fn with_views(&self) -> Option<Self> {
        if self.kind == ChangeKind::Recorded {
            return None;
        }
        Some(Self { rows: self.rows.with_views()?, ..self.clone() })
    }

    /// Reads only some of its rows: one bit for each row that [`read`](Self::read) gives, in its order.
    pub fn read_only(
        &self,
        wanted: BooleanBuffer,
    ) -> impl Iterator<Item = Result<ChangeBatch, LakeError>> + use<> {
        self.changes(self.rows.read_only(wanted))
    }

    fn changes(&self, batches: Batches) -> impl Iterator<Item = Result<ChangeBatch, LakeError>> + use<> {
        let (kind, reading) = (self.kind, self.reading.clone());
        batches.map(move |batch| {
            let rows = batch?;
            let changes = match kind {
                ChangeKind::Deleted => vec![RowChange::Deleted; rows.num_rows()],
                ChangeKind::Inserted => vec![RowChange::Inserted; rows.num_rows()],
                ChangeKind::Recorded => recorded(&reading, &rows)?,
            };
            Ok(ChangeBatch { rows, changes })
        })
    }
}

impl ChangeBatch {
    /// Some of its rows: those whose bit is set. Texts become `Utf8` where they were read as views, which would keep whole
    /// pages in memory.
    ///
    /// # Errors
    /// When there is not a bit for each row.
    pub fn only(&self, wanted: BooleanBuffer) -> Result<Self, ArrowError> {
        let changes =
            self.changes.iter().zip(&wanted).filter(|(_, wanted)| *wanted).map(|(change, _)| *change);
        let changes = changes.collect();
        Ok(Self { rows: plain(filter_record_batch(&self.rows, &BooleanArray::from(wanted))?)?, changes })
    }
}

fn recorded(reading: &Reading, rows: &RecordBatch) -> Result<Vec<RowChange>, LakeError> {
    let column = rows.columns().last().filter(|column| *column.data_type() == DataType::Utf8);
    let column = column.ok_or_else(|| reading.damaged("its rows do not say what happened to them"))?;
    let read = |text: Option<&str>| match text {
        Some("insert" | "update_postimage") => Ok(RowChange::Inserted),
        Some("delete" | "update_preimage") => Ok(RowChange::Deleted),
        other => Err(reading.damaged(format!("a row's {CHANGE_TYPE} is {other:?}"))),
    };
    column.as_string::<i32>().iter().map(read).collect()
}
