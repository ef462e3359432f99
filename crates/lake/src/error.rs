//! What can go wrong when a lake is read.

use lakefront_model::Version;

/// Why a table could not be read. Each names the table's location, and the file or column where there is one;
/// [`LakeError::hint`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// text that cannot be a location
    #[error("\"{given}\" is not a place for a table: {reason}")]
    BadLocation {
        /// as given, secrets left out
        given: String,
        /// what is wrong with it
        reason: String,
    },
    /// nothing there
    #[error("{location}: no such folder")]
    NotFound {
        /// the table's location
        location: String,
    },
    /// a folder or file that is no Delta table
    #[error("{location} is not a Delta table: no _delta_log in it; {found}")]
    NotDelta {
        /// the table's location
        location: String,
        /// what is there instead
        found: String,
    },
    /// a table that needs more than this reader knows
    #[error("{location} uses {} of Delta that Lakefront cannot read: {}", plural(.features, "a feature", "features"), .features.join(", "))]
    UnsupportedFeature {
        /// the table's location
        location: String,
        /// the protocol's names of the features
        features: Vec<String>,
    },
    /// a column whose type this reader does not know
    #[error("{location}: column \"{column}\" has type {data_type}, which Lakefront cannot read")]
    UnsupportedType {
        /// the table's location
        location: String,
        /// the column, with dots into nested fields
        column: String,
        /// the type as the table's schema spells it
        data_type: String,
    },
    /// a log that contradicts itself or has gaps
    #[error("{location}: its transaction log is damaged: {detail}")]
    CorruptLog {
        /// the table's location
        location: String,
        /// what is wrong
        detail: String,
    },
    /// a file that belongs to the version read, and is gone
    #[error("{location}: file {file} belongs to the version read and is gone")]
    MissingFile {
        /// the table's location
        location: String,
        /// the file, relative to the table where it is inside
        file: String,
    },
    /// a file that cannot be decoded, or does not fit the table's schema
    #[error("{location}: file {file} cannot be read: {reason}")]
    UnreadableFile {
        /// the table's location
        location: String,
        /// the file, relative to the table where it is inside
        file: String,
        /// what is wrong with it
        reason: String,
    },
    /// refused by the store
    #[error("{location}: access denied: {reason}")]
    Access {
        /// the table's location
        location: String,
        /// the store's answer
        reason: String,
    },
    /// a version that the log does not hold, or no longer
    #[error("{location} has no version {version}: {}", range(.earliest, .latest))]
    VersionNotAvailable {
        /// the table's location
        location: String,
        /// the version asked for
        version: Version,
        /// the earliest that can be read
        earliest: Option<Version>,
        /// the latest there is
        latest: Option<Version>,
    },
    /// a column asked for that the table has not
    #[error("{location} has no column \"{column}\"; it has: {columns}")]
    NoSuchColumn {
        /// the table's location
        location: String,
        /// the column asked for
        column: String,
        /// the columns there are
        columns: String,
    },
    /// the store did not answer, or the disk failed
    #[error("{location}: {reason}")]
    Io {
        /// the table's location
        location: String,
        /// what happened
        reason: String,
    },
    /// settings from which no connection can be made
    #[error("{location}: its store cannot be opened: {reason}")]
    Settings {
        /// the table's location
        location: String,
        /// what is wrong
        reason: String,
    },
    /// a failure of the reader itself
    #[error("{location}: {reason}")]
    Internal {
        /// the table's location
        location: String,
        /// what happened
        reason: String,
    },
}

impl LakeError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BadLocation { .. } => {
                "give the folder that holds the table's _delta_log, as a path or as s3://bucket/folder"
            }
            Self::NotFound { .. } => {
                "check its spelling (of the bucket too), and that it is visible from this machine"
            }
            Self::NotDelta { .. } => "give the folder that holds _delta_log, not one above or below it",
            Self::UnsupportedFeature { .. } => {
                "drop the feature from the table (ALTER TABLE … DROP FEATURE), or copy the table without it"
            }
            Self::UnsupportedType { .. } => "leave the column out at the source, or change its type there",
            Self::CorruptLog { .. } => {
                "check that the table's own engine can read it; restore the missing log files, or make the table again"
            }
            Self::MissingFile { .. } => {
                "the table was probably vacuumed while it was read: read its latest version; if that one misses the file too, restore the file"
            }
            Self::UnreadableFile { .. } => {
                "check that the table's own engine can read this file; rewrite it there (OPTIMIZE, or overwrite the partition)"
            }
            Self::Access { .. } => {
                "check the credentials (AWS_*, GOOGLE_*, AZURE_* in the environment, or the machine's role) and that they may list and read the folder"
            }
            Self::VersionNotAvailable { .. } => "ask for one of the versions that are there",
            Self::NoSuchColumn { .. } => "check the column's spelling",
            Self::Io { .. } => "check that the store can be reached from this machine, then try again",
            Self::Settings { .. } => "check the AWS_*, GOOGLE_* or AZURE_* settings of this process",
            Self::Internal { .. } => "please report this, with the table's protocol and schema",
        }
    }

    /// Whether trying again later can help although nothing is changed.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Io { .. })
    }
}

fn plural(items: &[String], one: &'static str, many: &'static str) -> &'static str {
    if items.len() == 1 { one } else { many }
}

fn range(earliest: &Option<Version>, latest: &Option<Version>) -> String {
    match (earliest, latest) {
        (Some(earliest), Some(latest)) => format!("it has versions {earliest} to {latest}"),
        (None, Some(latest)) => format!("its latest is {latest}, and its log does not reach back further"),
        _ => "its log holds none that can be read".to_owned(),
    }
}
