//! Errors of PostgreSQL.

use tokio_postgres::error::SqlState;

/// The result of work in PostgreSQL.
pub type PgResult<T> = Result<T, PgError>;

/// What PostgreSQL refused, and what was being done.
#[derive(Debug)]
pub struct PgError {
    doing: String,
    is_of_type_change: bool,
    source: tokio_postgres::Error,
}

impl PgError {
    /// `doing` completes "while …", such as "creating the table shop.products".
    pub fn new(doing: impl Into<String>, source: tokio_postgres::Error) -> Self {
        Self { doing: doing.into(), is_of_type_change: false, source }
    }

    /// The same, met while the types of a live table's columns were changed, with all that this takes.
    #[must_use]
    pub fn of_type_change(self) -> Self {
        Self { is_of_type_change: true, ..self }
    }

    /// Whether it was met while the types of a live table's columns were changed.
    pub fn is_of_type_change(&self) -> bool {
        self.is_of_type_change
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
