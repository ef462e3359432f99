//! Errors of PostgreSQL.

use tokio_postgres::error::{DbError, SqlState};

/// The result of work in PostgreSQL.
pub type PgResult<T> = Result<T, PgError>;

/// What PostgreSQL refused, and what was being done.
#[derive(Debug)]
pub struct PgError {
    doing: String,
    is_of_type_change: bool,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    /// the server's or the connection's own error
    Server(tokio_postgres::Error),
    /// rows were left out by what is named
    LeftOut { rows: u64, by: Vec<String> },
}

impl PgError {
    /// `doing` completes "while …", such as "creating the table shop.products".
    pub fn new(doing: impl Into<String>, source: tokio_postgres::Error) -> Self {
        Self { doing: doing.into(), is_of_type_change: false, cause: Cause::Server(source) }
    }

    /// Rows that nothing refused and that are not there; `by` names the triggers and rules that can have left them out.
    pub(crate) fn of_rows_left_out(doing: String, rows: u64, by: Vec<String>) -> Self {
        Self { doing, is_of_type_change: false, cause: Cause::LeftOut { rows, by } }
    }

    /// The triggers and rules that can have left rows out, where that is the error.
    pub fn left_out_by(&self) -> Option<&[String]> {
        match &self.cause {
            Cause::LeftOut { by, .. } => Some(by),
            Cause::Server(_) => None,
        }
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

    /// The code of the server's refusal, where it is one.
    pub fn sqlstate(&self) -> Option<&SqlState> {
        self.refusal().map(DbError::code)
    }

    /// The server's refusal, absent when the connection failed or rows were left out.
    pub fn refusal(&self) -> Option<&DbError> {
        match &self.cause {
            Cause::Server(source) => source.as_db_error(),
            Cause::LeftOut { .. } => None,
        }
    }

    /// Whether the connection is gone, so that what was sent last may or may not have happened.
    pub fn is_connection_lost(&self) -> bool {
        match self.sqlstate() {
            None => self.left_out_by().is_none(),
            Some(code) => code.code().starts_with("08") || code.code().starts_with("57P"),
        }
    }
}

impl std::fmt::Display for PgError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cause {
            Cause::Server(source) => match source.as_db_error() {
                Some(db) => {
                    write!(f, "{}: {}", self.doing, db.message())?;
                    match db.detail() {
                        Some(detail) => write!(f, " ({detail})"),
                        None => Ok(()),
                    }
                }
                None => write!(f, "{}: the connection to PostgreSQL failed: {source}", self.doing),
            },
            Cause::LeftOut { rows, by } => {
                let rows = if *rows == 1 { "1 row was".to_owned() } else { format!("{rows} rows were") };
                write!(f, "{}: {rows} not written", self.doing)?;
                if by.is_empty() { Ok(()) } else { write!(f, ", left out by {}", by.join(" or ")) }
            }
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
