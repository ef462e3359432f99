//! How many rows files hold of which the log has only the size, as of removed files and of recorded changes.

use super::commit::{Commit, FileAction};

/// What a row takes in the table's files, as those of the range's files tell whose rows the log has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Density {
    bytes: u64,
    rows: u64,
}

impl Density {
    pub(super) fn of(commits: &[Commit]) -> Self {
        let counted = commits.iter().flat_map(Commit::files).filter_map(|file| Some((file.size, file.rows?)));
        counted.fold(Self::default(), |sum, (bytes, rows)| Self {
            bytes: sum.bytes.saturating_add(bytes),
            rows: sum.rows.saturating_add(rows),
        })
    }

    /// About how many rows a file holds; None when nothing tells.
    pub(super) fn rows(self, file: &FileAction) -> Option<u64> {
        let by_size = || {
            let rows = u128::from(file.size) * u128::from(self.rows) / u128::from(self.bytes.max(1));
            (file.size > 0 && rows > 0).then(|| u64::try_from(rows).unwrap_or(u64::MAX))
        };
        file.rows.or_else(by_size)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Location;
    use crate::kernel_error::Reading;

    #[test]
    fn uncounted_files_are_judged_by_the_counted_ones() {
        let reading = Reading::log(&Location::parse("/tables/t").unwrap());
        let text = r#"{"add":{"path":"a","size":1000,"stats":"{\"numRecords\":100,\"minValues\":{\"id\":1}}"}}
            {"add":{"path":"b","size":3000,"stats":"{\"numRecords\":100}"}}
            {"add":{"path":"c","size":500,"stats":"not JSON"}}
            {"remove":{"path":"d","size":2000}}
            {"remove":{"path":"e"}}"#;
        let commit = Commit::parse(&reading, 1, text.as_bytes()).unwrap();
        let density = Density::of(std::slice::from_ref(&commit));
        let rows: Vec<_> = commit.files().map(|file| density.rows(file)).collect();
        assert_eq!(rows, [Some(100), Some(100), Some(25), Some(100), None]);
        assert_eq!(Density::default().rows(&commit.removed[0]), None);
    }
}
