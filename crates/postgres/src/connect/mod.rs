//! Connections to any PostgreSQL from version 15: the address as libpq understands it, sign-in,
//! TLS as `sslmode` defines it, and errors that say which of these failed.
//!
//! Source of the rules: the PostgreSQL manual, chapter 34 "libpq", sections "Database Connection
//! Control Functions", "Environment Variables", "The Password File" and "SSL Support".

mod address;
mod assemble;
mod attempt;
mod conninfo;
mod environment;
mod error;
mod keepalive;
mod keyword;
mod options;
mod passfile;
mod password;
mod session;
mod tls;

pub use address::{AddressError, Endpoint};
pub use environment::Environment;
pub use error::{ConnectError, SignInRefusal};
pub use options::{ConnectOptions, SessionTarget};
pub use password::Password;
pub use session::MIN_SERVER_VERSION_NUM;
pub use tls::{CertificateMode, RootCertificates, SslMode, SslNegotiation, TlsProblem, TlsSettings};
