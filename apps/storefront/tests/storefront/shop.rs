//! A running storefront and a client of it.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use bytes::Bytes;
use lakefront_storefront::{GivenSettings, ImageSource, Settings, serve};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::http::{Response, ask};

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

/// A storefront that ends when dropped.
pub struct TestShop {
    address: String,
    _stop: oneshot::Sender<()>,
    _running: JoinHandle<()>,
}

impl TestShop {
    /// Opens a shop whose pictures are `picture of <path>`.
    pub async fn open(given: &GivenSettings) -> Self {
        Self::with_pictures(given, |path: &str| {
            (!path.contains("absent")).then(|| Bytes::from(format!("picture of {path}")))
        })
        .await
    }

    pub async fn with_pictures(given: &GivenSettings, pictures: impl ImageSource) -> Self {
        let settings = Settings::explicit(given).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let shutdown = async {
                // Dropping the sender is the sign as well.
                let _ = stopped.await;
            };
            serve(listener, settings, pictures, shutdown).await.unwrap();
        });
        Self { address, _stop: stop, _running: running }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.ask("GET", path, &[]).await
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        ask(&self.address, method, path, headers).await
    }

    /// Status and JSON of an answer.
    pub async fn json(&self, path: &str) -> (StatusCode, Value) {
        let response = self.get(path).await;
        let (status, text) = (response.status, response.text());
        let value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path} gave no JSON: {text}"));
        (status, value)
    }

    /// JSON of a good answer.
    pub async fn ok(&self, path: &str) -> Value {
        let (status, value) = self.json(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {value}");
        value
    }

    pub async fn total(&self, path: &str) -> i64 {
        self.ok(path).await["total"].as_i64().unwrap()
    }

    /// Waits until listening for changes is certain.
    pub async fn listens(&self) {
        eventually("listening", async || self.ok("/healthcheck").await["listening"] == true).await;
    }
}

/// Waits until a condition holds.
pub async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "not so within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
