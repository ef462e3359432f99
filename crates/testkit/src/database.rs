//! A database of one's own.

use std::sync::atomic::{AtomicU32, Ordering};

use lakefront_postgres::connect::ConnectOptions;
use tokio_postgres::Client;

use crate::report::chain;
use crate::server::server_options;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A fresh database, dropped with all its sessions when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    options: ConnectOptions,
    server: ConnectOptions,
}

impl TestDatabase {
    /// Creates a database on the shared server.
    ///
    /// # Panics
    /// When the server cannot be had, or refuses.
    pub async fn create() -> Self {
        let server = server_options().await;
        let name = format!(
            "lakefront_test_{}_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed),
            // Runs on one outside server may share process ids.
            &uuid::Uuid::new_v4().simple().to_string()[..8],
        );
        let client = connect(&server).await;
        if let Err(error) = client.batch_execute(&format!("CREATE DATABASE {name}")).await {
            panic!("cannot create a database for the test: {}", chain(&error));
        }
        Self { options: server.clone().with_database(name), server }
    }

    /// A new session.
    ///
    /// # Panics
    /// When it cannot be had.
    pub async fn client(&self) -> Client {
        connect(&self.options).await
    }

    /// How to sign in.
    pub fn options(&self) -> ConnectOptions {
        self.options.clone()
    }

    /// The URL with the password in it.
    pub fn url(&self) -> String {
        self.options.url_with_password()
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        self.options.database()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name().to_owned());
        // A drop cannot wait within the test's runtime, and must not fail the test.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(async {
                    if let Ok(client) = server.connect().await {
                        let _ = client
                            .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                            .await;
                    }
                });
            }
        });
        let _ = dropping.join();
    }
}

async fn connect(options: &ConnectOptions) -> Client {
    match options.connect().await {
        Ok(client) => client,
        Err(error) => panic!("cannot sign in to {}: {}", options.describe(), chain(&error)),
    }
}
