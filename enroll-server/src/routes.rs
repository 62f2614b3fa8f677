//! HTTP: which address does what. Handlers parse, make one call, and answer; everything else is behind the call.

mod apps;
mod bridge;
mod compat;
mod devices;
mod enrollments;
mod erasures;
mod ops;
mod quarantine;
mod sessions;
mod set;
mod verify;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, options, put};
use service::ProblemResponse;
use service::http::{self, within};
use unum_identity::envelope::MAX_ENVELOPE;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::compat::shape;
use crate::config;
use crate::limits::Limits;
use crate::server::App;

/// How long a request may take. A scan of everyone must fit.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long a request about a proof may take: below the other limit, so that it ends in the shape of its address.
const PROOF_TIME_LIMIT: Duration = Duration::from_secs(20);
/// Largest body about a proof: the longest of them, nested lists in text, has about 2 KB.
const LARGEST_PROOF: usize = 8 << 10;

/// Largest body about a request of a page: those of `IDKit` have less than 1 KB, answers less than 2.
const LARGEST_LETTER: usize = 16 << 10;

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
        (name = "bridge", description = "Between pages of apps and wallets, as IDKit knows it; in sealed letters"),
        (name = "compatible", description = "For apps and wallets of World ID: its own addresses, bodies and codes"),
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

fn api(limits: &Arc<Limits>) -> OpenApiRouter<Arc<App>> {
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
        .routes(routes!(apps::register, apps::list))
        .routes(routes!(apps::put_action))
        .route("/v1/apps/{app_id}/actions/", put(apps::put_action)) // the empty action
        .merge(humanness(limits))
        .routes(routes!(ops::healthz))
        .routes(routes!(ops::readyz))
        .routes(routes!(ops::metrics))
        .routes(routes!(ops::openapi))
        .layer(from_fn(|request: Request, next: Next| within(TIME_LIMIT, request, next)))
}

/// What apps ask, as often as [`limits`](crate::limits) let them, in bodies of a few kilobytes.
fn humanness(limits: &Arc<Limits>) -> OpenApiRouter<Arc<App>> {
    let ours = OpenApiRouter::new()
        .routes(routes!(verify::verify))
        .routes(routes!(verify::check))
        .routes(routes!(verify::roots))
        .routes(routes!(verify::keys))
        .routes(routes!(apps::get))
        .routes(routes!(apps::uses))
        .route("/v1/apps/{app_id}/actions//nullifiers/{nullifier}", get(apps::uses)); // of the empty action
    let portal = OpenApiRouter::new().routes(routes!(compat::verify));
    let sequencer =
        OpenApiRouter::new().routes(routes!(compat::identity_path)).routes(routes!(compat::validity));
    let old_sequencer = OpenApiRouter::new()
        .routes(routes!(compat::inclusion_proof))
        .routes(routes!(compat::verify_proof))
        .routes(routes!(compat::verify_compressed));
    let bridge = OpenApiRouter::new()
        .routes(routes!(bridge::open))
        .routes(routes!(bridge::retrieve, bridge::waits))
        .routes(routes!(bridge::answer, bridge::collect, bridge::stands))
        .route("/request", options(bridge::preflight))
        .route("/request/{id}", options(bridge::preflight))
        .route("/response/{id}", options(bridge::preflight));
    let limited = |largest: usize, routes: OpenApiRouter<Arc<App>>| {
        let limits = Arc::clone(limits);
        let admit = from_fn(move |request: Request, next: Next| admit(Arc::clone(&limits), request, next));
        routes.layer(DefaultBodyLimit::max(largest)).layer(admit)
    };
    let about_proofs = |routes| limited(LARGEST_PROOF, routes);
    about_proofs(ours)
        .merge(about_proofs(portal).layer(from_fn(shape::of_portal)))
        .merge(about_proofs(sequencer).layer(from_fn(shape::of_sequencer)))
        .merge(about_proofs(old_sequencer).layer(from_fn(shape::of_old_sequencer)))
        .merge(limited(LARGEST_LETTER, bridge).layer(from_fn(bridge::for_any_page)))
}

/// Lets through what is small, in time, and not too much.
async fn admit(limits: Arc<Limits>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    match limits.admit(limits.client(peer, request.headers())) {
        Ok(()) => within(PROOF_TIME_LIMIT, request, next).await,
        Err(too_many) => ProblemResponse::from(too_many).into_response(),
    }
}

/// The description of the API, as served under `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api(&Arc::new(Limits::new(&config::Limits::default()))).into_openapi()
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, _) = api(&app.limits).split_for_parts();
    http::guarded(router, MAX_ENVELOPE, &app.metrics).with_state(app)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_api_is_the_documented_one() {
        insta::assert_json_snapshot!("openapi", super::openapi());
    }
}
