//! Errors of PostgreSQL, judged by their SQLSTATE.

use lakefront_model::Condition;
use tokio_postgres::error::SqlState;

/// The result of work in PostgreSQL.
pub type PgResult<T> = Result<T, PgError>;

/// What PostgreSQL refused, and what was being done.
#[derive(Debug)]
pub struct PgError {
    doing: String,
    source: tokio_postgres::Error,
}

impl PgError {
    /// `doing` completes "while …", such as "creating the table shop.products".
    pub fn new(doing: impl Into<String>, source: tokio_postgres::Error) -> Self {
        Self { doing: doing.into(), source }
    }

    /// The server's error code, absent when the connection failed rather than the statement.
    pub fn sqlstate(&self) -> Option<&SqlState> {
        self.source.code()
    }

    /// Whether the connection is gone, so that what was sent last may or may not have happened.
    pub fn is_connection_lost(&self) -> bool {
        match self.sqlstate() {
            None => true,
            Some(code) => code.code().starts_with("08") || code.code().starts_with("57P"),
        }
    }

    /// The condition that stops the table (PostgreSQL manual, appendix A).
    pub fn condition(&self) -> Condition {
        let Some(state) = self.sqlstate() else { return Condition::ConnectionError };
        match state.code() {
            "53100" | "53200" => Condition::TargetDatabaseFull,
            "23505" => Condition::PrimaryKeyConstraintViolation,
            "23502" => Condition::NullPrimaryKey,
            "22021" | "22P05" => Condition::CharacterNotInRepertoire,
            "22003" | "22008" | "22001" => Condition::ValueOutOfRange,
            "55P03" => Condition::LockTimeout,
            "3D000" => Condition::DatabaseDoesNotExist,
            "42501" | "28000" | "28P01" => Condition::PermissionDenied,
            "42704" | "0A000" => Condition::UnsupportedType,
            code if code.starts_with("08") || code.starts_with("57P") => Condition::ConnectionError,
            code if code.starts_with("42") => Condition::InvalidParameterValue,
            _ => Condition::InternalError,
        }
    }
}

impl std::fmt::Display for PgError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.source.as_db_error() {
            Some(db) => {
                write!(f, "{}: {}", self.doing, db.message())?;
                match db.detail() {
                    Some(detail) => write!(f, " ({detail})"),
                    None => Ok(()),
                }
            }
            None => write!(f, "{}: the connection to PostgreSQL failed: {}", self.doing, self.source),
        }
    }
}

impl std::error::Error for PgError {}

/// Gives an error of the client library its context.
pub trait Doing<T> {
    /// `doing` completes "while …".
    ///
    /// # Errors
    /// The error with its context.
    fn doing(self, doing: impl FnOnce() -> String) -> PgResult<T>;
}

impl<T> Doing<T> for Result<T, tokio_postgres::Error> {
    fn doing(self, doing: impl FnOnce() -> String) -> PgResult<T> {
        self.map_err(|source| PgError::new(doing(), source))
    }
}
