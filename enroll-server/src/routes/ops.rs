//! For whoever runs the server.

use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::State;
use service::ProblemResponse;
use unum_identity::problem::Problem;
use utoipa::openapi::OpenApi;

use crate::server::App;

/// The process runs
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok"
}

/// Requests can be answered: Postgres is there
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, body = String),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, ProblemResponse> {
    app.store.ping().await?;
    Ok("ready")
}

/// Numbers for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, body = String)))]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> String {
    app.metrics.render()
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "operations", responses((status = 200)))]
pub(super) async fn openapi() -> Json<&'static OpenApi> {
    static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(super::openapi);
    Json(&DOCUMENT)
}
