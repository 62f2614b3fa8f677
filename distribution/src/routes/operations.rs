//! For machines that watch the server.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use service::ProblemResponse;
use unum_identity::problem::Problem;

use crate::app::App;

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "service", responses((status = 200, body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The process can do its work: Postgres answers.
#[utoipa::path(get, path = "/readyz", tag = "service",
    responses((status = 200, body = String), (status = 503, body = Problem)))]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, ProblemResponse> {
    app.store.ping().await?;
    Ok("ok\n")
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "service", responses((status = 200, body = String)))]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    // Version 0.0.4 of Prometheus' text form.
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render())
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "service", responses((status = 200, description = "OpenAPI 3.1")))]
pub(super) async fn openapi() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        super::openapi().to_pretty_json().expect("the description has only texts and numbers")
    });
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}
