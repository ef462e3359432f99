//! TLS as libpq's `sslmode` defines it (PostgreSQL manual, "Protection Provided in Different Modes"), by rustls.

use std::{path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::settings::{DatabaseSettings, SettingsError, SslMode};

/// The client side of TLS for these settings; also made where TLS is disabled, and then not used.
pub fn client_config(settings: &DatabaseSettings) -> Result<ClientConfig, SettingsError> {
    let provider = Arc::new(ring::default_provider());
    let root_file = settings.ssl_root_cert.as_deref();
    let check = match settings.ssl_mode {
        SslMode::Disable | SslMode::Prefer => Check::Nothing,
        // libpq: with a root certificate at hand, `require` behaves as `verify-ca`.
        SslMode::Require if root_file.is_none() => Check::Nothing,
        SslMode::Require | SslMode::VerifyCa => Check::Authority,
        SslMode::VerifyFull => Check::AuthorityAndHost,
    };
    let authority = match check {
        Check::Nothing => None,
        Check::Authority | Check::AuthorityAndHost => {
            let roots = Arc::new(roots(root_file)?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
                .build()
                .map_err(|error| root_error(root_file, error))?;
            Some(verifier)
        }
    };
    let verifier = Arc::new(Verifier { check, authority, provider: provider.clone() });
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| root_error(root_file, error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, SettingsError> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(path) if path != Path::new("system") => {
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|error| root_error(file, error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| root_error(file, error))?;
                roots.add(certificate).map_err(|error| root_error(file, error))?;
            }
        }
        _ => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(root_error(file, "there are none"));
    }
    Ok(roots)
}

fn root_error(file: Option<&Path>, cause: impl ToString) -> SettingsError {
    let path = file.map_or_else(|| "the system".to_owned(), |path| path.display().to_string());
    SettingsError::RootCertificate { path, cause: cause.to_string() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Nothing,
    Authority,
    AuthorityAndHost,
}

#[derive(Debug)]
struct Verifier {
    check: Check,
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authority) = &self.authority else {
            return Ok(ServerCertVerified::assertion());
        };
        match authority.verify_server_cert(certificate, intermediates, host, ocsp, now) {
            // The authority was checked before the name, so a wrong name alone is what verify-ca allows.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.check == Check::Authority => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
