//! Row changes inside one file: what the file holds afterwards, and what changed.

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use arrow_select::interleave::interleave_record_batch;

use crate::change_file::{ChangeType, RowChanges};
use crate::commit::RowCounts;
use crate::error::DeltaWriteError;

/// What becomes of a file's rows. No row is both deleted and updated.
pub(crate) struct Edit {
    /// Rows that go.
    pub delete: BooleanArray,
    /// Rows that get a new image.
    pub update: BooleanArray,
    /// The new images, one for each row marked in `update`, in their order.
    pub images: RecordBatch,
}

/// A file's content after an edit.
pub(crate) struct Edited {
    /// The rows that stay, updated ones in their old place.
    pub rows: RecordBatch,
    pub counts: RowCounts,
    /// Rows that stay as they were.
    pub copied: u64,
}

impl Edit {
    /// Whether any row changes.
    pub fn is_empty(&self) -> bool {
        self.delete.true_count() == 0 && self.update.true_count() == 0
    }

    /// Applies the edit to a file's rows and notes the row changes.
    pub fn apply(&self, rows: &RecordBatch, changes: &mut RowChanges) -> Result<Edited, DeltaWriteError> {
        let marked = |mask: &BooleanArray, row: usize| mask.is_valid(row) && mask.value(row);
        let mut sources = Vec::with_capacity(rows.num_rows());
        let mut counts = RowCounts::default();
        let mut next_image = 0;
        for row in 0..rows.num_rows() {
            if marked(&self.delete, row) {
                counts.deleted += 1;
            } else if marked(&self.update, row) {
                sources.push((1, next_image));
                next_image += 1;
                counts.updated += 1;
            } else {
                sources.push((0, row));
            }
        }
        let copied = sources.len() as u64 - counts.updated;
        changes.push(ChangeType::Delete, filter_record_batch(rows, &self.delete)?);
        changes.push(ChangeType::UpdatePreimage, filter_record_batch(rows, &self.update)?);
        changes.push(ChangeType::UpdatePostimage, self.images.clone());
        Ok(Edited { rows: interleave_record_batch(&[rows, &self.images], &sources)?, counts, copied })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::{ArrayRef, Int64Array};
    use std::sync::Arc;

    fn rows(values: &[i64]) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    #[test]
    fn updated_rows_keep_their_place_and_deleted_ones_leave() {
        let old = rows(&[10, 20, 30, 40]);
        let edit = Edit {
            delete: BooleanArray::from(vec![true, false, false, false]),
            update: BooleanArray::from(vec![Some(false), Some(true), None, Some(true)]),
            images: rows(&[21, 41]),
        };
        let mut changes = RowChanges::default();
        let edited = edit.apply(&old, &mut changes).unwrap();
        assert_eq!(edited.rows, rows(&[21, 30, 41]));
        let counts = RowCounts { inserted: 0, updated: 2, deleted: 1 };
        assert_eq!((edited.counts, edited.copied), (counts, 1));
        let recorded = changes.into_rows(&old.schema()).unwrap().unwrap();
        assert_eq!(recorded.num_rows(), 5);
    }
}
