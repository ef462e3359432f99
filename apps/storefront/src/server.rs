//! The server: routes, what every answer carries, and its beginning and end.

use std::{io, sync::Arc};

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use thiserror::Error;
use tokio::net::TcpListener;
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
};

use crate::{
    api::{self, ApiError},
    cache::{Changes, follow_changes},
    database::{Connector, Database, DatabaseError},
    images::{Directory, ImageSource, Pictures},
    pages,
    products::Catalogue,
    settings::{Settings, SettingsError},
    shop::Shop,
};

/// Answers smaller than this travel in one or two packets anyway, and compressing costs more than it saves.
const COMPRESS_ABOVE: u16 = 4096;

/// Pages hold no script and no style of their own, so nothing that gets into them can run. Pictures may come
/// from elsewhere, where `image_path` is an address.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: https:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// The storefront cannot run.
#[derive(Debug, Error)]
pub enum StorefrontError {
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The connection pool cannot be made.
    #[error("the storefront's connection pool cannot be made: {0}")]
    Pool(String),
    /// Serving ended.
    #[error("the storefront stopped serving")]
    Serve(#[source] io::Error),
}

/// Serves the storefront on `listener` until `shutdown` is done, then finishes what is under way. `images` gives
/// the pictures; when the settings name a folder (`IMAGES_DIR`), that is used in its place.
///
/// The database need not be there yet: answers say what is wrong until it is.
///
/// # Errors
///
/// When a setting cannot be used or the listener fails.
pub async fn serve(
    listener: TcpListener,
    settings: Settings,
    images: impl ImageSource,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StorefrontError> {
    let source: Arc<dyn ImageSource> = match &settings.images_dir {
        Some(folder) => Arc::new(Directory::open(folder)?),
        None => Arc::new(images),
    };
    let connector = Connector::new(&settings.database)?;
    let database = Database::new(connector.clone())
        .map_err(|error: DatabaseError| StorefrontError::Pool(error.to_string()))?;
    let changes = Arc::new(Changes::new());
    let names = settings.tables.clone();
    let listening = tokio::spawn(follow_changes(
        connector,
        names.schema.clone(),
        names.products.clone(),
        changes.clone(),
    ));
    let shop = Shop {
        settings: Arc::new(settings),
        catalogue: Arc::new(Catalogue::new(database, names, changes)),
        pictures: Arc::new(Pictures::new(source)),
    };
    // Small answers must not wait for more to send (Nagle's algorithm).
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
    });
    let served = axum::serve(listener, router(shop)).with_graceful_shutdown(shutdown).await;
    listening.abort();
    served.map_err(StorefrontError::Serve)
}

fn router(shop: Shop) -> Router {
    let large = SizeAbove::new(COMPRESS_ABOVE).and(NotForContentType::IMAGES);
    Router::new()
        .merge(api::routes())
        .merge(pages::routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .with_state(shop)
        .layer(CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest).compress_when(large))
        .layer(middleware::map_response(secure))
        .layer(middleware::from_fn(log_call))
}

async fn nothing_here(uri: Uri) -> Response {
    if uri.path().starts_with("/api/") {
        ApiError::NotFound(format!("{} is no address of this API; see /docs", uri.path())).into_response()
    } else {
        pages::not_found(uri.path())
    }
}

/// Headers that keep an answer from being used for what it is not.
async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    }
    response
}

async fn log_call(request: Request, next: Next) -> Response {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return next.run(request).await;
    }
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    tracing::debug!(%method, %uri, status = response.status().as_u16(), took = ?started.elapsed(), "answered");
    response
}
