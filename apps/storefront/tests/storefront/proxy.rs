//! A way to PostgreSQL that can be cut and mended, for a database that is away for a while.

use lakefront_storefront::GivenSettings;
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

/// Listens on loopback and passes on to a server.
pub struct Proxy {
    pub port: u16,
    open: watch::Sender<bool>,
}

impl Proxy {
    /// A proxy before the server that `given` names.
    pub async fn before(given: &GivenSettings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, is_open) = watch::channel(true);
        let (host, server_port) = (given.host.clone().unwrap(), given.port.unwrap());
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (host, is_open) = (host.clone(), is_open.clone());
                tokio::spawn(async move {
                    if host.starts_with('/') {
                        let socket = format!("{host}/.s.PGSQL.{server_port}");
                        pass_on(client, UnixStream::connect(socket).await, is_open).await;
                    } else {
                        pass_on(client, TcpStream::connect((host, server_port)).await, is_open).await;
                    }
                });
            }
        });
        Self { port, open }
    }

    /// Ends all connections and takes no more.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Passes on again.
    pub fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn pass_on<S>(mut client: TcpStream, server: std::io::Result<S>, mut is_open: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut server = server.unwrap();
    tokio::select! {
        _ = is_open.wait_for(|open| !open) => {}
        _ = copy_bidirectional(&mut client, &mut server) => {}
    }
}
