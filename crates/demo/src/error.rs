//! What can go wrong with the demo.

use std::path::PathBuf;

use lakefront_delta_writer::DeltaWriteError;

/// A failure of the demo lake, its pictures or its activity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The folder of the demo's schema holds something that the demo did not write.
    #[error(
        "{} holds something that is not the demo's lake; choose another folder for the demo's data, or remove this one",
        path.display()
    )]
    NotTheDemo {
        /// The folder.
        path: PathBuf,
    },
    /// The activity's rate is no positive, finite number.
    #[error("the activity's rate must be a number above 0 of commits a second, not {rate}")]
    Rate {
        /// The rate as given.
        rate: f64,
    },
    /// A table of the lake has no rows left to change.
    #[error("{} has no rows: the activity has nothing to change", path.display())]
    NoRows {
        /// The table's folder.
        path: PathBuf,
    },
    /// A row of the lake does not have the shape that the demo wrote.
    #[error("{}: column {column} is missing or has another type than the demo wrote", path.display())]
    Shape {
        /// The table's folder.
        path: PathBuf,
        /// The column in question.
        column: String,
    },
    /// The file system refused.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The file system's answer.
        source: std::io::Error,
    },
    /// A table could not be written or read.
    #[error(transparent)]
    Delta(#[from] DeltaWriteError),
    /// Rows could not be put into Arrow columns.
    #[error("the demo's rows cannot be built")]
    Arrow(#[from] arrow_schema::ArrowError),
}

/// Attaches the path to a file system error.
pub(crate) fn io_at(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> DemoError {
    let path = path.into();
    move |source| DemoError::Io { path, source }
}
