//! One attempt at one server, and how `sslmode` decides on a second one.

use std::io;
use std::net::IpAddr;

use tokio_postgres::config::SslMode as WireMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};

use super::address::Endpoint;
use super::error::{ConnectError, SignInRefusal};
use super::options::ConnectOptions;
use super::tls::{Connector, SslMode, SslNegotiation, Stage, TlsProblem};

/// An attempt at one address of one server.
pub(super) struct Attempt<'a> {
    pub(super) options: &'a ConnectOptions,
    pub(super) server: &'a Endpoint,
    /// `None` for a Unix socket.
    pub(super) address: Option<IpAddr>,
}

impl Attempt<'_> {
    /// Signs in, by the rules of the table "SSL Mode Descriptions" of the manual: `allow` begins
    /// without TLS and turns to it when the server's access rules refuse; `prefer` begins with TLS
    /// and does without when the handshake fails or the access rules refuse.
    pub(super) async fn sign_in(&self) -> Result<Client, ConnectError> {
        let mode = match self.address {
            None => SslMode::Disable,
            Some(_) => self.options.tls.mode,
        };
        match mode {
            SslMode::Disable => self.once(WireMode::Disable).await.map_err(|(error, _)| error),
            SslMode::Allow => match self.once(WireMode::Disable).await {
                Ok(client) => Ok(client),
                Err((error, Cause::AccessRules)) => match self.once(WireMode::Require).await {
                    Err((ConnectError::Tls { problem: TlsProblem::NotOffered, .. }, _)) => Err(error),
                    other => other.map_err(|(error, _)| error),
                },
                Err((error, _)) => Err(error),
            },
            SslMode::Prefer => match self.once(WireMode::Prefer).await {
                Ok(client) => Ok(client),
                Err((error, Cause::Handshake | Cause::AccessRules)) => {
                    self.once(WireMode::Disable).await.map_err(|_| error)
                }
                Err((error, Cause::Other)) => Err(error),
            },
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                self.once(WireMode::Require).await.map_err(|(error, _)| error)
            }
        }
    }

    async fn once(&self, wire: WireMode) -> Result<Client, (ConnectError, Cause)> {
        let connector = if wire == WireMode::Disable {
            Connector::without_tls()
        } else {
            Connector::new(&self.options.tls).map_err(|problem| (self.tls(problem), Cause::Handshake))?
        };
        match self.config(wire).connect(connector.clone()).await {
            Ok((client, connection)) => {
                let server = self.server.to_string();
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%server, %error, "connection ended");
                    }
                });
                Ok(client)
            }
            Err(error) => Err(self.classify(error, connector.stage(), wire)),
        }
    }

    fn config(&self, wire: WireMode) -> Config {
        let options = self.options;
        let mut config = Config::new();
        config
            .host(&self.server.host)
            .port(self.server.port)
            .user(&options.user)
            .dbname(&options.database)
            .application_name(&options.application_name)
            .ssl_mode(wire)
            .channel_binding(options.channel_binding)
            .keepalives(options.keepalive.on)
            .keepalives_idle(options.keepalive.idle)
            .keepalives_interval(options.keepalive.interval)
            .keepalives_retries(options.keepalive.count);
        if let Some(address) = self.address {
            config.hostaddr(address);
        }
        if let Some(password) = options.password_for(self.server) {
            config.password(password.reveal());
        }
        if let Some(startup) = &options.startup_options {
            config.options(startup);
        }
        if let Some(timeout) = options.keepalive.user_timeout {
            config.tcp_user_timeout(timeout);
        }
        if options.tls.negotiation == SslNegotiation::Direct {
            config.ssl_negotiation(tokio_postgres::config::SslNegotiation::Direct);
        }
        config
    }

    fn tls(&self, problem: TlsProblem) -> ConnectError {
        ConnectError::Tls { server: self.server.clone(), mode: self.options.tls.mode, problem }
    }

    fn classify(&self, error: tokio_postgres::Error, stage: Stage, wire: WireMode) -> (ConnectError, Cause) {
        if error.as_db_error().is_some() {
            return self.classify_answer(error);
        }
        let server = self.server.clone();
        let is_io = source_io(&error).is_some();
        let alert = source_io(&error).and_then(TlsProblem::client_certificate_alert);
        let failure = match stage {
            Stage::Opening => match into_io(error) {
                Ok(source) => ConnectError::Unreachable { server, source },
                Err(source) => ConnectError::Server { server, source },
            },
            Stage::Handshake => match into_io(error) {
                Ok(source) => {
                    let problem = TlsProblem::from_io(source, &self.server.host, &self.options.tls.roots);
                    return (self.tls(problem), Cause::Handshake);
                }
                Err(source) => ConnectError::Server { server, source },
            },
            Stage::Open | Stage::Secured => {
                if let Some(problem) = alert {
                    return (self.tls(problem), Cause::Handshake);
                }
                if is_io || error.is_closed() {
                    ConnectError::Lost { server, source: error }
                } else if stage == Stage::Open && wire == WireMode::Require {
                    self.tls(TlsProblem::NotOffered)
                } else {
                    let reason = match self.options.password_for(self.server) {
                        None => SignInRefusal::NoPassword,
                        Some(_) => SignInRefusal::Method(error),
                    };
                    self.refused(reason)
                }
            }
        };
        (failure, Cause::Other)
    }

    /// The server answered with an SQLSTATE.
    fn classify_answer(&self, error: tokio_postgres::Error) -> (ConnectError, Cause) {
        let server = self.server.clone();
        let Some(answer) = error.as_db_error().cloned().map(Box::new) else {
            return (ConnectError::Server { server, source: error }, Cause::Other);
        };
        let code = answer.code();
        // libpq tries the other kind of transport when the refusal comes before any request for a
        // password: that is what pg_hba.conf answers, with this code.
        let by_access_rules = *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION;
        let failure = if by_access_rules
            || *code == SqlState::INVALID_PASSWORD
            || *code == SqlState::INSUFFICIENT_PRIVILEGE
        {
            self.refused(SignInRefusal::Server(answer))
        } else if *code == SqlState::INVALID_CATALOG_NAME {
            ConnectError::MissingDatabase { server, database: self.options.database.clone() }
        } else if *code == SqlState::TOO_MANY_CONNECTIONS {
            ConnectError::Full { server, source: answer }
        } else if *code == SqlState::CANNOT_CONNECT_NOW
            || *code == SqlState::ADMIN_SHUTDOWN
            || *code == SqlState::CRASH_SHUTDOWN
        {
            ConnectError::NotReady { server, source: answer }
        } else {
            ConnectError::Server { server, source: error }
        };
        let cause = if by_access_rules { Cause::AccessRules } else { Cause::Other };
        (failure, cause)
    }

    fn refused(&self, reason: SignInRefusal) -> ConnectError {
        ConnectError::Refused {
            server: self.server.clone(),
            user: self.options.user.clone(),
            database: self.options.database.clone(),
            reason,
        }
    }
}

/// What decides whether the other kind of transport is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    AccessRules,
    Handshake,
    Other,
}

fn source_io(error: &tokio_postgres::Error) -> Option<&io::Error> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

/// The I/O error inside, or the error as it was when there is none.
fn into_io(error: tokio_postgres::Error) -> Result<io::Error, tokio_postgres::Error> {
    if source_io(&error).is_none() {
        return Err(error);
    }
    match error.into_source().map(|source| source.downcast::<io::Error>()) {
        Some(Ok(source)) => Ok(*source),
        _ => Ok(io::Error::from(io::ErrorKind::Other)),
    }
}
