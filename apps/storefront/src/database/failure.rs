//! What goes wrong with PostgreSQL, told apart by SQLSTATE and by the kind of error, never by its text.

use std::{error::Error, fmt::Write as _, io};

use deadpool_postgres::{HookError, PoolError};
use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::settings::DatabaseSettings;

/// A failed use of PostgreSQL. Messages name host, user, sign-in or table, and never hold a secret.
#[derive(Debug, Clone, Error)]
pub enum DatabaseError {
    /// No connection could be made.
    #[error("cannot connect to PostgreSQL at {address} as user \"{user}\" (sign-in: {sign_in}): {cause}")]
    Unreachable {
        /// Host and port, or socket.
        address: String,
        /// The user.
        user: String,
        /// How the sign-in is done.
        sign_in: &'static str,
        /// What the operating system or the server said.
        cause: String,
    },
    /// The server is there and refuses the sign-in or the database.
    #[error(
        "PostgreSQL at {address} refuses user \"{user}\" for database \"{database}\" (sign-in: {sign_in}): {cause}"
    )]
    Refused {
        /// Host and port, or socket.
        address: String,
        /// The user.
        user: String,
        /// The database.
        database: String,
        /// How the sign-in is done.
        sign_in: &'static str,
        /// What the server said.
        cause: String,
    },
    /// The table is not in the database.
    #[error("table {name} was not found: PostgreSQL database \"{database}\" has no table {schema}.{table}")]
    TableMissing {
        /// The three-part name that was looked up.
        name: String,
        /// The database searched.
        database: String,
        /// Its schema.
        schema: String,
        /// Its table.
        table: String,
    },
    /// The table is there and the user may not read it.
    #[error("user \"{user}\" may not read table {name}")]
    TableForbidden {
        /// The three-part name.
        name: String,
        /// Schema and table, quoted for SQL.
        relation: String,
        /// The user.
        user: String,
    },
    /// The table has no column that a product needs.
    #[error("table {name} has no column \"{column}\", so it holds no products")]
    NotProducts {
        /// The three-part name.
        name: String,
        /// The column.
        column: &'static str,
    },
    /// Every connection was busy for too long.
    #[error("all {connections} connections to PostgreSQL at {address} were busy for too long")]
    Busy {
        /// Connections in the pool.
        connections: usize,
        /// Host and port, or socket.
        address: String,
    },
    /// A table or column of the statement does not exist (any more).
    #[error("the table changed while it was read: {0}")]
    Changed(String),
    /// Any other failure of a statement.
    #[error("PostgreSQL could not answer (SQLSTATE {sqlstate}): {cause}")]
    Statement {
        /// The five characters of the SQLSTATE, or `none`.
        sqlstate: String,
        /// What the server said.
        cause: String,
    },
}

impl DatabaseError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } => {
                "check that the server runs, that LAKEBASE_HOST and LAKEBASE_PORT (or PGHOST and PGPORT) name it, and \
                 that LAKEBASE_SSL_MODE suits it"
                    .to_owned()
            }
            Self::Refused { .. } => {
                "check LAKEBASE_USER, LAKEBASE_PASSWORD, LAKEBASE_DATABASE and LAKEBASE_SSL_MODE (or their PG names)"
                    .to_owned()
            }
            Self::TableMissing { schema, table, .. } => format!(
                "sync it with `lakefront load SOURCE --into {schema}.{table}`, or set CATALOG, SCHEMA and \
                 PRODUCTS_TABLE to the table's name"
            ),
            Self::TableForbidden { relation, user, .. } => format!(
                "as its owner: GRANT SELECT ON {relation} TO {}, and USAGE on its schema",
                super::quote_name(user)
            ),
            Self::NotProducts { .. } => "set SCHEMA and PRODUCTS_TABLE to the table of products".to_owned(),
            Self::Busy { .. } => "try again; if it lasts, raise LAKEBASE_POOL_SIZE".to_owned(),
            Self::Changed(_) => "try again".to_owned(),
            Self::Statement { .. } => "see PostgreSQL's log for this statement".to_owned(),
        }
    }

    pub(super) fn connecting(settings: &DatabaseSettings, error: &tokio_postgres::Error) -> Self {
        let refused = error.code().is_some_and(|state| {
            // Classes 28 (authorization), 3D (no such database) and 0P (role), PostgreSQL manual, appendix A.
            state.code().starts_with("28") || *state == SqlState::UNDEFINED_DATABASE
        });
        let mut cause = causes(error);
        if settings.password.is_none() && error.source().is_some_and(|e| !e.is::<io::Error>()) && !refused {
            cause.push_str("; set LAKEBASE_PASSWORD or PGPASSWORD if the server asks for one");
        }
        let (address, user, sign_in) = (settings.address(), settings.user.clone(), settings.sign_in());
        if refused {
            Self::Refused { address, user, database: settings.database.clone(), sign_in, cause }
        } else {
            Self::Unreachable { address, user, sign_in, cause }
        }
    }

    pub(super) fn pooling(settings: &DatabaseSettings, error: &PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Self::connecting(settings, error)
            }
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => {
                Self::Busy { connections: settings.pool_size, address: settings.address() }
            }
            PoolError::Timeout(_) => Self::Unreachable {
                address: settings.address(),
                user: settings.user.clone(),
                sign_in: settings.sign_in(),
                cause: "no answer in time".to_owned(),
            },
            other => Self::Statement { sqlstate: "none".to_owned(), cause: other.to_string() },
        }
    }

    pub(crate) fn running(settings: &DatabaseSettings, error: &tokio_postgres::Error) -> Self {
        match error.code() {
            Some(state)
                if [
                    SqlState::UNDEFINED_TABLE,
                    SqlState::UNDEFINED_COLUMN,
                    SqlState::INVALID_SCHEMA_NAME,
                    SqlState::UNDEFINED_FUNCTION,
                    SqlState::CANNOT_COERCE,
                ]
                .contains(state) =>
            {
                Self::Changed(causes(error))
            }
            Some(state) => Self::Statement { sqlstate: state.code().to_owned(), cause: causes(error) },
            None => Self::Unreachable {
                address: settings.address(),
                user: settings.user.clone(),
                sign_in: settings.sign_in(),
                cause: causes(error),
            },
        }
    }
}

/// The error and its causes, each said once.
fn causes(error: &tokio_postgres::Error) -> String {
    if let Some(server) = error.as_db_error() {
        return server.message().to_owned();
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {said}");
        }
        source = cause.source();
    }
    text
}
