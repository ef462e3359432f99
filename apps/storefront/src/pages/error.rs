//! Pages for what went wrong.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{layout::Layout, render};
use crate::{
    api::{ApiError, Violation},
    database::DatabaseError,
};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    status: u16,
    heading: &'static str,
    lines: Vec<String>,
}

/// A page that cannot be shown.
#[derive(Debug)]
pub struct PageError(ApiError);

impl From<DatabaseError> for PageError {
    fn from(error: DatabaseError) -> Self {
        Self(error.into())
    }
}

impl From<Vec<Violation>> for PageError {
    fn from(violations: Vec<Violation>) -> Self {
        Self(ApiError::Parameters(violations))
    }
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.0.status();
        let (heading, lines) = match self.0 {
            ApiError::Parameters(violations) => (
                "This address cannot be read",
                violations.into_iter().map(|wrong| format!("{}: {}", wrong.loc[1], wrong.msg)).collect(),
            ),
            ApiError::NotFound(text) => ("Not found", vec![text]),
            ApiError::MethodNotAllowed => ("This page can only be looked at", Vec::new()),
            ApiError::Database(error) => {
                tracing::warn!(%error, "a page could not be shown");
                (
                    "The shop is closed for a moment",
                    vec![format!("{error}."), format!("What helps: {}.", error.hint())],
                )
            }
        };
        let page = ErrorPage { layout: Layout::bare(), status: status.as_u16(), heading, lines };
        render(status, &page)
    }
}

/// The page for an address that is none.
pub fn not_found(path: &str) -> Response {
    let page = ErrorPage {
        layout: Layout::bare(),
        status: StatusCode::NOT_FOUND.as_u16(),
        heading: "Not found",
        lines: vec![format!("There is nothing at {path}.")],
    };
    render(StatusCode::NOT_FOUND, &page)
}
