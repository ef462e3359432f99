//! The settings in force, secrets masked.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::json;
use crate::{settings::MASK, shop::Shop};

/// Body of the configuration check.
#[derive(Serialize, ToSchema)]
pub struct ConfigReport {
    /// Always `ok`: with settings that cannot be used the storefront does not start.
    status: &'static str,
    /// How it signs in to PostgreSQL.
    sign_in: &'static str,
    /// Each setting's value.
    settings: SettingsReport,
    /// Where each value came from.
    origins: BTreeMap<&'static str, String>,
}

/// The settings.
#[derive(Serialize, ToSchema)]
pub struct SettingsReport {
    /// Host or folder of the socket.
    host: String,
    /// Port.
    port: u16,
    /// Database.
    database: String,
    /// User.
    user: String,
    /// Stars when there is a password, null when there is none.
    password: Option<&'static str>,
    /// libpq's `sslmode`.
    ssl_mode: &'static str,
    /// PEM file of the authorities to trust.
    ssl_root_cert: Option<String>,
    /// Connections kept for requests.
    pool_size: usize,
    /// Database catalog.
    catalog: String,
    /// Schema.
    schema: String,
    /// Products table.
    products_table: String,
    /// Users table.
    users_table: String,
    /// Embeddings table.
    embeddings_table: String,
    /// User features table.
    user_features_table: String,
    /// Folder of pictures.
    images_dir: Option<String>,
}

/// The settings in force, with secrets masked, and where each came from.
#[utoipa::path(
    get,
    path = "/api/v1/config-check",
    tag = "operation",
    operation_id = "config_check",
    responses((status = 200, description = "The settings", body = ConfigReport))
)]
pub async fn config_check(State(shop): State<Shop>) -> Response {
    let settings = &shop.settings;
    let (database, tables) = (settings.database.clone(), settings.tables.clone());
    let path = |path: &std::path::PathBuf| path.display().to_string();
    let report = ConfigReport {
        status: "ok",
        sign_in: database.sign_in(),
        settings: SettingsReport {
            password: database.password.is_some().then_some(MASK),
            ssl_mode: database.ssl_mode.name(),
            ssl_root_cert: database.ssl_root_cert.as_ref().map(path),
            host: database.host,
            port: database.port,
            database: database.database,
            user: database.user,
            pool_size: database.pool_size,
            catalog: tables.catalog,
            schema: tables.schema,
            products_table: tables.products,
            users_table: tables.users,
            embeddings_table: tables.embeddings,
            user_features_table: tables.user_features,
            images_dir: settings.images_dir.as_ref().map(path),
        },
        origins: settings.origins.iter().map(|(name, origin)| (*name, origin.describe())).collect(),
    };
    json(StatusCode::OK, &report)
}
