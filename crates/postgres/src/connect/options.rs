//! What a connection is asked for.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::address::{AddressError, Endpoint};
use super::conninfo;
use super::environment::{self, Environment, ProcessEnvironment};
use super::keepalive::Keepalive;
use super::keyword::Parameters;
use super::passfile;
use super::password::Password;
use super::tls::TlsSettings;

/// How long one server may take to answer unless `connect_timeout` says otherwise: longer than a
/// lost packet and a server busy with recovery take to answer, short enough for somebody waiting.
pub(super) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What kind of session is wanted; libpq's `target_session_attrs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionTarget {
    /// Any.
    Any,
    /// One that may write.
    ReadWrite,
    /// One that may not write.
    ReadOnly,
    /// A server that is no standby.
    Primary,
    /// A standby.
    Standby,
    /// A standby, or any server when there is none.
    PreferStandby,
}

/// Everything needed to sign in to a PostgreSQL server. Its `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectOptions {
    pub(super) servers: Vec<Endpoint>,
    pub(super) user: String,
    pub(super) password: Option<Password>,
    pub(super) passfile: Option<PathBuf>,
    pub(super) database: String,
    pub(super) application_name: String,
    pub(super) startup_options: Option<String>,
    pub(super) target: SessionTarget,
    pub(super) any_order: bool,
    pub(super) channel_binding: tokio_postgres::config::ChannelBinding,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keepalive: Keepalive,
    pub(super) tls: TlsSettings,
}

impl ConnectOptions {
    /// Reads a libpq URL (`postgres://user:password@host:port/database?sslmode=…`) or key=value
    /// pairs. What it leaves open comes from libpq's environment variables, then from libpq's
    /// defaults.
    ///
    /// # Errors
    /// [`AddressError`]; its text repeats nothing that could be a password.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Self::parse_in(text, &ProcessEnvironment)
    }

    /// As [`ConnectOptions::parse`], with the environment given.
    ///
    /// # Errors
    /// As [`ConnectOptions::parse`].
    pub fn parse_in(text: &str, environment: &dyn Environment) -> Result<Self, AddressError> {
        Self::build(&Parameters::from_text(text, environment)?, environment)
    }

    /// Reads `DATABASE_URL`, or else libpq's variables when they name a server or a database
    /// (`PGHOST`, `PGHOSTADDR`, `PGPORT`, `PGDATABASE`). `None` when neither is set.
    ///
    /// # Errors
    /// As [`ConnectOptions::parse`].
    pub fn from_env() -> Result<Option<Self>, AddressError> {
        Self::from_env_in(&ProcessEnvironment)
    }

    /// As [`ConnectOptions::from_env`], with the environment given.
    ///
    /// # Errors
    /// As [`ConnectOptions::parse`].
    pub fn from_env_in(environment: &dyn Environment) -> Result<Option<Self>, AddressError> {
        if let Some(url) = environment.variable("DATABASE_URL") {
            return Self::parse_in(&url, environment).map(Some);
        }
        if !environment::names_a_server(environment) {
            return Ok(None);
        }
        Self::build(&Parameters::from_environment(environment)?, environment).map(Some)
    }

    /// One server without TLS, with libpq's defaults for the rest and nothing from the environment.
    pub fn new(server: Endpoint, user: impl Into<String>, database: impl Into<String>) -> Self {
        Self {
            servers: vec![server],
            user: user.into(),
            password: None,
            passfile: None,
            database: database.into(),
            application_name: "lakefront".to_owned(),
            startup_options: None,
            target: SessionTarget::Any,
            any_order: false,
            channel_binding: tokio_postgres::config::ChannelBinding::Prefer,
            connect_timeout: Some(DEFAULT_CONNECT_TIMEOUT),
            keepalive: Keepalive::default(),
            tls: TlsSettings::disabled(),
        }
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(mut self, database: impl Into<String>) -> Self {
        self.database = database.into();
        self
    }

    /// The same server, another user; the password of the one before is forgotten.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<String>) -> Self {
        self.user = user.into();
        self.password = None;
        self
    }

    /// Signs in with this password.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.password = Some(password);
        self
    }

    /// Shows this name in `pg_stat_activity`; `lakefront` by default.
    #[must_use]
    pub fn with_application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = name.into();
        self
    }

    /// Bounds how long one server may take to answer; `None` waits for ever.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The servers in the order in which they are tried; never empty.
    pub fn servers(&self) -> &[Endpoint] {
        &self.servers
    }

    /// Who signs in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The TLS settings.
    pub fn tls(&self) -> &TlsSettings {
        &self.tls
    }

    /// The password for one of the servers: the one given, else the one in the password file.
    pub fn password_for(&self, server: &Endpoint) -> Option<Password> {
        self.password.clone().or_else(|| {
            let file = self.passfile.as_deref()?;
            passfile::look_up(file, server, &self.database, &self.user)
        })
    }

    /// `host:port/database as user`, for people; no secret.
    pub fn describe(&self) -> String {
        let servers: Vec<_> = self.servers.iter().map(Endpoint::to_string).collect();
        format!("{}/{} as {}", servers.join(","), self.database, self.user)
    }

    /// The URL without the password, as `psql` and other clients take it.
    pub fn url(&self) -> String {
        self.write_url(None)
    }

    /// The URL with the password in it: for handing to another process, never for a log.
    pub fn url_with_password(&self) -> String {
        self.write_url(self.password.as_ref())
    }

    fn write_url(&self, password: Option<&Password>) -> String {
        let mut url = format!("postgresql://{}", conninfo::encode(&self.user));
        if let Some(password) = password {
            url.push(':');
            url.push_str(&conninfo::encode(password.reveal()));
        }
        let servers: Vec<_> = self
            .servers
            .iter()
            .map(|server| match server.host.as_str() {
                host if host.contains(':') => server.to_string(),
                host => format!("{}:{}", conninfo::encode(host), server.port),
            })
            .collect();
        url.push_str(&format!("@{}/{}", servers.join(","), conninfo::encode(&self.database)));
        if !self.servers.iter().all(Endpoint::is_socket) {
            url.push_str(&format!("?sslmode={}", self.tls.mode));
        }
        url
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("server", &self.describe())
            .field("password", &self.password)
            .field("sslmode", &self.tls.mode)
            .finish_non_exhaustive()
    }
}
