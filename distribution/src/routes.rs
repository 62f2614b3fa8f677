//! HTTP: each handler parses, makes one call, and answers. Whatever goes wrong is `application/problem+json`.

mod accounts;
mod claims;
mod ledger;
mod operations;
mod pages;
mod payments;
mod periods;
mod programmes;
mod publication;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use service::http::{self, within};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

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
        (name = "people", description = "Pages to look at"),
        (name = "wallets", description = "What wallets need"),
        (name = "auditors", description = "What everyone may recompute"),
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
        .routes(routes!(periods::list))
        .routes(routes!(periods::get))
        .routes(routes!(periods::statement))
        .routes(routes!(claims::claim))
        .routes(routes!(payments::pay))
        .routes(routes!(accounts::balance))
        .routes(routes!(accounts::statement))
        .routes(routes!(ledger::view))
        .routes(routes!(ledger::reverse))
        .routes(routes!(publication::entries))
        .routes(routes!(publication::claims))
        .routes(routes!(publication::checkpoint))
        .routes(routes!(publication::verifying_key))
        .routes(routes!(pages::programmes))
        .routes(routes!(pages::programme))
        .routes(routes!(pages::style))
        .routes(routes!(operations::healthz))
        .routes(routes!(operations::readyz))
        .routes(routes!(operations::metrics))
        .routes(routes!(operations::openapi))
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
    http::guarded(router, MAX_BODY, &app.metrics).with_state(app)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_description_is_pinned() {
        insta::assert_json_snapshot!("openapi", super::openapi());
    }
}
