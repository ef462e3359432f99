//! Is the shop open?

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{
    answer::{json, with_provenance},
    error::Problem,
};
use crate::{
    products::{Health, TableHealth},
    shop::Shop,
};

/// A health check that takes longer than this has found its answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Body of the health check.
#[derive(Serialize, ToSchema)]
pub struct HealthReport {
    /// `ok`, or `degraded` when the products table is missing.
    status: &'static str,
    /// The database.
    database: DatabaseReport,
    /// The shop's tables.
    tables: Vec<TableReport>,
    /// Changes of the table are heard of as they are committed; otherwise counts are up to 1 s old.
    listening: bool,
}

/// The database's part.
#[derive(Serialize, ToSchema)]
pub struct DatabaseReport {
    /// `ok`.
    status: &'static str,
    /// Version of the PostgreSQL server.
    server_version: String,
    /// Time that it took to answer, in milliseconds.
    latency_ms: f64,
}

/// One table's part.
#[derive(Serialize, ToSchema)]
pub struct TableReport {
    /// Three-part name.
    name: String,
    /// It is in the database.
    exists: bool,
    /// How fresh it is; null when Lakefront does not keep it.
    freshness: Option<FreshnessReport>,
}

/// How fresh a table is.
#[derive(Serialize, ToSchema)]
pub struct FreshnessReport {
    /// The table in the lake.
    source: Option<String>,
    /// Version of the source that the table shows.
    version: Option<i64>,
    /// When that version was committed at the source.
    #[schema(value_type = Option<String>, format = DateTime)]
    committed_at: Option<DateTime<Utc>>,
    /// When it became visible here.
    #[schema(value_type = Option<String>, format = DateTime)]
    synced_at: Option<DateTime<Utc>>,
    /// From commit to visible, in seconds.
    lag_seconds: Option<f64>,
    /// State of the sync.
    state: Option<String>,
}

/// Whether the database answers, and how fresh the tables are.
#[utoipa::path(
    get,
    path = "/api/v1/healthcheck",
    tag = "operation",
    operation_id = "healthcheck",
    responses(
        (status = 200, description = "The database answers", body = HealthReport),
        (status = 503, description = "The database is away", body = Problem),
    )
)]
pub async fn healthcheck(State(shop): State<Shop>) -> Response {
    let unavailable = |detail: String, hint: String| {
        json(
            StatusCode::SERVICE_UNAVAILABLE,
            &serde_json::json!({
                "status": "unavailable", "database": {"status": "unavailable"}, "detail": detail, "hint": hint
            }),
        )
    };
    match timeout(PATIENCE, shop.catalogue.health()).await {
        Ok(Ok(health)) => {
            let version = health.tables.first().and_then(TableHealth::freshness);
            let took = health.took;
            with_provenance(json(StatusCode::OK, &HealthReport::from(health)), version, took)
        }
        Ok(Err(error)) => unavailable(error.to_string(), error.hint()),
        Err(_) => unavailable(
            format!("PostgreSQL at {} did not answer in 3 seconds", shop.settings.database.address()),
            "check that the server runs and is not overloaded".to_owned(),
        ),
    }
}

impl From<Health> for HealthReport {
    fn from(health: Health) -> Self {
        let complete = health.tables.first().is_some_and(|products| products.exists);
        Self {
            status: if complete { "ok" } else { "degraded" },
            database: DatabaseReport {
                status: "ok",
                server_version: health.server_version,
                latency_ms: (health.took.as_secs_f64() * 1e6).round() / 1e3,
            },
            tables: health.tables.into_iter().map(TableReport::from).collect(),
            listening: health.listening,
        }
    }
}

impl From<TableHealth> for TableReport {
    fn from(table: TableHealth) -> Self {
        let lag = table.synced_at.zip(table.committed_at).map(|(synced, committed)| synced - committed);
        let freshness = table.state.is_some() || table.version.is_some();
        Self {
            name: table.name,
            exists: table.exists,
            freshness: freshness.then_some(FreshnessReport {
                source: table.source,
                version: table.version,
                committed_at: table.committed_at,
                synced_at: table.synced_at,
                lag_seconds: lag.map(|lag| lag.num_milliseconds() as f64 / 1e3),
                state: table.state,
            }),
        }
    }
}
