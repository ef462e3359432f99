//! The conditions under which a synced table stops, as the control-plane API names them.

use serde::{Deserialize, Serialize};

/// Why a table's pipeline stopped. The names are the field's own (Databricks synced tables), the last ones Lakefront's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names say it, and Condition::hint says what to do")]
pub enum Condition {
    ChangedPrimaryKey,
    ChangedPrimaryKeyColumnType,
    CharacterNotInRepertoire,
    ColumnTypeChangeNotSupported,
    ConnectionError,
    DatabaseDoesNotExist,
    DeltaTruncatedTransactionLog,
    LockTimeout,
    PrimaryKeyConstraintViolation,
    SourceReadError,
    TargetDatabaseFull,
    NullPrimaryKey,
    SourceTableReplaced,
    UnsupportedType,
    ValueOutOfRange,
    /// the request or the configuration is wrong: nothing was begun
    InvalidParameterValue,
    /// the name is not known
    ResourceDoesNotExist,
    /// the target exists and is not Lakefront's to replace, or users' own constraint, trigger or dependent object is in the way
    ResourceConflict,
    /// the server refused the sign-in or a privilege is missing
    PermissionDenied,
    /// a fault of Lakefront itself
    InternalError,
}

impl Condition {
    /// The name on the wire, `SCREAMING_SNAKE_CASE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChangedPrimaryKey => "CHANGED_PRIMARY_KEY",
            Self::ChangedPrimaryKeyColumnType => "CHANGED_PRIMARY_KEY_COLUMN_TYPE",
            Self::CharacterNotInRepertoire => "CHARACTER_NOT_IN_REPERTOIRE",
            Self::ColumnTypeChangeNotSupported => "COLUMN_TYPE_CHANGE_NOT_SUPPORTED",
            Self::ConnectionError => "CONNECTION_ERROR",
            Self::DatabaseDoesNotExist => "DATABASE_DOES_NOT_EXIST",
            Self::DeltaTruncatedTransactionLog => "DELTA_TRUNCATED_TRANSACTION_LOG",
            Self::LockTimeout => "LOCK_TIMEOUT",
            Self::PrimaryKeyConstraintViolation => "PRIMARY_KEY_CONSTRAINT_VIOLATION",
            Self::SourceReadError => "SOURCE_READ_ERROR",
            Self::TargetDatabaseFull => "TARGET_DATABASE_FULL",
            Self::NullPrimaryKey => "NULL_PRIMARY_KEY",
            Self::SourceTableReplaced => "SOURCE_TABLE_REPLACED",
            Self::UnsupportedType => "UNSUPPORTED_TYPE",
            Self::ValueOutOfRange => "VALUE_OUT_OF_RANGE",
            Self::InvalidParameterValue => "INVALID_PARAMETER_VALUE",
            Self::ResourceDoesNotExist => "RESOURCE_DOES_NOT_EXIST",
            Self::ResourceConflict => "RESOURCE_CONFLICT",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
