//! The web pages.

mod assets;
mod card;
mod catalogue;
mod error;
mod filter_panel;
mod home;
mod layout;
mod link;
mod paging;
mod product;

use askama::Template;
use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::shop::Shop;

pub use error::not_found;

/// The pages' routes.
pub fn routes() -> Router<Shop> {
    Router::new()
        .route("/", get(home::home))
        .route("/catalogue", get(catalogue::catalogue))
        .route("/product/{product_id}", get(product::product))
        .route("/assets/{file}", get(assets::asset))
}

/// Writes a page. Pages are not kept, because what they show moves.
fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let headers =
                [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
            (status, headers, html).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "The page could not be written.").into_response()
        }
    }
}

/// A number with its thousands apart.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (44424, "44,424"), (-1234567, "-1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
