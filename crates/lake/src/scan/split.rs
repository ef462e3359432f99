//! How the rows of a large file are divided into units.

use std::ops::Range;

/// Rows of a unit inside a row group are never fewer, as each such unit decodes the group's dictionaries again.
const LEAST_ROWS: u64 = 16_384;

/// Some rows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// all of them
    Whole,
    /// whole row groups
    RowGroups(Range<usize>),
    /// rows inside one row group, counted from its start
    Rows {
        /// the row group
        row_group: usize,
        /// its rows
        rows: Range<u64>,
    },
}

/// What the division needs to know of a row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowGroupSize {
    pub(crate) rows: u64,
    /// compressed bytes in the file
    pub(crate) bytes: u64,
}

/// Divides row groups into parts of about `unit_bytes`: small groups are put together, large ones are divided by
/// rows where `inside` allows it. Each row is in exactly one part. The parts' bytes add up to the groups'.
pub(crate) fn split(row_groups: &[RowGroupSize], unit_bytes: u64, inside: bool) -> Vec<(Part, u64)> {
    let unit_bytes = unit_bytes.max(1);
    let mut parts = Vec::new();
    let mut start = 0;
    let mut gathered = 0;
    for (index, group) in row_groups.iter().enumerate() {
        if gathered > 0 && gathered + group.bytes > unit_bytes {
            parts.push((Part::RowGroups(start..index), gathered));
            (start, gathered) = (index, 0);
        }
        let pieces = group.bytes.div_ceil(unit_bytes).min(group.rows / LEAST_ROWS);
        if inside && pieces > 1 {
            if start < index {
                parts.push((Part::RowGroups(start..index), gathered));
            }
            divide(index, *group, pieces, &mut parts);
            (start, gathered) = (index + 1, 0);
        } else {
            gathered += group.bytes;
        }
    }
    if start < row_groups.len() {
        parts.push((Part::RowGroups(start..row_groups.len()), gathered));
    }
    parts
}

fn divide(row_group: usize, size: RowGroupSize, pieces: u64, parts: &mut Vec<(Part, u64)>) {
    // Products of 64-bit counts can need more than 64 bits.
    let share = |of: u64, piece: u64| {
        u64::try_from(u128::from(of) * u128::from(piece) / u128::from(pieces)).unwrap_or(of)
    };
    for piece in 0..pieces {
        let rows = share(size.rows, piece)..share(size.rows, piece + 1);
        let bytes = share(size.bytes, piece + 1) - share(size.bytes, piece);
        parts.push((Part::Rows { row_group, rows }, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(sizes: &[(u64, u64)]) -> Vec<RowGroupSize> {
        sizes.iter().map(|&(rows, bytes)| RowGroupSize { rows, bytes }).collect()
    }

    /// Rows that a part covers, as ranges of the file's rows.
    fn covered(groups: &[RowGroupSize], parts: &[(Part, u64)]) -> Vec<Range<u64>> {
        let before = |group: usize| groups.iter().take(group).map(|g| g.rows).sum::<u64>();
        let rows_of = |part: &Part| match part {
            Part::Whole => 0..before(groups.len()),
            Part::RowGroups(range) => before(range.start)..before(range.end),
            Part::Rows { row_group, rows } => before(*row_group) + rows.start..before(*row_group) + rows.end,
        };
        parts.iter().map(|(part, _)| rows_of(part)).collect()
    }

    #[test]
    fn each_row_is_in_one_part() {
        let cases = [
            groups(&[]),
            groups(&[(0, 0), (10, 5), (0, 0)]),
            groups(&[(1_000_000, 100)]),
            groups(&[(100_000, 100), (10, 1), (10, 1), (2_000_000, 1000), (1, 1)]),
            groups(&[(1_000_003, 97), (1_000_003, 101), (999, 3), (17, 60)]),
            groups(&[(20_000, 50); 9]),
        ];
        for case in cases {
            for unit_bytes in [0, 1, 7, 30, 100, 5000] {
                for inside in [false, true] {
                    let parts = split(&case, unit_bytes, inside);
                    let mut next = 0;
                    for rows in covered(&case, &parts) {
                        assert_eq!(rows.start, next, "{case:?} {unit_bytes} {parts:?}");
                        next = rows.end;
                    }
                    assert_eq!(next, case.iter().map(|g| g.rows).sum::<u64>());
                    let bytes: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
                    assert_eq!(bytes, case.iter().map(|g| g.bytes).sum::<u64>());
                }
            }
        }
    }

    #[test]
    fn sizes_are_about_what_is_asked() {
        let parts = split(&groups(&[(1_000_000, 64)]), 16, true);
        assert_eq!(parts.len(), 4);
        assert!(parts.iter().all(|(_, bytes)| *bytes == 16));
        assert_eq!(split(&groups(&[(1_000_000, 64)]), 16, false).len(), 1);
        assert_eq!(split(&groups(&[(10, 5); 8]), 16, true).len(), 3, "small groups go together");
    }
}
