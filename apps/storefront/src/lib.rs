//! The fashion storefront: a JSON API and web pages served from synced tables.
//!
//! It uses Lakefront only as an outside application would: with plain SQL on PostgreSQL. Any database with the
//! products table serves; where Lakefront keeps the table, answers say how fresh they are, and counts are kept
//! until Lakefront tells of a change.
//!
//! ```no_run
//! use lakefront_storefront::{GivenSettings, NoImages, Settings, serve};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::from_environment(&GivenSettings::default())?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! serve(listener, settings, NoImages, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod api;
mod cache;
mod database;
mod images;
mod pages;
mod products;
mod server;
mod settings;
mod shop;

pub use api::openapi_document;
pub use images::{Directory, ImageSource, NoImages};
pub use server::{StorefrontError, serve};
pub use settings::{
    DEFAULT_POOL_SIZE, DatabaseSettings, GivenSettings, Origin, Secret, Settings, SettingsError, SslMode,
    TableNames,
};
