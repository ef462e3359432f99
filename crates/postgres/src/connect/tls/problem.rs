//! What can go wrong with TLS, told apart by type.

use std::io;
use std::path::PathBuf;

use rustls::{AlertDescription, CertificateError};
use thiserror::Error;

use super::settings::{RootCertificates, SslMode};

/// Why a TLS session was not made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The server answered that it has no TLS.
    #[error("the server does not offer TLS")]
    NotOffered,
    /// The chain does not end at a trusted authority.
    #[error("the server's certificate is not signed by an authority in {roots}")]
    Untrusted {
        /// Where the trusted authorities come from.
        roots: RootCertificates,
    },
    /// The certificate is for other hosts.
    #[error("the server's certificate is for {presented}, not for \"{host}\"")]
    WrongName {
        /// The host asked for.
        host: String,
        /// The names in the certificate.
        presented: String,
    },
    /// The time of validity is over.
    #[error("the server's certificate has expired")]
    Expired,
    /// The time of validity has not begun.
    #[error("the server's certificate is not valid yet (is the clock right?)")]
    NotYetValid,
    /// The certificate is on a revocation list, or its list is missing.
    #[error("the server's certificate is revoked, or the revocation list of its authority is missing")]
    Revoked,
    /// The server did not accept the client's certificate, or wants one.
    #[error("the server refused the client certificate, or wants one and got none")]
    ClientCertificate,
    /// A verification mode without anything to verify against.
    #[error("root certificate file {} does not exist", .0.display())]
    NoRootFile(PathBuf),
    /// A certificate or key file cannot be used.
    #[error("cannot use {what} {}: {reason}", .path.display())]
    File {
        /// What the file holds.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system's list of authorities is empty.
    #[error("the operating system has no list of trusted certificate authorities")]
    NoSystemRoots,
    /// rustls takes the settings for impossible.
    #[error("the TLS settings are impossible")]
    Settings(#[source] rustls::Error),
    /// The handshake failed for another reason.
    #[error("the TLS handshake failed")]
    Handshake(#[source] io::Error),
}

impl TlsProblem {
    /// Finds the reason of a failed handshake.
    pub(in crate::connect) fn from_io(error: io::Error, host: &str, roots: &RootCertificates) -> Self {
        let Some(tls) = rustls_error(&error) else {
            return Self::Handshake(error);
        };
        match tls {
            rustls::Error::InvalidCertificate(certificate) => match certificate {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::NotYetValid
                }
                CertificateError::Revoked
                | CertificateError::UnknownRevocationStatus
                | CertificateError::ExpiredRevocationList
                | CertificateError::ExpiredRevocationListContext { .. } => Self::Revoked,
                CertificateError::NotValidForNameContext { presented, .. } => Self::WrongName {
                    host: host.to_owned(),
                    presented: if presented.is_empty() {
                        "no host at all".to_owned()
                    } else {
                        presented.join(", ")
                    },
                },
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    Self::Untrusted { roots: roots.clone() }
                }
                _ => Self::Handshake(error),
            },
            rustls::Error::AlertReceived(alert) if is_about_client_certificate(*alert) => {
                Self::ClientCertificate
            }
            _ => Self::Handshake(error),
        }
    }

    /// In TLS 1.3 the server turns a client certificate down after the handshake, as an answer to
    /// the first message.
    pub(in crate::connect) fn client_certificate_alert(error: &io::Error) -> Option<Self> {
        match rustls_error(error) {
            Some(rustls::Error::AlertReceived(alert)) if is_about_client_certificate(*alert) => {
                Some(Self::ClientCertificate)
            }
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self, mode: SslMode) -> String {
        match self {
            Self::NotOffered => format!(
                "sslmode={mode} insists on TLS: switch it on at the server (ssl = on), or use sslmode=prefer if the network is trusted"
            ),
            Self::Untrusted { .. } => format!(
                "sslmode={mode} with this list verifies the certificate: give the authority's own certificate with sslrootcert=FILE, or sslrootcert=system when a public authority signed it"
            ),
            Self::WrongName { .. } => "connect by a name that is in the certificate, or use sslmode=verify-ca, which does not check the name".to_owned(),
            Self::Expired | Self::NotYetValid | Self::Revoked => {
                "the server needs a new certificate".to_owned()
            }
            Self::ClientCertificate => "give the certificate with sslcert=FILE and its key with sslkey=FILE, signed by an authority that the server trusts".to_owned(),
            Self::NoRootFile(_) => format!(
                "sslmode={mode} needs it: give the authority's certificate with sslrootcert=FILE, use sslrootcert=system, or use sslmode=require, which verifies nothing without it"
            ),
            Self::File { .. } => "correct the file, or name another".to_owned(),
            Self::NoSystemRoots => "install the package ca-certificates, or give the authority's certificate with sslrootcert=FILE".to_owned(),
            Self::Settings(_) => "check ssl_min_protocol_version, ssl_max_protocol_version, sslcert and sslkey".to_owned(),
            Self::Handshake(_) => format!(
                "the address asks for sslmode={mode}; the server's log says more, such as that it does not accept the client certificate"
            ),
        }
    }
}

/// The rustls error inside an I/O error, if that is what it carries.
fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// True for the alerts by which a server turns the client's certificate down.
fn is_about_client_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    )
}
