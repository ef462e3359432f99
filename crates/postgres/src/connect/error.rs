//! Why a connection was not made.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio_postgres::error::DbError;

use super::address::{AddressError, Endpoint};
use super::options::SessionTarget;
use super::tls::{SslMode, TlsProblem};

/// Why a connection was not made. Each variant was decided by the type of a failure or by its
/// SQLSTATE; none repeats a password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address itself is wrong.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nothing answers there.
    #[error("cannot reach PostgreSQL at {server}")]
    Unreachable {
        /// The server asked.
        server: Endpoint,
        /// What the operating system says.
        source: io::Error,
    },
    /// No answer in time.
    #[error("PostgreSQL at {server} did not answer within {} s", .waited.as_secs())]
    TimedOut {
        /// The server asked.
        server: Endpoint,
        /// How long was waited.
        waited: Duration,
    },
    /// The connection broke before the session began.
    #[error("PostgreSQL at {server} closed the connection during sign-in")]
    Lost {
        /// The server asked.
        server: Endpoint,
        /// What was seen of it.
        source: tokio_postgres::Error,
    },
    /// User, password or the server's access rules say no.
    #[error("PostgreSQL at {server} refused the sign-in of user \"{user}\" to database \"{database}\"")]
    Refused {
        /// The server asked.
        server: Endpoint,
        /// Who signed in.
        user: String,
        /// The database wanted.
        database: String,
        /// Why.
        #[source]
        reason: SignInRefusal,
    },
    /// The database does not exist (SQLSTATE 3D000).
    #[error("PostgreSQL at {server} has no database \"{database}\"")]
    MissingDatabase {
        /// The server asked.
        server: Endpoint,
        /// The database wanted.
        database: String,
    },
    /// TLS was not possible in the way asked for.
    #[error("no TLS connection to PostgreSQL at {server} (sslmode={mode})")]
    Tls {
        /// The server asked.
        server: Endpoint,
        /// The mode asked for.
        mode: SslMode,
        /// Why.
        #[source]
        problem: TlsProblem,
    },
    /// All connections are taken (SQLSTATE 53300).
    #[error("PostgreSQL at {server} has no connection left")]
    Full {
        /// The server asked.
        server: Endpoint,
        /// The server's own words.
        source: Box<DbError>,
    },
    /// It is starting or stopping (SQLSTATE 57P03 and its neighbours).
    #[error("PostgreSQL at {server} accepts no connections at the moment")]
    NotReady {
        /// The server asked.
        server: Endpoint,
        /// The server's own words.
        source: Box<DbError>,
    },
    /// None of the servers is of the kind that `target_session_attrs` asks for.
    #[error("PostgreSQL at {server} is not of the kind asked for (target_session_attrs: {wanted:?})")]
    WrongKind {
        /// The server asked last.
        server: Endpoint,
        /// What was wanted.
        wanted: SessionTarget,
    },
    /// Older than Lakefront works with.
    #[error("PostgreSQL at {server} is version {version}; Lakefront needs 15 or later")]
    TooOld {
        /// The server asked.
        server: Endpoint,
        /// Its version, such as `14.9`.
        version: String,
    },
    /// Any other answer of the server.
    #[error("PostgreSQL at {server} refused the session")]
    Server {
        /// The server asked.
        server: Endpoint,
        /// The server's answer.
        source: tokio_postgres::Error,
    },
}

/// Why a sign-in was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignInRefusal {
    /// The server wants a password and none was given.
    #[error("the server asks for a password, and none was given")]
    NoPassword,
    /// SQLSTATE 28P01, 28000 or 42501.
    #[error("{0}")]
    Server(Box<DbError>),
    /// The two ends have no way of sign-in in common.
    #[error("the server asks for a kind of sign-in that is not supported, or could not prove who it is")]
    Method(#[source] tokio_postgres::Error),
}

impl ConnectError {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address(error) => error.hint().map(str::to_owned),
            Self::Unreachable { server, .. } if server.is_socket() => Some(format!(
                "is a server running with its socket in {}? Name another with host=…",
                server.host
            )),
            Self::Unreachable { server, .. } => Some(format!(
                "is a server running there, and does it listen on port {}? Check host, port and firewall",
                server.port
            )),
            Self::TimedOut { .. } => Some(
                "check host, port and firewall, or give it longer with connect_timeout=SECONDS".to_owned(),
            ),
            Self::Refused { reason: SignInRefusal::NoPassword, .. } => Some(
                "give it in the address, in PGPASSWORD, or in ~/.pgpass (which nobody else may read)"
                    .to_owned(),
            ),
            Self::Refused { .. } => Some("check user and password, and the server's pg_hba.conf".to_owned()),
            Self::MissingDatabase { database, .. } => {
                Some(format!("create it with: createdb {database}; or name another in the address"))
            }
            Self::Tls { problem, mode, .. } => Some(problem.hint(*mode)),
            Self::Full { .. } => {
                Some("close other sessions, or raise max_connections at the server".to_owned())
            }
            Self::NotReady { .. } => Some("try again in a moment".to_owned()),
            Self::WrongKind { .. } => Some("add the right host, or change target_session_attrs".to_owned()),
            Self::TooOld { .. } => Some("use a newer server".to_owned()),
            Self::Lost { .. } | Self::Server { .. } => Some("the server's log says more".to_owned()),
        }
    }

    /// True when the same attempt may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::Lost { .. }
                | Self::Full { .. }
                | Self::NotReady { .. }
        )
    }
}
