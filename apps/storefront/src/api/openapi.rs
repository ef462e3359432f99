//! The OpenAPI document, made from the routes' own descriptions.

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lakefront storefront",
        version = "1",
        description = "Fashion products, read with plain SQL from a synced table. Answers carry `x-lakefront-version`, \
                       the version of the source that they were read from, and `server-timing`.",
        license(name = "Apache-2.0")
    ),
    paths(
        super::products::list,
        super::products::one,
        super::products::options,
        super::images::image,
        super::healthcheck::healthcheck,
        super::config_check::config_check,
    ),
    tags(
        (name = "products", description = "The catalogue"),
        (name = "operation", description = "Health and settings"),
    )
)]
struct Document;

/// The OpenAPI document.
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
