//! Rows that PostgreSQL could not hold.

use lakefront_model::Condition;
use std::sync::Arc;

/// A row that was not written, and why. It left no bytes behind.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("column \"{column}\": {cause}")]
pub struct RejectedRow {
    /// the row's place in its batch, from 0
    pub row: usize,
    /// the first column that could not be written
    pub column: Arc<str>,
    /// what is wrong with its value
    pub cause: RejectCause,
}

/// What is wrong with a value. The texts go after "column …: ".
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RejectCause {
    /// NULL in a column that is NOT NULL, such as one of the key's
    #[error("the value is NULL, and the column is NOT NULL")]
    NullKey,
    /// a 0x00 byte in a string, at any depth
    #[error("the string holds a 0x00 byte, which PostgreSQL cannot store")]
    NulByte,
    /// a date, timestamp or decimal that the column's type cannot hold
    #[error("{value} is outside the range of {pg_type} ({range})")]
    OutOfRange {
        /// the value as text
        value: String,
        /// the column's type
        pg_type: String,
        /// what the type holds
        range: String,
    },
    /// a timestamp with parts of a microsecond
    #[error("{value} is finer than a microsecond, which a PostgreSQL timestamp cannot hold")]
    FinerThanMicroseconds {
        /// the value as text
        value: String,
    },
    /// an array that has not the length of its vector
    #[error("the array has {found} numbers, and the column is a vector of {wanted}")]
    VectorLength {
        /// the column's dimensions
        wanted: u32,
        /// the array's length
        found: usize,
    },
    /// an element that pgvector refuses: NULL, NaN, an infinity, or too large for the vector's element type
    #[error("number {place} of the array is {found}, which a vector cannot hold")]
    VectorElement {
        /// the element's place, from 1
        place: usize,
        /// the element as text
        found: String,
    },
    /// more characters than a varchar takes
    #[error("the string has {found} characters, and the column takes {max}")]
    VarcharLength {
        /// the most the column takes
        max: u32,
        /// the string's characters
        found: usize,
    },
    /// two keys of a map, or of a variant's object, with the same text
    #[error("two keys of a map become the same JSON key \"{key}\"")]
    DuplicateMapKey {
        /// the key as JSON spells it, cut if it is long
        key: String,
    },
    /// a map's key that is NULL
    #[error("a key of a map is NULL, which JSON cannot say")]
    NullMapKey,
    /// bytes that are no variant
    #[error("the variant is malformed: {0}")]
    InvalidVariant(&'static str),
    /// a variant nested deeper than jsonb is sure to take
    #[error("the variant is nested deeper than {max} levels")]
    TooDeep {
        /// the most levels
        max: usize,
    },
    /// a value or a row larger than PostgreSQL takes
    #[error("{what} of {bytes} bytes is larger than the {max} bytes that PostgreSQL takes")]
    TooLarge {
        /// what is too large
        what: &'static str,
        /// its size
        bytes: usize,
        /// the limit
        max: usize,
    },
}

/// A value was written, or not: boxed, so that the good case costs a register.
pub(super) type Written = Result<(), Box<RejectCause>>;

impl RejectCause {
    /// The condition under which the table stops when such a row is not set aside.
    pub fn condition(&self) -> Condition {
        match self {
            Self::NullKey => Condition::NullPrimaryKey,
            Self::NulByte => Condition::CharacterNotInRepertoire,
            Self::InvalidVariant(_) => Condition::SourceReadError,
            Self::OutOfRange { .. }
            | Self::FinerThanMicroseconds { .. }
            | Self::VectorLength { .. }
            | Self::VectorElement { .. }
            | Self::VarcharLength { .. }
            | Self::DuplicateMapKey { .. }
            | Self::NullMapKey
            | Self::TooDeep { .. }
            | Self::TooLarge { .. } => Condition::ValueOutOfRange,
        }
    }
}
