//! What a connection is asked for.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::address::{AddressError, Endpoint};
use super::conninfo;
use super::environment::{self, Environment, ProcessEnvironment};
use super::keyword::Parameters;
use super::passfile;
use super::password::Password;
use super::tls::TlsSettings;

/// The port of PostgreSQL unless another is named.
const DEFAULT_PORT: u16 = 5432;

/// How long one server may take to answer unless `connect_timeout` says otherwise: longer than a
/// lost packet and a server busy with recovery take to answer, short enough for somebody waiting.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A silent peer is probed after this time, so that a connection cut by a firewall is noticed
/// within minutes and not after the two hours that systems have as default.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_COUNT: u32 = 4;

/// Where servers put their socket: Debian and most Linux, then PostgreSQL's own default.
pub(super) const SOCKET_FOLDERS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

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

/// TCP keepalive probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keepalive {
    pub(super) on: bool,
    pub(super) idle: Duration,
    pub(super) interval: Duration,
    pub(super) count: u32,
    pub(super) user_timeout: Option<Duration>,
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

    fn build(parameters: &Parameters, environment: &dyn Environment) -> Result<Self, AddressError> {
        refuse_unsupported(parameters)?;
        let user = match parameters.get("user") {
            Some(user) => user.to_owned(),
            None => ["USER", "LOGNAME"]
                .iter()
                .find_map(|name| environment.variable(name))
                .ok_or(AddressError::NoUser)?,
        };
        let connect_timeout = match parameters.number("connect_timeout")? {
            None => Some(DEFAULT_CONNECT_TIMEOUT),
            Some(seconds) => u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs),
        };
        let passfile = match parameters.get("passfile") {
            Some(path) => Some(PathBuf::from(path)),
            None => environment::home(environment).map(|home| home.join(".pgpass")),
        };
        Ok(Self {
            servers: servers(parameters)?,
            password: parameters.get("password").map(Password::new),
            passfile,
            database: parameters.get("dbname").unwrap_or(&user).to_owned(),
            application_name: parameters
                .get("application_name")
                .or_else(|| parameters.get("fallback_application_name"))
                .unwrap_or("lakefront")
                .to_owned(),
            startup_options: parameters.get("options").map(str::to_owned),
            target: target(parameters)?,
            any_order: parameters
                .choice(
                    "load_balance_hosts",
                    "disable or random is needed",
                    &[("disable", false), ("random", true)],
                )?
                .unwrap_or(false),
            channel_binding: channel_binding(parameters)?,
            connect_timeout,
            keepalive: Keepalive::from_parameters(parameters)?,
            tls: TlsSettings::from_parameters(parameters, environment)?,
            user,
        })
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

impl Default for Keepalive {
    fn default() -> Self {
        Self {
            on: true,
            idle: KEEPALIVE_IDLE,
            interval: KEEPALIVE_INTERVAL,
            count: KEEPALIVE_COUNT,
            user_timeout: None,
        }
    }
}

impl Keepalive {
    fn from_parameters(parameters: &Parameters) -> Result<Self, AddressError> {
        let default = Self::default();
        let positive = |keyword| -> Result<Option<u64>, AddressError> {
            let number = parameters.number(keyword)?;
            Ok(number.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0))
        };
        Ok(Self {
            on: parameters.number("keepalives")? != Some(0),
            idle: positive("keepalives_idle")?.map_or(default.idle, Duration::from_secs),
            interval: positive("keepalives_interval")?.map_or(default.interval, Duration::from_secs),
            count: positive("keepalives_count")?
                .map_or(default.count, |n| u32::try_from(n).unwrap_or(u32::MAX)),
            user_timeout: positive("tcp_user_timeout")?.map(Duration::from_millis),
        })
    }
}

fn servers(parameters: &Parameters) -> Result<Vec<Endpoint>, AddressError> {
    let list = |keyword| -> Vec<&str> {
        parameters.get(keyword).map(|value| value.split(',').collect()).unwrap_or_default()
    };
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = hosts.len().max(addresses.len()).max(1);
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(AddressError::Value { keyword: "hostaddr", expected: "one address for each host is needed" });
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(AddressError::Value { keyword: "port", expected: "one port, or one for each host, is needed" });
    }
    (0..count)
        .map(|n| {
            let port = match ports.get(n).or(ports.first()).map(|port| port.trim()) {
                None | Some("") => DEFAULT_PORT,
                Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(AddressError::Value {
                    keyword: "port",
                    expected: "a number from 1 to 65535 is needed",
                })?,
            };
            let address: Option<IpAddr> = match addresses.get(n).map(|address| address.trim()) {
                None | Some("") => None,
                Some(address) => Some(address.parse().map_err(|_| AddressError::Value {
                    keyword: "hostaddr",
                    expected: "an IP address is needed",
                })?),
            };
            let host = match (hosts.get(n).map(|host| host.trim()), address) {
                (None | Some(""), Some(address)) => address.to_string(),
                (None | Some(""), None) => default_host(port),
                (Some(host), _) => host.to_owned(),
            };
            Ok(Endpoint { host, address, port })
        })
        .collect()
}

/// The folder of a socket that a server has put there, else `localhost`; libpq has the folder
/// compiled in.
fn default_host(port: u16) -> String {
    SOCKET_FOLDERS
        .iter()
        .find(|folder| PathBuf::from(folder).join(format!(".s.PGSQL.{port}")).exists())
        .map_or_else(|| "localhost".to_owned(), |folder| (*folder).to_owned())
}

fn target(parameters: &Parameters) -> Result<SessionTarget, AddressError> {
    let target = parameters.choice(
        "target_session_attrs",
        "one of any, read-write, read-only, primary, standby, prefer-standby is needed",
        &[
            ("any", SessionTarget::Any),
            ("read-write", SessionTarget::ReadWrite),
            ("read-only", SessionTarget::ReadOnly),
            ("primary", SessionTarget::Primary),
            ("standby", SessionTarget::Standby),
            ("prefer-standby", SessionTarget::PreferStandby),
        ],
    )?;
    Ok(target.unwrap_or(SessionTarget::Any))
}

fn channel_binding(parameters: &Parameters) -> Result<tokio_postgres::config::ChannelBinding, AddressError> {
    use tokio_postgres::config::ChannelBinding;
    let binding = parameters.choice(
        "channel_binding",
        "one of disable, prefer, require is needed",
        &[
            ("disable", ChannelBinding::Disable),
            ("prefer", ChannelBinding::Prefer),
            ("require", ChannelBinding::Require),
        ],
    )?;
    Ok(binding.unwrap_or(ChannelBinding::Prefer))
}

fn refuse_unsupported(parameters: &Parameters) -> Result<(), AddressError> {
    parameters.refuse("service", &[], "write what the service file says into the address")?;
    parameters.refuse("replication", &["false", "off", "no", "0"], "Lakefront needs an ordinary session")?;
    parameters.refuse("requirepeer", &[], "leave it out, or connect over TCP with sslmode=verify-full")?;
    parameters.refuse("require_auth", &[], "use channel_binding=require or sslmode=verify-full to be sure of the server")?;
    parameters.refuse("gssencmode", &["disable", "prefer"], "GSSAPI encryption is not spoken; use TLS")?;
    parameters.refuse("client_encoding", &["auto", "UTF8", "utf8", "UTF-8", "utf-8"], "text is always sent as UTF8")
}
