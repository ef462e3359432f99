//! The storefront alone, set up by environment variables.

use std::{env, error::Error, process::ExitCode};

use lakefront_storefront::{GivenSettings, NoImages, Settings, serve};
use tokio::{net::TcpListener, signal};
use tracing_subscriber::EnvFilter;

/// Where it listens unless `STOREFRONT_LISTEN` says otherwise: reachable from this machine only.
const LISTEN: &str = "127.0.0.1:8080";

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_environment(&GivenSettings::default())?;
    let listen = env::var("STOREFRONT_LISTEN").unwrap_or_else(|_| LISTEN.to_owned());
    let listener = TcpListener::bind(&listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error} (set STOREFRONT_LISTEN)"))?;
    println!("storefront on http://{}", listener.local_addr()?);
    serve(listener, settings, NoImages, ended()).await?;
    Ok(())
}

async fn ended() {
    let interrupted = signal::ctrl_c();
    #[cfg(unix)]
    {
        if let Ok(mut terminated) = signal::unix::signal(signal::unix::SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    // Without a way to be told, it runs until it is killed.
    if interrupted.await.is_err() {
        std::future::pending::<()>().await;
    }
}
