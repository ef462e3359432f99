//! The JSON API.

mod answer;
mod config_check;
mod docs;
mod error;
mod healthcheck;
mod images;
mod openapi;
mod parameters;
mod products;

use axum::{Router, routing::get};

use crate::shop::Shop;

pub use error::ApiError;
pub use openapi::openapi_document;
pub use parameters::{Violation, read_page_request};
pub use products::no_product;

/// Prefix of the API.
pub const PREFIX: &str = "/api/v1";

/// The API's routes. Pictures and checks answer under the prefix and without it.
pub fn routes() -> Router<Shop> {
    let shared = Router::new()
        .route("/images/{*image_path}", get(images::image))
        .route("/healthcheck", get(healthcheck::healthcheck))
        .route("/config-check", get(config_check::config_check));
    let api = Router::new()
        .route("/products", get(products::list))
        .route("/products/filters/options", get(products::options))
        .route("/products/{product_id}", get(products::one))
        .merge(shared.clone());
    Router::new().nest(PREFIX, api).merge(shared).merge(docs::routes())
}
