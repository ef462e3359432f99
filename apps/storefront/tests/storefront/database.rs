//! A database of its own for each test, on the server that the test wrapper gives.

use std::sync::atomic::{AtomicU32, Ordering};

use lakefront_storefront::{GivenSettings, SslMode};
use tokio_postgres::{Client, Config, NoTls, config::Host};

use crate::items::{Item, insert};

const URL: &str = "LAKEFRONT_TEST_DATABASE_URL";

/// A fresh database, dropped at the end.
pub struct TestDatabase {
    pub client: Client,
    pub name: String,
    server: Config,
}

impl TestDatabase {
    /// An empty database. Its texts sort by code point, as Rust's do.
    pub async fn empty() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("storefront_test_{}_{number}", std::process::id());
        let server = server();
        let admin = connect(&server).await;
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        admin
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"))
            .await
            .unwrap();
        let mut config = server.clone();
        config.dbname(&name);
        Self { client: connect(&config).await, name, server }
    }

    /// A database with the products table, keys as whole numbers.
    pub async fn with_items(items: &[Item]) -> Self {
        let database = Self::empty().await;
        database.create_products("bigint").await;
        insert(&database.client, items).await;
        database
    }

    /// Makes an empty products table.
    pub async fn create_products(&self, key_type: &str) {
        self.run(&format!(
            "CREATE SCHEMA fashion_demo;
             CREATE TABLE fashion_demo.productsdb (
                product_id {key_type} PRIMARY KEY, gender text, master_category text, sub_category text,
                article_type text, base_color text, season text, year int, usage text, product_display_name text,
                price double precision, image_path text, ingested_at timestamptz);
             CREATE INDEX ON fashion_demo.productsdb (product_display_name, product_id)"
        ))
        .await;
    }

    /// Makes a view as Lakefront offers it, over a table that the test writes.
    pub async fn create_freshness(&self, version: i64) {
        self.run(&format!(
            "CREATE SCHEMA lakefront;
             CREATE TABLE lakefront.checkpoints (schema_name text, table_name text, source text, version bigint,
                committed_at timestamptz, synced_at timestamptz, state text);
             INSERT INTO lakefront.checkpoints VALUES ('fashion_demo', 'productsdb', 'main.fashion_demo.productsdb',
                {version}, '2026-03-01T10:00:00Z', '2026-03-01T10:00:01.5Z', 'SYNCED_TABLE_ONLINE');
             CREATE VIEW lakefront.freshness AS SELECT * FROM lakefront.checkpoints"
        ))
        .await;
    }

    pub async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?} in {sql}"));
    }

    /// Settings that lead to this database.
    pub fn settings(&self) -> GivenSettings {
        let host = match self.server.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            Some(Host::Unix(folder)) => folder.to_str().unwrap().to_owned(),
            None => "localhost".to_owned(),
        };
        GivenSettings {
            host: Some(host),
            port: Some(self.server.get_ports().first().copied().unwrap_or(5432)),
            database: Some(self.name.clone()),
            user: Some(self.server.get_user().unwrap_or("postgres").to_owned()),
            password: self
                .server
                .get_password()
                .map(|password| std::str::from_utf8(password).unwrap().into()),
            ssl_mode: Some(SslMode::Prefer),
            pool_size: Some(4),
            ..GivenSettings::default()
        }
    }
}

impl Drop for TestDatabase {
    /// Blocks its thread. PostgreSQL drops no database while a session is within its sign-in, so the shop's connections
    /// have to go on meanwhile: tests need a runtime of more than one thread.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // Dropping happens inside a runtime, which must not be entered again from the same thread.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let admin = connect(&server).await;
                admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
            })
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("database {} is left behind", self.name);
        }
    }
}

fn server() -> Config {
    let url = std::env::var(URL).unwrap_or_else(|_| {
        panic!("{URL} is not set: run `make test`, or set it to a PostgreSQL superuser's URL")
    });
    url.parse().unwrap_or_else(|error| panic!("{URL} cannot be read: {error}"))
}

async fn connect(config: &Config) -> Client {
    let (client, connection) =
        config.connect(NoTls).await.unwrap_or_else(|error| panic!("cannot connect as {URL} says: {error:?}"));
    tokio::spawn(connection);
    client
}
