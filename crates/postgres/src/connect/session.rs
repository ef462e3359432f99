//! Finding a server that answers and is fit for use.

use std::io;
use std::net::IpAddr;

use tokio_postgres::{CancelToken, Client, SimpleQueryMessage};

use super::address::Endpoint;
use super::attempt::Attempt;
use super::error::ConnectError;
use super::options::{ConnectOptions, SessionTarget};
use super::tls::{Connector, SslMode};

/// The oldest server that Lakefront works with, in the form of `server_version_num`: PostgreSQL 15
/// has `MERGE` and `NULLS NOT DISTINCT`.
pub const MIN_SERVER_VERSION_NUM: u32 = 150_000;

impl ConnectOptions {
    /// Signs in to the first server that answers and is of the kind wanted, and checks its
    /// version. The connection is driven by a task of its own and ends with the client.
    ///
    /// # Errors
    /// [`ConnectError`], of the last server tried.
    pub async fn connect(&self) -> Result<Client, ConnectError> {
        match self.connect_to(self.target).await {
            Err(ConnectError::WrongKind { .. }) if self.target == SessionTarget::PreferStandby => {
                self.connect_to(SessionTarget::Any).await
            }
            result => result,
        }
    }

    /// Asks the server to stop the statement that a session is running.
    ///
    /// # Errors
    /// [`ConnectError`] when the server cannot be asked; whether it stopped is seen at the statement.
    pub async fn cancel(&self, token: &CancelToken) -> Result<(), ConnectError> {
        let server = self.first_server();
        let connector = if self.tls.mode == SslMode::Disable || server.is_socket() {
            Connector::without_tls()
        } else {
            Connector::new(&self.tls).map_err(|problem| ConnectError::Tls {
                server: server.clone(),
                mode: self.tls.mode,
                problem,
            })?
        };
        let asking = token.cancel_query(connector);
        let asked = match self.connect_timeout {
            None => asking.await,
            Some(limit) => match tokio::time::timeout(limit, asking).await {
                Ok(asked) => asked,
                Err(_) => return Err(ConnectError::TimedOut { server, waited: limit }),
            },
        };
        asked.map_err(|source| ConnectError::Server { server, source })
    }

    async fn connect_to(&self, target: SessionTarget) -> Result<Client, ConnectError> {
        let mut failure = None;
        for server in self.in_order() {
            match self.try_server(server, target).await {
                Ok(client) => return Ok(client),
                Err(error) if is_reason_to_go_on(&error) => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failure.unwrap_or_else(|| ConnectError::Unreachable {
            server: self.first_server(),
            source: io::Error::from(io::ErrorKind::AddrNotAvailable),
        }))
    }

    fn in_order(&self) -> impl Iterator<Item = &Endpoint> {
        let count = self.servers.len().max(1);
        let first = if self.any_order { uuid::Uuid::new_v4().as_u128() as usize % count } else { 0 };
        self.servers.iter().cycle().skip(first).take(self.servers.len())
    }

    fn first_server(&self) -> Endpoint {
        self.servers.first().cloned().unwrap_or(Endpoint {
            host: "localhost".to_owned(),
            address: None,
            port: 5432,
        })
    }

    async fn try_server(&self, server: &Endpoint, target: SessionTarget) -> Result<Client, ConnectError> {
        let mut failure = None;
        for address in self.addresses(server).await? {
            let attempt = Attempt { options: self, server, address };
            let session = async {
                let client = attempt.sign_in().await?;
                check(&client, server, target).await?;
                Ok(client)
            };
            let result = match self.connect_timeout {
                None => session.await,
                Some(limit) => tokio::time::timeout(limit, session).await.unwrap_or_else(|_| {
                    Err(ConnectError::TimedOut { server: server.clone(), waited: limit })
                }),
            };
            match result {
                Err(error @ (ConnectError::Unreachable { .. } | ConnectError::TimedOut { .. })) => {
                    failure = Some(error);
                }
                result => return result,
            }
        }
        Err(failure.unwrap_or_else(|| ConnectError::Unreachable {
            server: server.clone(),
            source: io::Error::from(io::ErrorKind::AddrNotAvailable),
        }))
    }

    /// The addresses of a server; a single `None` for a Unix socket.
    async fn addresses(&self, server: &Endpoint) -> Result<Vec<Option<IpAddr>>, ConnectError> {
        if server.is_socket() {
            return Ok(vec![None]);
        }
        if let Some(address) = server.address {
            return Ok(vec![Some(address)]);
        }
        let lookup = tokio::net::lookup_host((server.host.as_str(), server.port));
        let found = match self.connect_timeout {
            None => lookup.await,
            Some(limit) => tokio::time::timeout(limit, lookup)
                .await
                .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut))),
        };
        let found = found.map_err(|source| ConnectError::Unreachable { server: server.clone(), source })?;
        Ok(found.map(|address| Some(address.ip())).collect())
    }
}

/// libpq goes on to the next host when one is not reachable, not ready or not of the kind wanted;
/// a refused sign-in is final.
fn is_reason_to_go_on(error: &ConnectError) -> bool {
    error.is_transient() || matches!(error, ConnectError::WrongKind { .. })
}

async fn check(client: &Client, server: &Endpoint, target: SessionTarget) -> Result<(), ConnectError> {
    // The simple protocol also passes connection poolers that keep no prepared statements.
    let rows = client
        .simple_query(
            "SELECT pg_catalog.current_setting('server_version_num'), \
             pg_catalog.current_setting('server_version'), \
             pg_catalog.current_setting('transaction_read_only'), \
             pg_catalog.pg_is_in_recovery()",
        )
        .await
        .map_err(|source| ConnectError::Server { server: server.clone(), source })?;
    let Some(row) = rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }) else {
        return Ok(());
    };
    let column = |n| row.try_get(n).ok().flatten().unwrap_or("");
    if column(0).parse::<u32>().is_ok_and(|version| version < MIN_SERVER_VERSION_NUM) {
        return Err(ConnectError::TooOld { server: server.clone(), version: column(1).to_owned() });
    }
    let (read_only, standby) = (column(2) == "on", column(3) == "t");
    let fits = match target {
        SessionTarget::Any => true,
        SessionTarget::ReadWrite => !read_only && !standby,
        SessionTarget::ReadOnly => read_only || standby,
        SessionTarget::Primary => !standby,
        SessionTarget::Standby | SessionTarget::PreferStandby => standby,
    };
    if fits { Ok(()) } else { Err(ConnectError::WrongKind { server: server.clone(), wanted: target }) }
}
