//! Values given by the caller: a configuration file, or the server that the caller runs itself.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Secret, SslMode};

/// Values that the environment overrides (see [`super::Settings::from_environment`]) or that stand alone
/// (see [`super::Settings::explicit`]). All are optional; field names serve as keys of a configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GivenSettings {
    /// Host name or address, or the folder of a unix socket (begins with `/`).
    pub host: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Database name.
    pub database: Option<String>,
    /// PostgreSQL user.
    pub user: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Encryption of the connection.
    pub ssl_mode: Option<SslMode>,
    /// PEM file of the authorities to trust.
    pub ssl_root_cert: Option<PathBuf>,
    /// Connections kept for requests.
    pub pool_size: Option<usize>,
    /// Database catalog shown in names.
    pub catalog: Option<String>,
    /// Schema of the tables.
    pub schema: Option<String>,
    /// Products table.
    pub products_table: Option<String>,
    /// Users table.
    pub users_table: Option<String>,
    /// Embeddings table.
    pub embeddings_table: Option<String>,
    /// User features table.
    pub user_features_table: Option<String>,
    /// Folder with the products' pictures.
    pub images_dir: Option<PathBuf>,
}
