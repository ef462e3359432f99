//! A connection to PostgreSQL that breaks at the worst moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// The query message `COMMIT` (PostgreSQL documentation, "Message Formats").
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// When the connection with the first COMMIT breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// before the server hears of it
    Before,
    /// once the server has it, without waiting for what becomes of it
    Meanwhile,
    /// when the server has committed and said so, which the client does not hear
    After,
}

/// Stands between a client and the server, and breaks one connection.
pub struct Proxy {
    url: String,
    is_broken: Arc<AtomicBool>,
}

impl Proxy {
    /// A proxy for the database that `url` leads to.
    pub async fn start(url: &str, when: Break) -> Self {
        let (account, rest) = url.split_once('@').expect("a URL with an account");
        let (server, database) = rest.split_once('/').expect("a URL with a database");
        let (host, port) = server.rsplit_once(':').expect("a URL with a port");
        let server = Server { host: host.replace("%2F", "/").replace("%2f", "/"), port: port.to_owned() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("bound").port();
        let database = database.split('?').next().unwrap_or_default();
        let is_broken = Arc::new(AtomicBool::new(false));
        let flag = is_broken.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, flag) = (server.clone(), flag.clone());
                tokio::spawn(async move { server.pass(client, when, &flag).await });
            }
        });
        Self { url: format!("{account}@127.0.0.1:{own}/{database}?sslmode=disable"), is_broken }
    }

    /// The way to the database through the proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the connection was broken.
    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::SeqCst)
    }
}

#[derive(Clone)]
struct Server {
    host: String,
    port: String,
}

/// A connection of either kind.
trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl Stream for TcpStream {}
impl Stream for UnixStream {}

impl Server {
    async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        if self.host.starts_with('/') {
            return Ok(Box::new(UnixStream::connect(format!("{}/.s.PGSQL.{}", self.host, self.port)).await?));
        }
        Ok(Box::new(TcpStream::connect(format!("{}:{}", self.host, self.port)).await?))
    }

    /// Passes everything on, until it is time to break the connection.
    async fn pass(&self, client: TcpStream, when: Break, broken: &AtomicBool) {
        let Ok(server) = self.connect().await else { return };
        let (from_client, to_client) = tokio::io::split(client);
        let (from_server, to_server) = tokio::io::split(server);
        let deaf = AtomicBool::new(false);
        // Whichever ends first ends both.
        tokio::select! {
            () = to_the_server(from_client, to_server, when, broken, &deaf) => {}
            () = to_the_client(from_server, to_client, &deaf) => {}
        }
    }
}

async fn to_the_server(
    mut from: ReadHalf<TcpStream>,
    mut to: WriteHalf<Box<dyn Stream>>,
    when: Break,
    broken: &AtomicBool,
    deaf: &AtomicBool,
) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let message = &buffer[..read];
        let commits = message.windows(COMMIT.len()).any(|part| part == COMMIT);
        let breaks = commits && !broken.swap(true, Ordering::SeqCst);
        if breaks && when == Break::Before {
            return;
        }
        deaf.store(breaks, Ordering::SeqCst);
        if to.write_all(message).await.is_err() || breaks && when == Break::Meanwhile {
            return;
        }
    }
}

/// Returns at the first answer that the client must not hear.
async fn to_the_client(mut from: ReadHalf<Box<dyn Stream>>, mut to: WriteHalf<TcpStream>, deaf: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if deaf.load(Ordering::SeqCst) || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
