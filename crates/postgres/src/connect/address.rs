//! Where a server is, and what can be wrong with the text that says so.

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

/// One server: a host name, an IP address or (beginning with `/`) the folder of a Unix socket, and
/// its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name, IP address, or the folder of a Unix socket.
    pub host: String,
    /// The address to connect to instead of looking `host` up (libpq's `hostaddr`).
    pub address: Option<IpAddr>,
    /// TCP port; for a Unix socket the number in the name of the socket file.
    pub port: u16,
}

impl Endpoint {
    /// True when the server is reached through a Unix socket.
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/') && self.address.is_none()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What is wrong with a database address. No variant holds a value that was given, since a wrongly
/// quoted password can land in any of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Neither a URL nor key=value pairs.
    #[error(
        "the database address is neither a URL (postgres://user@host:5432/database) nor key=value pairs (host=… dbname=…)"
    )]
    Form,
    /// A part of it cannot be read.
    #[error("the database address cannot be read: {0}")]
    Syntax(&'static str),
    /// A parameter that libpq does not know.
    #[error("the database address has an unknown parameter{}", .0.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default())]
    Unknown(Option<String>),
    /// A parameter whose value is not among the possible ones.
    #[error("the database address has a wrong value for {keyword}: {expected}")]
    Value {
        /// The libpq keyword.
        keyword: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// A parameter that cannot be honoured; to leave it out silently could weaken security.
    #[error("the database address has the parameter {keyword}, which is not supported: {reason}")]
    Unsupported {
        /// The libpq keyword.
        keyword: &'static str,
        /// Why, and what to do.
        reason: &'static str,
    },
    /// The process has no user name to sign in with.
    #[error("the database address names no user, and the name of the operating system user is unknown")]
    NoUser,
}

impl AddressError {
    /// What to do about it, where there is more to say than the message does.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Form | Self::Syntax(_) | Self::Value { keyword: "port", .. } => Some(
                "special characters in a user name or password must be percent-encoded in a URL (@ is %40, / is %2F, : is %3A), or quoted with ' in key=value pairs",
            ),
            Self::NoUser => Some("add user=…"),
            _ => None,
        }
    }
}
