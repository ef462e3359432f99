//! What rustls does not give of a certificate: its names, its validity, its bare key.

use std::net::IpAddr;

use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use x509_cert::Version;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// `id-at-commonName`, RFC 5280 appendix A.1.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// A parsed X.509 certificate.
pub(super) struct Certificate(x509_cert::Certificate);

impl Certificate {
    /// Parses; `None` when it is not a certificate.
    pub(super) fn parse(der: &CertificateDer<'_>) -> Option<Self> {
        x509_cert::Certificate::from_der(der).ok().map(Self)
    }

    /// True for version 1, which has no extensions and so no alternative names.
    pub(super) fn is_version_1(&self) -> bool {
        self.0.tbs_certificate.version == Version::V1
    }

    /// True when it names itself as its authority.
    pub(super) fn is_self_issued(&self) -> bool {
        self.0.tbs_certificate.issuer == self.0.tbs_certificate.subject
    }

    /// True when `authority` is whom it names as its issuer.
    pub(super) fn names_as_issuer(&self, authority: &Self) -> bool {
        self.0.tbs_certificate.issuer == authority.0.tbs_certificate.subject
    }

    /// True within its time of validity.
    pub(super) fn is_valid_at(&self, now: UnixTime) -> bool {
        let validity = &self.0.tbs_certificate.validity;
        let now = now.as_secs();
        validity.not_before.to_unix_duration().as_secs() <= now
            && now <= validity.not_after.to_unix_duration().as_secs()
    }

    /// The host names of its alternative names.
    pub(super) fn dns_names(&self) -> Vec<String> {
        self.alternative_names()
            .into_iter()
            .filter_map(|name| match name {
                GeneralName::DnsName(name) => Some(name.to_string()),
                _ => None,
            })
            .collect()
    }

    /// The IP addresses of its alternative names.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        self.alternative_names()
            .into_iter()
            .filter_map(|name| match name {
                GeneralName::IpAddress(bytes) => match bytes.as_bytes().len() {
                    4 => <[u8; 4]>::try_from(bytes.as_bytes()).ok().map(IpAddr::from),
                    _ => <[u8; 16]>::try_from(bytes.as_bytes()).ok().map(IpAddr::from),
                },
                _ => None,
            })
            .collect()
    }

    fn alternative_names(&self) -> Vec<GeneralName> {
        let extensions = self.0.tbs_certificate.extensions.as_deref().unwrap_or_default();
        extensions
            .iter()
            .filter(|extension| extension.extn_id == SubjectAltName::OID)
            .filter_map(|extension| SubjectAltName::from_der(extension.extn_value.as_bytes()).ok())
            .flat_map(|names| names.0)
            .collect()
    }

    /// The common name of its subject, if it is text.
    pub(super) fn common_name(&self) -> Option<String> {
        let names = &self.0.tbs_certificate.subject.0;
        let value = names
            .iter()
            .flat_map(|relative| relative.0.iter())
            .find(|attribute| attribute.oid == COMMON_NAME)?;
        String::from_utf8(value.value.value().to_vec())
            .ok()
            // A zero byte inside would hide what follows it from a reader in C.
            .filter(|name| !name.contains('\0'))
    }

    /// Its public key, for a check of a signature by that key alone.
    pub(super) fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'static>> {
        let der = self.0.tbs_certificate.subject_public_key_info.to_der().ok()?;
        Some(SubjectPublicKeyInfoDer::from(der))
    }

    /// True when the key of `authority` signed it, by one of the algorithms that rustls accepts.
    pub(super) fn is_signed_by(
        &self,
        authority: &Self,
        algorithms: rustls::crypto::WebPkiSupportedAlgorithms,
    ) -> bool {
        let key = &authority.0.tbs_certificate.subject_public_key_info;
        let (Some(key_algorithm), Some(signature_algorithm), Ok(message), Some(signature)) = (
            identifier(&key.algorithm),
            identifier(&self.0.signature_algorithm),
            self.0.tbs_certificate.to_der(),
            self.0.signature.as_bytes(),
        ) else {
            return false;
        };
        algorithms
            .all
            .iter()
            .filter(|algorithm| {
                algorithm.public_key_alg_id().as_ref() == key_algorithm
                    && algorithm.signature_alg_id().as_ref() == signature_algorithm
            })
            .any(|algorithm| {
                algorithm.verify_signature(key.subject_public_key.raw_bytes(), &message, signature).is_ok()
            })
    }
}

/// The content of the DER sequence, the form in which rustls lists its algorithms.
fn identifier(algorithm: &x509_cert::spki::AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let mut content = algorithm.oid.to_der().ok()?;
    if let Some(parameters) = &algorithm.parameters {
        content.extend(parameters.to_der().ok()?);
    }
    Some(content)
}
