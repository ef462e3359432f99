//! The check of the server's certificate, by the rules of libpq instead of those of web browsers.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::certificate::Certificate;
use super::direct_trust;
use super::problem::TlsProblem;
use super::roots::Roots;
use super::server_name;

/// Verifies as much as `sslmode` asks for; the proof that the server holds the certificate's key
/// is always asked for.
#[derive(Debug)]
pub(super) struct Verifier {
    /// The chain's check; `None` when any certificate will do.
    chain: Option<Chain>,
    check_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
struct Chain {
    webpki: Arc<WebPkiServerVerifier>,
    roots: Vec<CertificateDer<'static>>,
    has_revocations: bool,
}

impl Verifier {
    pub(super) fn new(
        roots: Option<Roots>,
        check_name: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsProblem> {
        let chain = roots
            .map(|roots| {
                let has_revocations = !roots.revocations.is_empty();
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots.store), Arc::clone(provider))
                    .with_crls(roots.revocations)
                    .build()
                    .map(|webpki| Chain { webpki, roots: roots.certificates, has_revocations })
                    .map_err(|error| TlsProblem::Settings(Error::General(error.to_string())))
            })
            .transpose()?;
        Ok(Self { chain, check_name, algorithms: provider.signature_verification_algorithms })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        let verdict =
            chain.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            Ok(_) => {}
            // The name is webpki's last check, so the chain is good; names follow libpq's rules.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => {}
            Err(Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadEncoding | CertificateError::Other(_),
            )) if !chain.has_revocations
                && direct_trust::is_trusted(end_entity, &chain.roots, now, self.algorithms) => {}
            Err(error) => return Err(error),
        }
        if self.check_name {
            check_name(end_entity, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // webpki does not parse version 1; the signature needs nothing but the key.
        let key = Certificate::parse(certificate)
            .filter(Certificate::is_version_1)
            .and_then(|certificate| certificate.public_key());
        match key {
            Some(key) => verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms),
            None => verify_tls13_signature(message, certificate, signature, &self.algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn check_name(end_entity: &CertificateDer<'_>, server_name: &ServerName<'_>) -> Result<(), Error> {
    let host = server_name.to_str();
    let certificate =
        Certificate::parse(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
    if server_name::matches(&certificate, &host) {
        return Ok(());
    }
    Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
        expected: server_name.to_owned(),
        presented: server_name::presented(&certificate),
    }))
}
