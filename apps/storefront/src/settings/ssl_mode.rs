//! How the connection to PostgreSQL is encrypted: the names and meanings of libpq's `sslmode`
//! (PostgreSQL manual, "SSL Support", table "SSL Mode Descriptions").

use std::{fmt, net::IpAddr, str::FromStr};

use serde::Deserialize;

use super::SettingsError;

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted when the server offers it. libpq's `allow` is taken as this stronger mode.
    #[serde(alias = "allow")]
    Prefer,
    /// Always encrypted; the certificate is checked only when a root certificate is given.
    Require,
    /// Always encrypted, and the certificate must come from a trusted authority.
    VerifyCa,
    /// As `VerifyCa`, and the certificate must be for the host that was asked for.
    VerifyFull,
}

impl SslMode {
    /// The default for a host: a socket needs no encryption, loopback takes what is offered, all else requires it.
    pub fn default_for(host: &str) -> Self {
        if host.starts_with('/') {
            Self::Disable
        } else if is_loopback(host) {
            Self::Prefer
        } else {
            Self::Require
        }
    }

    /// The name as `PGSSLMODE` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SslMode {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        match text {
            "disable" => Ok(Self::Disable),
            "allow" | "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            _ => Err(SettingsError::SslMode(text.to_owned())),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_this_machine_goes_without_encryption() {
        assert_eq!(SslMode::default_for("/var/run/postgresql"), SslMode::Disable);
        for host in ["localhost", "127.0.0.1", "127.8.0.9", "::1", "[::1]"] {
            assert_eq!(SslMode::default_for(host), SslMode::Prefer, "{host}");
        }
        for host in ["db.example.com", "10.0.0.1", "localhost.example.com"] {
            assert_eq!(SslMode::default_for(host), SslMode::Require, "{host}");
        }
    }

    #[test]
    fn names_are_those_of_libpq() {
        for mode in ["disable", "prefer", "require", "verify-ca", "verify-full"] {
            assert_eq!(mode.parse::<SslMode>().unwrap().name(), mode);
        }
        let message = "on".parse::<SslMode>().unwrap_err().to_string();
        assert!(message.contains("\"on\"") && message.contains("verify-full"), "{message}");
    }
}
