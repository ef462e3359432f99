//! Style, script and icon: embedded, and kept by browsers until they change.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::OnceLock,
};

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};

use super::not_found;

const STYLE: &str = include_str!("../../assets/store.css");
const SCRIPT: &str = include_str!("../../assets/store.js");
const ICON: &str = include_str!("../../assets/favicon.svg");

/// Address of the style sheet; it changes with the content.
pub fn style() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| address("store.css", STYLE))
}

/// Address of the script; it changes with the content.
pub fn script() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| address("store.js", SCRIPT))
}

fn address(file: &str, content: &str) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("/assets/{file}?v={:016x}", hasher.finish())
}

/// Serves a file.
pub async fn asset(Path(file): Path<String>) -> Response {
    let (content_type, content, cache) = match file.as_str() {
        "store.css" => ("text/css; charset=utf-8", STYLE, "public, max-age=31536000, immutable"),
        "store.js" => ("text/javascript; charset=utf-8", SCRIPT, "public, max-age=31536000, immutable"),
        "favicon.svg" => ("image/svg+xml", ICON, "public, max-age=86400"),
        _ => return not_found(&format!("/assets/{file}")),
    };
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, cache)], content).into_response()
}
