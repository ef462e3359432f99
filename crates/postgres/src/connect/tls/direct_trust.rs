//! Two kinds of server certificates that OpenSSL, and so libpq, accepts and rustls' own verifier
//! does not: a self-signed one that is itself in the root file, and one of X.509 version 1 signed
//! by a root. The PostgreSQL manual's own recipes ("Creating Certificates") make both.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::certificate::Certificate;

/// True when a root vouches for the certificate without any chain between.
pub(super) fn is_trusted(
    end_entity: &CertificateDer<'_>,
    roots: &[CertificateDer<'static>],
    now: UnixTime,
    algorithms: WebPkiSupportedAlgorithms,
) -> bool {
    let Some(certificate) = Certificate::parse(end_entity) else {
        return false;
    };
    if !certificate.is_valid_at(now) {
        return false;
    }
    if certificate.is_self_issued() && roots.iter().any(|root| root.as_ref() == end_entity.as_ref()) {
        return true;
    }
    certificate.is_version_1()
        && roots.iter().filter_map(Certificate::parse).any(|root| {
            certificate.names_as_issuer(&root)
                && root.is_valid_at(now)
                && certificate.is_signed_by(&root, algorithms)
        })
}
