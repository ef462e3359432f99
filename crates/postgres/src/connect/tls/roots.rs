//! The trusted certificate authorities.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use super::problem::TlsProblem;
use super::settings::{RootCertificates, SslMode, TlsSettings};

/// Authorities to verify against.
pub(super) struct Roots {
    pub(super) store: RootCertStore,
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) revocations: Vec<CertificateRevocationListDer<'static>>,
}

impl Roots {
    /// Loads what the settings name. `None` when nothing is to be verified: the file does not exist
    /// and `sslmode` does not insist (the manual: "If a root CA file exists, the behavior of
    /// sslmode=require will be the same as that of verify-ca").
    pub(super) fn load(settings: &TlsSettings) -> Result<Option<Self>, TlsProblem> {
        let certificates = match &settings.roots {
            RootCertificates::System => rustls_native_certs::load_native_certs().certs,
            RootCertificates::File(path) if !path.exists() => return without_file(path, settings.mode),
            RootCertificates::File(path) => read_certificates("root certificate file", path)?,
        };
        let mut store = RootCertStore::empty();
        let (usable, _) = store.add_parsable_certificates(certificates.iter().cloned());
        if usable == 0 {
            return Err(match &settings.roots {
                RootCertificates::System => TlsProblem::NoSystemRoots,
                RootCertificates::File(path) => TlsProblem::File {
                    what: "root certificate file",
                    path: path.clone(),
                    reason: "it holds no usable certificate".to_owned(),
                },
            });
        }
        Ok(Some(Self { store, certificates, revocations: read_revocations(&settings.revocations)? }))
    }
}

fn without_file(path: &Path, mode: SslMode) -> Result<Option<Roots>, TlsProblem> {
    if mode.demands_trust() { Err(TlsProblem::NoRootFile(path.to_owned())) } else { Ok(None) }
}

/// Reads all certificates of a PEM file.
pub(super) fn read_certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| TlsProblem::File {
        what,
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn read_revocations(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsProblem> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    CertificateRevocationListDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| {
        TlsProblem::File { what: "revocation list", path: path.to_owned(), reason: error.to_string() }
    })
}
