//! Rows that a deletion vector takes out of a file.

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use std::sync::Arc;

/// The deleted rows of a file, and how far its reading has come.
#[derive(Debug)]
pub(crate) struct Deletions {
    /// row numbers in the file, ascending
    rows: Arc<Vec<u64>>,
    /// the first of them that is not passed
    next: usize,
}

impl Deletions {
    /// Starts at a row of the file.
    pub(crate) fn starting_at(rows: Arc<Vec<u64>>, row: u64) -> Self {
        let next = rows.partition_point(|&deleted| deleted < row);
        Self { rows, next }
    }

    /// Takes the deleted rows out of the batch that starts at row `first` of the file.
    pub(crate) fn apply(&mut self, batch: RecordBatch, first: u64) -> Result<RecordBatch, ArrowError> {
        let end = first + batch.num_rows() as u64;
        let rest = self.rows.get(self.next..).unwrap_or_default();
        let deleted = rest.get(..rest.partition_point(|&row| row < end)).unwrap_or_default();
        if deleted.is_empty() {
            return Ok(batch);
        }
        self.next += deleted.len();
        let mut kept = vec![true; batch.num_rows()];
        for row in deleted {
            let place = row.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            if let Some(kept) = place.and_then(|place| kept.get_mut(place)) {
                *kept = false;
            }
        }
        filter_record_batch(&batch, &BooleanArray::from(kept))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{ArrayRef, Int64Array};

    fn rows(range: std::ops::Range<i64>) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(range));
        RecordBatch::try_from_iter([("row", column)]).unwrap()
    }

    fn kept(batch: &RecordBatch) -> Vec<i64> {
        let column = batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
        column.values().to_vec()
    }

    #[test]
    fn batches_in_a_row_lose_their_own_rows() {
        let deleted = Arc::new(vec![0, 3, 4, 9]);
        let mut deletions = Deletions::starting_at(deleted, 0);
        assert_eq!(kept(&deletions.apply(rows(0..4), 0).unwrap()), [1, 2]);
        assert_eq!(kept(&deletions.apply(rows(4..6), 4).unwrap()), [5]);
        assert_eq!(kept(&deletions.apply(rows(6..9), 6).unwrap()), [6, 7, 8]);
        assert!(kept(&deletions.apply(rows(9..10), 9).unwrap()).is_empty());
    }

    #[test]
    fn a_later_start_skips_what_is_before() {
        let mut deletions = Deletions::starting_at(Arc::new(vec![1, 5, 7]), 5);
        assert_eq!(kept(&deletions.apply(rows(5..9), 5).unwrap()), [6, 8]);
    }
}
