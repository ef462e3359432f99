//! Settings of the storefront: the environment first, then what the caller gives (its file), then defaults.

mod given;
mod resolve;
mod secret;
mod ssl_mode;

use std::path::PathBuf;

use thiserror::Error;

pub use given::GivenSettings;
pub use resolve::Origin;
pub use secret::{MASK, Secret};
pub use ssl_mode::SslMode;

/// All settings of one storefront, resolved. Made by [`Settings::from_environment`] or [`Settings::explicit`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where PostgreSQL is and how to sign in.
    pub database: DatabaseSettings,
    /// The tables that the shop reads.
    pub tables: TableNames,
    /// Folder with the products' pictures, looked up by `image_path`.
    pub images_dir: Option<PathBuf>,
    /// Where each setting came from, in the order of the settings' documentation.
    pub origins: Vec<(&'static str, Origin)>,
}

/// Where PostgreSQL is and how to sign in.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Host name or address, or the folder of a unix socket (begins with `/`).
    pub host: String,
    /// Port; also part of the unix socket's name.
    pub port: u16,
    /// Database name.
    pub database: String,
    /// PostgreSQL user.
    pub user: String,
    /// Password, if there is one.
    pub password: Option<Secret>,
    /// Encryption of the connection.
    pub ssl_mode: SslMode,
    /// PEM file of the authorities to trust; the system's when absent.
    pub ssl_root_cert: Option<PathBuf>,
    /// Connections kept for requests. See [`DEFAULT_POOL_SIZE`].
    pub pool_size: usize,
}

/// Names of the synced tables.
#[derive(Debug, Clone)]
pub struct TableNames {
    /// Database catalog: the first part of the three-part names that messages and pages show.
    pub catalog: String,
    /// Schema of all four tables.
    pub schema: String,
    /// The products.
    pub products: String,
    /// The shoppers.
    pub users: String,
    /// Embeddings of the products' pictures.
    pub embeddings: String,
    /// Style features of the shoppers.
    pub user_features: String,
}

/// Connections kept for requests. Each busy one occupies a PostgreSQL process, so more than a few per core only
/// adds switching between them: on two cores 4 to 8 measured best.
pub const DEFAULT_POOL_SIZE: usize = 6;

impl DatabaseSettings {
    /// How the sign-in is done, in words for messages. Never the secret.
    pub fn sign_in(&self) -> &'static str {
        if self.password.is_some() { "password" } else { "no password given" }
    }

    /// Host and port as messages show them.
    pub fn address(&self) -> String {
        if self.host.starts_with('/') {
            format!("{}/.s.PGSQL.{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl TableNames {
    /// `catalog.schema.table`, as a person would write it.
    pub fn three_part(&self, table: &str) -> String {
        format!("{}.{}.{}", self.catalog, self.schema, table)
    }

    /// The products' three-part name.
    pub fn products_name(&self) -> String {
        self.three_part(&self.products)
    }

    /// The four tables, products first.
    pub fn all(&self) -> [&str; 4] {
        [&self.products, &self.users, &self.embeddings, &self.user_features]
    }
}

/// A setting that cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The SSL mode is none of libpq's.
    #[error(
        "SSL mode \"{0}\" is not known; use disable, allow, prefer, require, verify-ca or verify-full \
         (LAKEBASE_SSL_MODE or PGSSLMODE)"
    )]
    SslMode(String),
    /// A number is not one, or out of range.
    #[error("{name} is \"{value}\"; it must be a whole number from {least} to {most}")]
    Number {
        /// The setting.
        name: String,
        /// What was given.
        value: String,
        /// Least value allowed.
        least: u32,
        /// Greatest value allowed.
        most: u32,
    },
    /// An environment variable is not UTF-8.
    #[error("the environment variable {0} is not valid UTF-8")]
    NotUnicode(String),
    /// The authorities to trust cannot be read.
    #[error("cannot read root certificates from {path}: {cause} (PGSSLROOTCERT)")]
    RootCertificate {
        /// The file, or `system`.
        path: String,
        /// Why.
        cause: String,
    },
    /// The folder of pictures is not there.
    #[error("IMAGES_DIR {0} is not a folder that can be read")]
    ImagesDir(PathBuf),
}
