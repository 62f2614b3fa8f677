//! HTTP: each handler parses, makes one call, and answers. Whatever goes wrong is `application/problem+json`.

mod claims;
mod extract;
mod ledger;
mod periods;
mod programmes;
mod service;

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::problem::Refusal;

/// Largest body: a claim takes 1.3 KB.
const MAX_BODY: usize = 16 * 1024;
/// How long a request may take: the longest waits for a connection, then for an attempt at a transaction.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long an operator's request may take: a snapshot reads the whole set, a check the whole ledger.
const LONG_TIMEOUT: Duration = Duration::from_mins(5);

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Unum distribution",
        description = "Programmes, periods, claims and the ledger. Money is text: whole minor units."
    ),
    tags(
        (name = "wallets", description = "What wallets need"),
        (name = "operators", description = "With `Authorization: Bearer <operator token>`"),
        (name = "service", description = "For machines")
    )
)]
struct Document;

fn described() -> OpenApiRouter<Arc<App>> {
    let short = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(programmes::list, programmes::create))
        .routes(routes!(programmes::get))
        .routes(routes!(programmes::deposit))
        .routes(routes!(periods::get))
        .routes(routes!(periods::statement))
        .routes(routes!(claims::claim))
        .routes(routes!(ledger::account))
        .routes(routes!(service::healthz))
        .routes(routes!(service::readyz))
        .routes(routes!(service::metrics))
        .routes(routes!(service::openapi))
        .layer(from_fn(|request: Request, next: Next| within(TIMEOUT, request, next)));
    let long = OpenApiRouter::new()
        .routes(routes!(periods::advance))
        .routes(routes!(ledger::check))
        .layer(from_fn(|request: Request, next: Next| within(LONG_TIMEOUT, request, next)));
    short.merge(long)
}

/// The description that `/openapi.json` serves.
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, _) = described().split_for_parts();
    router
        .fallback(async || Refusal::new(404, "route_unknown"))
        .method_not_allowed_fallback(async || Refusal::new(405, "method_not_allowed"))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(&app), measured))
        .with_state(app)
}

async fn within(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::new(503, "timeout").retry_after(limit.as_secs()).into_response(),
    }
}

async fn measured(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let started = Instant::now();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    tracing::debug!(%method, route, status, ?took);
    app.metrics.request(format!("{method} {route}"), status, took);
    response
}

/// The panic's message is in the log, through the panic hook.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Refusal::internal().into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_description_is_pinned() {
        insta::assert_json_snapshot!("openapi", super::openapi());
    }
}
