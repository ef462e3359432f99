//! The outcome of a commit, and what a caller may say about one.

/// Rows that a commit changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows that were not there before.
    pub inserted: u64,
    /// Rows with a new image.
    pub updated: u64,
    /// Rows that are gone.
    pub deleted: u64,
}

/// The outcome of [`DeltaTable::commit`](crate::DeltaTable::commit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// The table's version now.
    pub version: u64,
    /// False when there was nothing to do: then no commit was written and `version` is the one before.
    pub written: bool,
    /// The commit's own timestamp, milliseconds since 1970.
    pub timestamp: i64,
    /// The rows that changed.
    pub rows: RowCounts,
    /// Data files that became part of the table.
    pub files_added: usize,
    /// Data files that left it.
    pub files_removed: usize,
}

/// What a caller may say about a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitOptions {
    /// The commit's timestamp in milliseconds since 1970; the clock's time when absent. Either
    /// way it is moved to be later than the commit before.
    pub timestamp: Option<i64>,
    /// A remark for people, `userMetadata` in the log.
    pub note: Option<String>,
}
