//! The hook that tokio-postgres calls for TLS. It also notes how far a connection came, since the
//! error of tokio-postgres does not tell an unreachable server from a failed handshake by type.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rustls::ClientConfig;
use rustls::version::{TLS12, TLS13};
use tokio_postgres::Socket;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::client_identity;
use super::problem::TlsProblem;
use super::roots::Roots;
use super::settings::{SslMode, TlsSettings, TlsVersion};
use super::verifier::Verifier;

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::connect) enum Stage {
    /// Looking the host up and opening the socket.
    Opening,
    /// The socket is open; whether TLS is spoken is settled, or the sign-in goes on without it.
    Open,
    /// The TLS handshake.
    Handshake,
    /// Sign-in within TLS.
    Secured,
}

#[derive(Default)]
struct Progress(AtomicU8);

/// Makes TLS sessions by the settings.
#[derive(Clone)]
pub(in crate::connect) struct Connector {
    tls: Option<MakeRustlsConnect>,
    progress: Arc<Progress>,
}

impl Connector {
    /// For connections without TLS.
    pub(in crate::connect) fn without_tls() -> Self {
        Self { tls: None, progress: Arc::default() }
    }

    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// [`TlsProblem`] when a file is missing or unusable.
    pub(in crate::connect) fn new(settings: &TlsSettings) -> Result<Self, TlsProblem> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let check_name = settings.mode == SslMode::VerifyFull;
        let verifier = Verifier::new(Roots::load(settings)?, check_name, &provider)?;
        let identity = client_identity::load(settings, &provider)?;
        let versions: Vec<_> = [(TlsVersion::V1_2, &TLS12), (TlsVersion::V1_3, &TLS13)]
            .into_iter()
            .filter(|(version, _)| (settings.min_version..=settings.max_version).contains(version))
            .map(|(_, version)| version)
            .collect();
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(TlsProblem::Settings)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match identity {
            Some(identity) => builder.with_client_cert_resolver(identity),
            None => builder.with_no_client_auth(),
        };
        config.enable_sni = settings.server_name_indication;
        // Asked for by PostgreSQL 17 and later when the handshake begins at once.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self { tls: Some(MakeRustlsConnect::new(config)), progress: Arc::default() })
    }

    /// How far the last connection came.
    pub(in crate::connect) fn stage(&self) -> Stage {
        match self.progress.0.load(Ordering::Acquire) {
            0 => Stage::Opening,
            1 => Stage::Open,
            2 => Stage::Handshake,
            _ => Stage::Secured,
        }
    }
}

impl Progress {
    fn reach(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Release);
    }
}

type Inner = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Stream;
    type TlsConnect = Handshake;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, Infallible> {
        self.progress.reach(Stage::Open);
        let inner = match &mut self.tls {
            Some(tls) => Some(MakeTlsConnect::<Socket>::make_tls_connect(tls, host)?),
            None => None,
        };
        Ok(Handshake { inner, progress: Arc::clone(&self.progress) })
    }
}

/// One TLS session to be made.
pub(in crate::connect) struct Handshake {
    inner: Option<Inner>,
    progress: Arc<Progress>,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            self.progress.reach(Stage::Handshake);
            let Some(inner) = self.inner else {
                return Err(io::Error::from(io::ErrorKind::Unsupported));
            };
            let stream = inner.connect(socket).await?;
            self.progress.reach(Stage::Secured);
            Ok(stream)
        })
    }
}
