//! The parameters that begin with `ssl`.

use std::fmt;
use std::path::PathBuf;

use crate::connect::address::AddressError;
use crate::connect::environment::{self, Environment};
use crate::connect::keyword::Parameters;

/// How much TLS a connection asks for; the words of libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// Without TLS, and with it where the server refuses that.
    Allow,
    /// With TLS, and without where the server does not offer it.
    Prefer,
    /// Only with TLS. The server's certificate is checked when a root certificate file exists.
    Require,
    /// Only with TLS, and the certificate must be signed by a trusted authority.
    VerifyCa,
    /// As `VerifyCa`, and the certificate must be for the host asked for.
    VerifyFull,
}

impl SslMode {
    const WORDS: [(&'static str, Self); 6] = [
        ("disable", Self::Disable),
        ("allow", Self::Allow),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];

    /// True when a connection without TLS is out of the question.
    pub fn demands_tls(self) -> bool {
        self >= Self::Require
    }

    /// True when a root certificate is needed.
    pub fn demands_trust(self) -> bool {
        self >= Self::VerifyCa
    }

    /// The word that libpq uses.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a TLS session is begun; libpq's `sslnegotiation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslNegotiation {
    /// The server is asked first.
    Postgres,
    /// The handshake begins at once (PostgreSQL 17 and later).
    Direct,
}

/// Which certificate authorities are trusted; libpq's `sslrootcert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootCertificates {
    /// Those of the operating system (`sslrootcert=system`).
    System,
    /// Those in a PEM file, by default `~/.postgresql/root.crt`.
    File(PathBuf),
}

impl fmt::Display for RootCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("the operating system's list"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Whether a client certificate is sent; libpq's `sslcertmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateMode {
    /// Never.
    Disable,
    /// When there is one and the server asks for it.
    Allow,
}

/// A TLS protocol version; rustls speaks these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2
    V1_2,
    /// TLS 1.3
    V1_3,
}

/// Everything that libpq's `ssl…` parameters say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// `sslmode`
    pub mode: SslMode,
    /// `sslnegotiation`
    pub negotiation: SslNegotiation,
    /// `sslrootcert`
    pub roots: RootCertificates,
    /// `sslcert`: a PEM file with the client's certificate and its chain; used when it exists.
    pub certificate: PathBuf,
    /// `sslkey`: a PEM file with the key of that certificate.
    pub key: PathBuf,
    /// `sslcertmode`
    pub certificate_mode: CertificateMode,
    /// `sslcrl`: a PEM file with certificate revocation lists; used when it exists.
    pub revocations: PathBuf,
    /// `sslsni`: whether the host name is sent with the greeting.
    pub server_name_indication: bool,
    /// `ssl_min_protocol_version`
    pub min_version: TlsVersion,
    /// `ssl_max_protocol_version`
    pub max_version: TlsVersion,
}

impl TlsSettings {
    /// No TLS at all, as on a Unix socket.
    pub fn disabled() -> Self {
        Self {
            mode: SslMode::Disable,
            negotiation: SslNegotiation::Postgres,
            roots: RootCertificates::System,
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            certificate_mode: CertificateMode::Disable,
            revocations: PathBuf::new(),
            server_name_indication: true,
            min_version: TlsVersion::V1_2,
            max_version: TlsVersion::V1_3,
        }
    }

    pub(in crate::connect) fn from_parameters(
        parameters: &Parameters,
        environment: &dyn Environment,
    ) -> Result<Self, AddressError> {
        let folder = environment::home(environment).map(|home| home.join(".postgresql"));
        let file = |keyword, name: &str| match parameters.get(keyword) {
            Some(path) => PathBuf::from(path),
            None => folder.as_ref().map(|folder| folder.join(name)).unwrap_or_default(),
        };
        let roots = match parameters.get("sslrootcert") {
            Some("system") => RootCertificates::System,
            _ => RootCertificates::File(file("sslrootcert", "root.crt")),
        };
        let given = parameters.choice(
            "sslmode",
            "one of disable, allow, prefer, require, verify-ca, verify-full is needed",
            &SslMode::WORDS,
        )?;
        let mode = match (given, &roots) {
            (None, RootCertificates::System) => SslMode::VerifyFull,
            (Some(mode), RootCertificates::System) if mode != SslMode::VerifyFull => {
                return Err(AddressError::Value {
                    keyword: "sslmode",
                    expected: "with sslrootcert=system only verify-full is possible, since anybody can have a certificate signed",
                });
            }
            (given, _) => given.unwrap_or(SslMode::Prefer),
        };
        let negotiation = parameters
            .choice(
                "sslnegotiation",
                "postgres or direct is needed",
                &[("postgres", SslNegotiation::Postgres), ("direct", SslNegotiation::Direct)],
            )?
            .unwrap_or(SslNegotiation::Postgres);
        if negotiation == SslNegotiation::Direct && !mode.demands_tls() {
            return Err(AddressError::Value {
                keyword: "sslnegotiation",
                expected: "direct needs sslmode=require or stronger",
            });
        }
        parameters.refuse(
            "sslpassword",
            &[],
            "the client key must not be encrypted; decrypt it with openssl pkey",
        )?;
        parameters.refuse("sslcrldir", &[], "give the revocation lists in one file with sslcrl")?;
        Ok(Self {
            mode,
            negotiation,
            roots,
            certificate: file("sslcert", "postgresql.crt"),
            key: file("sslkey", "postgresql.key"),
            certificate_mode: parameters
                .choice(
                    "sslcertmode",
                    "disable or allow is needed",
                    &[("disable", CertificateMode::Disable), ("allow", CertificateMode::Allow)],
                )?
                .unwrap_or(CertificateMode::Allow),
            revocations: file("sslcrl", "root.crl"),
            server_name_indication: parameters
                .choice("sslsni", "0 or 1 is needed", &[("0", false), ("1", true)])?
                .unwrap_or(true),
            min_version: version(parameters, "ssl_min_protocol_version")?.unwrap_or(TlsVersion::V1_2),
            max_version: version(parameters, "ssl_max_protocol_version")?.unwrap_or(TlsVersion::V1_3),
        })
    }
}

fn version(parameters: &Parameters, keyword: &'static str) -> Result<Option<TlsVersion>, AddressError> {
    // As a lower bound the versions that rustls does not speak mean the lowest that it does.
    let mut choices = vec![("TLSv1.2", TlsVersion::V1_2), ("TLSv1.3", TlsVersion::V1_3)];
    if keyword == "ssl_min_protocol_version" {
        choices.extend([("TLSv1", TlsVersion::V1_2), ("TLSv1.1", TlsVersion::V1_2)]);
    }
    parameters.choice(keyword, "TLSv1.2 or TLSv1.3 is needed", &choices)
}
