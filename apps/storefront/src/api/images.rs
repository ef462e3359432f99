//! The products' pictures.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{ApiError, answer::with_provenance, error::Problem};
use crate::{images::Picture, shop::Shop};

/// A browser keeps a picture for an hour, then asks whether it is still the same.
const CACHE_CONTROL: &str = "public, max-age=3600, stale-while-revalidate=86400";

/// The picture of a product.
#[utoipa::path(
    get,
    path = "/api/v1/images/{image_path}",
    tag = "products",
    operation_id = "get_image",
    params(("image_path" = String, Path, description = "`image_path` of a product; may contain slashes")),
    responses(
        (status = 200, description = "The picture", content_type = "image/*", body = Vec<u8>),
        (status = 304, description = "It is the one that `If-None-Match` names"),
        (status = 404, description = "There is no such picture", body = Problem),
    )
)]
pub async fn image(
    State(shop): State<Shop>,
    image_path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(image_path) = image_path?;
    let Some(picture) = shop.pictures.picture(&image_path).await else {
        return Err(ApiError::NotFound(format!("Picture {image_path} not found")));
    };
    let unchanged = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .any(|value| value.to_str().is_ok_and(|text| names_tag(text, &picture.etag)));
    Ok(with_provenance(if unchanged { not_modified(&picture) } else { whole(picture) }, None, Duration::ZERO))
}

fn whole(picture: Picture) -> Response {
    let mut response = Response::new(Body::from(picture.bytes.clone()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(picture.content_type));
    add_validators(&mut response, &picture);
    response
}

fn not_modified(picture: &Picture) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    add_validators(&mut response, picture);
    response
}

fn add_validators(response: &mut Response, picture: &Picture) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL));
    if let Ok(etag) = HeaderValue::from_str(&picture.etag) {
        headers.insert(header::ETAG, etag);
    }
}

/// `If-None-Match` compares weakly (RFC 9110, section 13.1.2).
fn names_tag(if_none_match: &str, etag: &str) -> bool {
    if_none_match.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use super::names_tag;

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        assert!(names_tag("\"a\"", "\"a\""));
        assert!(names_tag("\"b\", W/\"a\"", "\"a\""));
        assert!(names_tag("*", "\"a\""));
        assert!(!names_tag("\"ab\"", "\"a\""));
    }
}
