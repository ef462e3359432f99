//! What can go wrong while a Delta table is written.

use std::path::PathBuf;

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;

/// A failure of this crate. Each names the table, file or column concerned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaWriteError {
    /// The folder has no `_delta_log` with a first commit or a checkpoint.
    #[error("{} is not a Delta table: its _delta_log folder holds no commit", path.display())]
    NotATable {
        /// The folder that was opened.
        path: PathBuf,
    },
    /// A table is to be created where one already is.
    #[error("{} already holds a Delta table; open it, or choose another folder", path.display())]
    AlreadyExists {
        /// The folder of the existing table.
        path: PathBuf,
    },
    /// Another writer committed this version first. Nothing of this commit is visible:
    /// refresh the table and decide again.
    #[error("version {version} of {} was committed by another writer; refresh the table and try again", path.display())]
    Conflict {
        /// The table's folder.
        path: PathBuf,
        /// The version that the other writer took.
        version: u64,
    },
    /// The table uses a feature that this writer must not touch.
    #[error("{} cannot be written: {feature} is not supported by this writer", path.display())]
    UnsupportedFeature {
        /// The table's folder.
        path: PathBuf,
        /// The protocol version, table feature or log action in question.
        feature: String,
    },
    /// A column's Arrow type has no counterpart in Delta, or the reverse.
    #[error("column {column}: the type {data_type} cannot be stored in a Delta table by this writer")]
    UnsupportedType {
        /// The column, nested fields separated by dots.
        column: String,
        /// The type as the source names it.
        data_type: String,
    },
    /// Rows do not fit the table's schema.
    #[error("column {column} of {}: {reason}", path.display())]
    ColumnMismatch {
        /// The table's folder.
        path: PathBuf,
        /// The column in question.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The keys given for a change by key cannot be used.
    #[error("key of {}: {reason}", path.display())]
    Key {
        /// The table's folder.
        path: PathBuf,
        /// What is wrong with the key.
        reason: String,
    },
    /// A file of the log does not read as the Delta protocol says.
    #[error("{}: {reason}", path.display())]
    MalformedLog {
        /// The file of the log.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system refused.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The file system's answer.
        source: std::io::Error,
    },
    /// A Parquet file could not be written or read.
    #[error("{} cannot be read or written as Parquet", path.display())]
    Parquet {
        /// The Parquet file.
        path: PathBuf,
        /// The Parquet library's answer.
        source: ParquetError,
    },
    /// A computation on Arrow data failed, often inside a caller's filter or update function.
    #[error("the rows to write cannot be computed")]
    Arrow(#[from] ArrowError),
}

/// Attaches the path to a file system error.
pub(crate) fn io_at(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> DeltaWriteError {
    let path = path.into();
    move |source| DeltaWriteError::Io { path, source }
}

/// Attaches the path to a Parquet error.
pub(crate) fn parquet_at(path: impl Into<PathBuf>) -> impl FnOnce(ParquetError) -> DeltaWriteError {
    let path = path.into();
    move |source| DeltaWriteError::Parquet { path, source }
}
