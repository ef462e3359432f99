//! Options put together from parameters.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::ChannelBinding;

use super::address::{AddressError, Endpoint};
use super::environment::{self, Environment};
use super::keepalive::Keepalive;
use super::keyword::Parameters;
use super::options::{ConnectOptions, DEFAULT_CONNECT_TIMEOUT, SessionTarget};
use super::password::Password;
use super::tls::TlsSettings;

/// The port of PostgreSQL unless another is named.
const DEFAULT_PORT: u16 = 5432;

/// Where servers put their socket: Debian and most Linux, then PostgreSQL's own default.
pub(super) const SOCKET_FOLDERS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

impl ConnectOptions {
    pub(super) fn build(
        parameters: &Parameters,
        environment: &dyn Environment,
    ) -> Result<Self, AddressError> {
        refuse_unsupported(parameters)?;
        let user = match parameters.get("user") {
            Some(user) => user.to_owned(),
            None => environment.user_name().ok_or(AddressError::NoUser)?,
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
}

fn servers(parameters: &Parameters) -> Result<Vec<Endpoint>, AddressError> {
    let list = |keyword| -> Vec<&str> {
        parameters.get(keyword).map(|value| value.split(',').collect()).unwrap_or_default()
    };
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = hosts.len().max(addresses.len()).max(1);
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(AddressError::Value {
            keyword: "hostaddr",
            expected: "one address for each host is needed",
        });
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(AddressError::Value {
            keyword: "port",
            expected: "one port, or one for each host, is needed",
        });
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

fn channel_binding(parameters: &Parameters) -> Result<ChannelBinding, AddressError> {
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
    parameters.refuse(
        "require_auth",
        &[],
        "use channel_binding=require or sslmode=verify-full to be sure of the server",
    )?;
    parameters.refuse("gssencmode", &["disable", "prefer"], "GSSAPI encryption is not spoken; use TLS")?;
    parameters.refuse(
        "client_encoding",
        &["auto", "UTF8", "utf8", "UTF-8", "utf-8"],
        "text is always sent as UTF8",
    )
}
