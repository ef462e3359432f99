//! Running prepared statements.

use std::time::{Duration, Instant};

use tokio_postgres::{Error, Row, error::SqlState, types::ToSql};

use super::{Bind, Database, DatabaseError};

/// Prepared statements kept per connection. Filters combine to hundreds of thousands of statement texts, so
/// the store is emptied when it is full; the everyday few are prepared again at once.
const STATEMENTS_KEPT: usize = 256;

/// Tries per statement: a connection made anew can meet a server that is still going down.
const ATTEMPTS: usize = 3;

/// Rows and the time that PostgreSQL took, connection in hand, until the last of them was here.
#[derive(Debug)]
pub struct Answer {
    /// The rows.
    pub rows: Vec<Row>,
    /// From sending the statement to having all rows.
    pub took: Duration,
}

impl Database {
    /// Runs a statement that only reads, prepared on the connection. It is run again when the connection turned
    /// out dead or the prepared form stale, which reading makes harmless.
    pub async fn read(&self, sql: &str, binds: &[Bind]) -> Result<Answer, DatabaseError> {
        let binds: Vec<&(dyn ToSql + Sync)> = binds.iter().map(|bind| bind as _).collect();
        let mut attempt = 1;
        loop {
            let client =
                self.pool.get().await.map_err(|error| DatabaseError::pooling(self.settings(), &error))?;
            if client.statement_cache.size() >= STATEMENTS_KEPT {
                client.statement_cache.clear();
            }
            let started = Instant::now();
            let outcome = match client.prepare_cached(sql).await {
                Ok(statement) => client.query(&statement, &binds).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(rows) => return Ok(Answer { rows, took: started.elapsed() }),
                Err(error) if attempt < ATTEMPTS && (client.is_closed() || worth_repeating(&error)) => {
                    client.statement_cache.clear();
                    if client.is_closed() || ended_by_server(&error) {
                        // What ended this connection most likely ended the idle ones as well.
                        self.pool.retain(|_, _| false);
                    }
                    attempt += 1;
                }
                Err(error) => return Err(DatabaseError::running(self.settings(), &error)),
            }
        }
    }
}

/// True when the connection is at its end, whether the server's last words came through or not.
fn ended_by_server(error: &Error) -> bool {
    error.is_closed()
        || error
            .code()
            .is_some_and(|state| [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN].contains(state))
}

/// True for states after which the same statement, prepared anew, can succeed: the result type of a prepared
/// statement changed (a feature not supported, says PostgreSQL), the server forgot it (a pooler in between),
/// the server is going down or just up, or a conflict with recovery.
fn worth_repeating(error: &Error) -> bool {
    ended_by_server(error)
        || error.code().is_some_and(|state| {
            [
                SqlState::FEATURE_NOT_SUPPORTED,
                SqlState::INVALID_SQL_STATEMENT_NAME,
                SqlState::DUPLICATE_PSTATEMENT,
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
            ]
            .contains(state)
        })
}
