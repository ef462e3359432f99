//! TLS as libpq's `sslmode` defines it, with rustls.
//!
//! Source: the PostgreSQL manual, "SSL Support"; in the corners the behaviour follows
//! `fe-secure-openssl.c` of libpq.

mod certificate;
mod client_identity;
mod connector;
mod direct_trust;
mod problem;
mod roots;
mod server_name;
mod settings;
mod verifier;

pub(super) use connector::{Connector, Stage};
pub use problem::TlsProblem;
pub use settings::{CertificateMode, RootCertificates, SslMode, SslNegotiation, TlsSettings};
