//! Rows that a deletion vector takes out of a file, or the only ones that are wanted of it.

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use std::sync::Arc;

/// Rows of a file by their numbers.
#[derive(Debug, Clone)]
pub(crate) struct ListedRows {
    /// row numbers in the file, ascending
    pub(crate) rows: Arc<Vec<u64>>,
    /// whether these are the rows to keep, rather than those to pass over
    pub(crate) keep_listed: bool,
}

/// The listed rows of a file, and how far its reading has come.
#[derive(Debug)]
pub(crate) struct Deletions {
    listed: ListedRows,
    /// the first of them that is not passed
    next: usize,
}

impl Deletions {
    /// Starts at a row of the file.
    pub(crate) fn starting_at(listed: ListedRows, row: u64) -> Self {
        let next = listed.rows.partition_point(|&number| number < row);
        Self { listed, next }
    }

    /// Takes the rows that are not wanted out of the batch that starts at row `first` of the file.
    pub(crate) fn apply(&mut self, batch: RecordBatch, first: u64) -> Result<RecordBatch, ArrowError> {
        let end = first + batch.num_rows() as u64;
        let rest = self.listed.rows.get(self.next..).unwrap_or_default();
        let here = rest.get(..rest.partition_point(|&row| row < end)).unwrap_or_default();
        let keep_listed = self.listed.keep_listed;
        if here.is_empty() {
            return Ok(if keep_listed { batch.slice(0, 0) } else { batch });
        }
        self.next += here.len();
        let mut kept = vec![!keep_listed; batch.num_rows()];
        for row in here {
            let place = row.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            if let Some(kept) = place.and_then(|place| kept.get_mut(place)) {
                *kept = keep_listed;
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

    fn listed(rows: &[u64], keep_listed: bool) -> ListedRows {
        ListedRows { rows: Arc::new(rows.to_vec()), keep_listed }
    }

    fn kept(batch: &RecordBatch) -> Vec<i64> {
        let column = batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
        column.values().to_vec()
    }

    #[test]
    fn batches_in_a_row_lose_their_own_rows() {
        let mut deletions = Deletions::starting_at(listed(&[0, 3, 4, 9], false), 0);
        assert_eq!(kept(&deletions.apply(rows(0..4), 0).unwrap()), [1, 2]);
        assert_eq!(kept(&deletions.apply(rows(4..6), 4).unwrap()), [5]);
        assert_eq!(kept(&deletions.apply(rows(6..9), 6).unwrap()), [6, 7, 8]);
        assert!(kept(&deletions.apply(rows(9..10), 9).unwrap()).is_empty());
    }

    #[test]
    fn a_later_start_skips_what_is_before() {
        let mut deletions = Deletions::starting_at(listed(&[1, 5, 7], false), 5);
        assert_eq!(kept(&deletions.apply(rows(5..9), 5).unwrap()), [6, 8]);
    }

    #[test]
    fn listed_rows_can_be_the_ones_to_keep() {
        let mut deletions = Deletions::starting_at(listed(&[1, 5, 7], true), 0);
        assert_eq!(kept(&deletions.apply(rows(0..4), 0).unwrap()), [1]);
        assert!(kept(&deletions.apply(rows(4..5), 4).unwrap()).is_empty());
        assert_eq!(kept(&deletions.apply(rows(5..9), 5).unwrap()), [5, 7]);
    }
}
