//! Interactive documentation: Swagger UI, every file of it in the binary.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa_swagger_ui::{Config, SwaggerFile};

use super::{ApiError, answer::json, openapi::openapi_document};
use crate::shop::Shop;

/// Swagger UI styles its elements one by one and shows small pictures from `data:` addresses.
pub const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

const DOCUMENT: &str = "/openapi.json";

pub fn routes() -> Router<Shop> {
    Router::new()
        .route(DOCUMENT, get(document))
        .route("/docs", get(index))
        .route("/docs/", get(index))
        .route("/docs/{*file}", get(asset))
}

async fn document() -> Response {
    json(StatusCode::OK, &openapi_document())
}

async fn index() -> Result<Response, ApiError> {
    let Some(file) = file("index.html") else {
        return Err(ApiError::NotFound("the documentation is not there".to_owned()));
    };
    // Its addresses are relative to a folder; written out they serve `/docs` as well as `/docs/`.
    let page = String::from_utf8_lossy(&file.bytes)
        .replace("=\"./", "=\"/docs/")
        .replace("href=\"index.css\"", "href=\"/docs/index.css\"")
        .replace("<title>Swagger UI</title>", "<title>Lakefront storefront API</title>");
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8"), policy()], page).into_response())
}

async fn asset(Path(name): Path<String>) -> Result<Response, ApiError> {
    let Some(file) = file(&name) else {
        return Err(ApiError::NotFound(format!("/docs/{name} is not there")));
    };
    let content_type = HeaderValue::from_str(&file.content_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut response = Response::new(Body::from(Bytes::from(file.bytes.into_owned())));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(response)
}

fn policy() -> (HeaderName, &'static str) {
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY)
}

fn file(name: &str) -> Option<SwaggerFile<'static>> {
    static CONFIG: OnceLock<Arc<Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        Arc::new(
            Config::new([DOCUMENT])
                .use_base_layout()
                .try_it_out_enabled(true)
                .display_request_duration(true)
                .validator_url("none"),
        )
    });
    utoipa_swagger_ui::serve(name, config.clone()).ok().flatten()
}
