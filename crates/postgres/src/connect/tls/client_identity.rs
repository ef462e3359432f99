//! The client's certificate and key.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::problem::TlsProblem;
use super::roots::read_certificates;
use super::settings::{CertificateMode, TlsSettings};

/// Loads the client's certificate; `None` when its file does not exist, as in libpq.
pub(super) fn load(
    settings: &TlsSettings,
    provider: &CryptoProvider,
) -> Result<Option<Arc<SingleCertAndKey>>, TlsProblem> {
    if settings.certificate_mode == CertificateMode::Disable || !settings.certificate.exists() {
        return Ok(None);
    }
    let chain = read_certificates("client certificate", &settings.certificate)?;
    check_access(&settings.key)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key)
        .map_err(|error| key_problem(&settings.key, error.to_string()))?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| key_problem(&settings.key, error.to_string()))?;
    let certified = CertifiedKey::new(chain, key);
    // Other outcomes only say that rustls cannot compare them, as with X.509 version 1.
    if let Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) = certified.keys_match() {
        let reason = format!("it is not the key of {}", settings.certificate.display());
        return Err(key_problem(&settings.key, reason));
    }
    Ok(Some(Arc::new(SingleCertAndKey::from(certified))))
}

/// The rule of libpq: no access for others, or, when root owns the file, reading by its group.
fn check_access(key: &Path) -> Result<(), TlsProblem> {
    let metadata = fs::metadata(key).map_err(|error| key_problem(key, error.to_string()))?;
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.mode() & forbidden != 0 {
        let reason = "others have access to it; chmod 0600 it".to_owned();
        return Err(key_problem(key, reason));
    }
    Ok(())
}

fn key_problem(path: &Path, reason: String) -> TlsProblem {
    TlsProblem::File { what: "client key", path: path.to_owned(), reason }
}
