//! Writing answers: JSON, and the headers that say how fresh it is and how long it took.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use crate::products::Freshness;

/// Version of the source that the answer was read from.
const VERSION: HeaderName = HeaderName::from_static("x-lakefront-version");

/// Time spent per stage (W3C Server Timing).
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// A JSON answer that is not to be kept by anybody without asking again.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // A few products fit without growing; more double it a few times.
    let mut body = Vec::with_capacity(4096);
    let status = match serde_json::to_writer(&mut body, value) {
        Ok(()) => status,
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            body = br#"{"detail":"the answer could not be written"}"#.to_vec();
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Adds version and timing.
pub fn with_provenance(mut response: Response, freshness: Option<Freshness>, took: Duration) -> Response {
    let headers = response.headers_mut();
    if let Some(freshness) = freshness {
        headers.insert(VERSION, HeaderValue::from(freshness.version));
    }
    let timing = format!("db;dur={:.3}", took.as_secs_f64() * 1000.0);
    if let Ok(timing) = HeaderValue::from_str(&timing) {
        headers.insert(SERVER_TIMING, timing);
    }
    response
}
