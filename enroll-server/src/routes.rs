//! HTTP: which address does what. Handlers parse, make one call, and answer; everything else is behind the call.

mod devices;
mod enrollments;
mod erasures;
mod ops;
mod quarantine;
mod sessions;
mod set;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use service::http::{self, within};
use unum_identity::envelope::MAX_ENVELOPE;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
        .routes(routes!(enrollments::recover))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::release))
        .routes(routes!(erasures::erase))
        .routes(routes!(set::identity))
        .routes(routes!(set::checkpoint))
        .routes(routes!(set::snapshot))
        .routes(routes!(set::log))
        .routes(routes!(set::inclusion_proof))
        .routes(routes!(verify::verify))
        .routes(routes!(ops::healthz))
        .routes(routes!(ops::readyz))
        .routes(routes!(ops::metrics))
        .routes(routes!(ops::openapi))
        .layer(from_fn(|request: Request, next: Next| within(TIME_LIMIT, request, next)))
}

/// The description of the API, as served under `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api().into_openapi()
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, _) = api().split_for_parts();
    http::guarded(router, MAX_ENVELOPE, &app.metrics).with_state(app)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_api_is_the_documented_one() {
        insta::assert_json_snapshot!("openapi", super::openapi());
    }
}
