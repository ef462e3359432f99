//! Batches that do not fit the columns they are to fill.

use arrow_schema::DataType;
use lakefront_model::{DeltaType, PgType};

/// Why a batch cannot be encoded: its shape is not what the mapping was made for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EncodeError {
    /// a column is not where the mapping has it
    #[error("column \"{column}\" is not at place {place} of the rows that were read; they have: {columns}")]
    ColumnMissing {
        /// the column
        column: String,
        /// where it should be, from 0
        place: usize,
        /// the columns there are
        columns: String,
    },
    /// what was read cannot fill the column
    #[error(
        "column \"{column}\" ({source_type}) was read as {read_as}, which cannot be written as {pg_type}"
    )]
    ColumnType {
        /// the column
        column: String,
        /// its type at the source
        source_type: Box<DeltaType>,
        /// the Arrow type of the rows, or of the part of them that does not fit
        read_as: Box<DataType>,
        /// its type in PostgreSQL
        pg_type: Box<PgType>,
    },
}
