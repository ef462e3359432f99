//! Errors as the API gives them: `{"detail": …}`, as clients of such APIs expect.

use axum::{
    extract::rejection::PathRejection,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    answer::json,
    parameters::{Violation, Violations},
};
use crate::database::DatabaseError;

/// A call that cannot be answered.
#[derive(Debug)]
pub enum ApiError {
    /// Parameters are wrong.
    Parameters(Vec<Violation>),
    /// There is no such thing; the text says what was asked for.
    NotFound(String),
    /// The method is none of the address's.
    MethodNotAllowed,
    /// PostgreSQL cannot answer.
    Database(DatabaseError),
}

/// Body of errors that are about the whole call.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<PathRejection> for ApiError {
    /// An address whose encoded bytes are no text names nothing here.
    fn from(rejection: PathRejection) -> Self {
        Self::NotFound(rejection.body_text())
    }
}

impl ApiError {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Parameters(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Database(DatabaseError::Statement { .. }) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Database(error) = &self {
            tracing::warn!(%error, "a call could not be answered");
        }
        let mut response = match self {
            Self::Parameters(detail) => json(status, &Violations { detail }),
            Self::NotFound(detail) => json(status, &Problem { detail, hint: None }),
            Self::MethodNotAllowed => {
                json(status, &Problem { detail: "this address answers GET only".to_owned(), hint: None })
            }
            Self::Database(error) => {
                json(status, &Problem { detail: error.to_string(), hint: Some(error.hint()) })
            }
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}
