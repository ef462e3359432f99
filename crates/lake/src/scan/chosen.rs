//! Chosen rows of a unit as rows of its file.

use super::deletions::ListedRows;
use arrow_array::BooleanArray;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use std::ops::Range;

/// `wanted` has a bit for each of the unit's rows: those in `rows`, counted from row `base` of the file, that `listed`
/// leaves. The selection counts from `base` as well. None when it has another number of bits.
pub(super) fn of_file(
    wanted: &BooleanBuffer,
    listed: Option<ListedRows>,
    base: u64,
    rows: &Range<u64>,
) -> Option<RowSelection> {
    let skipped = usize::try_from(rows.start).ok()?;
    let len = usize::try_from(rows.end - rows.start).ok()?;
    let in_file = match listed {
        None => wanted.clone(),
        Some(listed) => spread(wanted, &listed, base + rows.start, len)?,
    };
    if in_file.len() != len {
        return None;
    }
    let mut selectors = vec![RowSelector::skip(skipped)];
    selectors.extend::<Vec<_>>(RowSelection::from_filters(&[BooleanArray::from(in_file)]).into());
    Some(selectors.into())
}

/// The same with a bit for each of `len` rows of the file from row `first`.
fn spread(wanted: &BooleanBuffer, listed: &ListedRows, first: u64, len: usize) -> Option<BooleanBuffer> {
    let start = listed.rows.partition_point(|&row| row < first);
    let mut here = listed.rows.iter().skip(start).peekable();
    let mut wanted = wanted.iter();
    let mut bits = BooleanBufferBuilder::new(len);
    for row in first..first + len as u64 {
        let is_listed = here.next_if(|&&listed| listed == row).is_some();
        bits.append(if is_listed == listed.keep_listed { wanted.next()? } else { false });
    }
    wanted.next().is_none().then(|| bits.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Arc;

    fn chosen(
        wanted: &[bool],
        listed: Option<(&[u64], bool)>,
        base: u64,
        rows: Range<u64>,
    ) -> Option<Vec<u64>> {
        let listed =
            listed.map(|(rows, keep_listed)| ListedRows { rows: Arc::new(rows.to_vec()), keep_listed });
        let selection = of_file(&BooleanBuffer::from(wanted), listed, base, &rows)?;
        let mut at = 0;
        let mut found = Vec::new();
        for selector in selection.iter() {
            let next = at + selector.row_count as u64;
            if !selector.skip {
                found.extend(at..next);
            }
            at = next;
        }
        Some(found)
    }

    #[test]
    fn rows_count_from_the_row_groups() {
        assert_eq!(chosen(&[true, false, true, true], None, 100, 5..9), Some(vec![5, 7, 8]));
        assert_eq!(chosen(&[false; 3], None, 0, 0..3), Some(vec![]));
    }

    #[test]
    fn deleted_rows_have_no_bit() {
        let listed = (&[3, 101, 102, 104][..], false);
        assert_eq!(chosen(&[true, false, true], Some(listed), 100, 0..6), Some(vec![0, 5]));
    }

    #[test]
    fn of_listed_rows_only_those_have_a_bit() {
        let listed = (&[3, 101, 102, 104, 200][..], true);
        assert_eq!(chosen(&[true, false, true], Some(listed), 100, 0..6), Some(vec![1, 4]));
    }

    #[test]
    fn another_number_of_rows_is_noticed() {
        assert_eq!(chosen(&[true; 3], None, 0, 0..4), None);
        assert_eq!(chosen(&[true; 3], Some((&[0], false)), 0, 0..3), None);
        assert_eq!(chosen(&[true], Some((&[0], false)), 0, 0..3), None);
    }
}
