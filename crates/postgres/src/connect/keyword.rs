//! The parameters of a connection, from three places: the address, the environment, the defaults.

use std::collections::BTreeMap;

use super::address::AddressError;
use super::conninfo::{self, Pairs};
use super::environment::Environment;

/// libpq's keywords with the environment variable that stands in for each.
///
/// Source: the PostgreSQL manual, "Parameter Key Words" and "Environment Variables".
const KEYWORDS: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("require_auth", "PGREQUIREAUTH"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("client_encoding", "PGCLIENTENCODING"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("fallback_application_name", ""),
    ("keepalives", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("keepalives_count", ""),
    ("tcp_user_timeout", ""),
    ("replication", ""),
    ("gssencmode", "PGGSSENCMODE"),
    ("gssdelegation", ""),
    ("gsslib", ""),
    ("krbsrvname", ""),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslcompression", ""),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslpassword", ""),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslsni", "PGSSLSNI"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("requirepeer", "PGREQUIREPEER"),
    ("service", ""),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
];

/// Values by keyword; an empty value counts as not given.
pub(super) struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    /// From an address, completed from the environment.
    pub(super) fn from_text(text: &str, environment: &dyn Environment) -> Result<Self, AddressError> {
        Self::from_pairs(conninfo::split(text)?, environment)
    }

    /// From the environment alone.
    pub(super) fn from_environment(environment: &dyn Environment) -> Result<Self, AddressError> {
        Self::from_pairs(Pairs::new(), environment)
    }

    fn from_pairs(pairs: Pairs, environment: &dyn Environment) -> Result<Self, AddressError> {
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            let Some((keyword, _)) = KEYWORDS.iter().find(|(keyword, _)| *keyword == name) else {
                // After a password the unknown word may be the rest of it.
                let safe = !values.contains_key("password")
                    && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                return Err(AddressError::Unknown(safe.then_some(name)));
            };
            values.insert(*keyword, value);
        }
        for (keyword, variable) in KEYWORDS.iter().filter(|(_, variable)| !variable.is_empty()) {
            if !values.contains_key(keyword)
                && let Some(value) = environment.variable(variable)
            {
                values.insert(*keyword, value);
            }
        }
        Ok(Self(values))
    }

    /// The value of a keyword, if it has one.
    pub(super) fn get(&self, keyword: &'static str) -> Option<&str> {
        self.0.get(keyword).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value as one of the listed words.
    pub(super) fn choice<T: Copy>(
        &self,
        keyword: &'static str,
        expected: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, AddressError> {
        let Some(value) = self.get(keyword) else {
            return Ok(None);
        };
        choices
            .iter()
            .find(|(word, _)| *word == value)
            .map(|(_, choice)| Some(*choice))
            .ok_or(AddressError::Value { keyword, expected })
    }

    /// The value as a whole number; libpq takes spaces around it.
    pub(super) fn number(&self, keyword: &'static str) -> Result<Option<i64>, AddressError> {
        self.get(keyword)
            .map(|value| {
                value
                    .trim()
                    .parse()
                    .map_err(|_| AddressError::Value { keyword, expected: "a whole number is needed" })
            })
            .transpose()
    }

    /// Refuses a keyword whose value asks for what cannot be given.
    pub(super) fn refuse(
        &self,
        keyword: &'static str,
        harmless: &[&str],
        reason: &'static str,
    ) -> Result<(), AddressError> {
        match self.get(keyword) {
            Some(value) if !harmless.contains(&value) => Err(AddressError::Unsupported { keyword, reason }),
            _ => Ok(()),
        }
    }
}
