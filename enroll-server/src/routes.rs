//! HTTP: which address does what. Handlers parse, make one call, and answer; everything else is behind the call.

mod devices;
mod enrollments;
mod input;
mod ops;
mod sessions;
mod set;
mod verify;

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use unum_identity::envelope::MAX_ENVELOPE;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::Problem;
use crate::server::App;

/// How long a request may take. A scan of everyone must fit.
const TIME_LIMIT: Duration = Duration::from_secs(30);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Unum enrollment server",
        description = "Devices enroll people; everyone reads the set; apps verify humans.",
        license(name = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "enrollment", description = "For devices and operators"),
        (name = "set", description = "For wallets and auditors"),
        (name = "humanness", description = "For apps"),
        (name = "operations", description = "For whoever runs the server"),
    ),
    modifiers(&OperatorToken)
)]
struct Document;

/// Names the scheme by which operators show that they are.
struct OperatorToken;

impl utoipa::Modify for OperatorToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("operator", SecurityScheme::Http(bearer));
    }
}

fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(devices::register))
        .routes(routes!(devices::revoke))
        .routes(routes!(sessions::open))
        .routes(routes!(enrollments::enroll))
        .routes(routes!(set::identity))
        .routes(routes!(set::checkpoint))
        .routes(routes!(set::snapshot))
        .routes(routes!(set::inclusion_proof))
        .routes(routes!(verify::verify))
        .routes(routes!(ops::healthz))
        .routes(routes!(ops::readyz))
        .routes(routes!(ops::metrics))
        .routes(routes!(ops::openapi))
}

/// The description of the API, as served under `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api().into_openapi()
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, _) = api().split_for_parts();
    router
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "route_unknown") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
        })
        .layer(DefaultBodyLimit::max(MAX_ENVELOPE))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(&app), watch))
        .with_state(app)
}

/// Ends requests that take too long, counts and logs all of them: by their pattern, without a path or an address.
async fn watch(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let started = Instant::now();
    let response = match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timeout().into_response(),
    };
    let (status, took) = (response.status().as_u16(), started.elapsed());
    tracing::debug!(route, status, ?took, "answered");
    app.metrics.request(&route, status, took);
    response
}

#[expect(clippy::needless_pass_by_value, reason = "the layer wants it so")]
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let message =
        cause.downcast_ref::<&str>().copied().or(cause.downcast_ref::<String>().map(String::as_str));
    tracing::error!(message, "a handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_api_is_the_documented_one() {
        insta::assert_json_snapshot!("openapi", super::openapi());
    }
}
