//! Pages of apps ask wallets, through mailboxes; in the forms of `IDKit` 3 and World's bridge. Pages of any origin may.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use service::{Path, ProblemResponse};
use unum_identity::problem::Problem;

use crate::bridge::{self, NewRequest, Opened, RequestId, Sealed, Standing};
use crate::server::App;

/// Asks a wallet
///
/// For a quarter of an hour. What is asked is sealed under a key that stands in the link for the wallet, and nowhere else.
#[utoipa::path(post, path = "/request", tag = "bridge",
    request_body = NewRequest,
    responses(
        (status = 200, description = "Open", body = Opened),
        (status = 503, description = "`bridge_full`", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "`body_invalid`, `body_too_large`, `iv_invalid`, `request_taken`, `too_many_requests`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn open(
    State(app): State<Arc<App>>,
    service::Json(asked): service::Json<NewRequest>,
) -> Result<Json<Opened>, ProblemResponse> {
    Ok(Json(bridge::open(&app, asked).await?))
}

/// Fetches a request, for a wallet; the first who comes gets it
#[utoipa::path(get, path = "/request/{id}", tag = "bridge",
    params(("id" = RequestId, Path, description = "From the link")),
    responses(
        (status = 200, body = Sealed),
        (status = "4XX", description = "`request_unknown`: its time is over, or another wallet has it; `path_invalid`, `too_many_requests`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    Path(id): Path<RequestId>,
) -> Result<Json<Sealed>, ProblemResponse> {
    Ok(Json(bridge::retrieve(&app, &id).await?))
}

/// Whether a request waits for an answer; hands nothing out
#[utoipa::path(head, path = "/request/{id}", tag = "bridge",
    params(("id" = RequestId, Path, description = "From the link")),
    responses((status = 200, description = "It waits"), (status = "4XX", description = "`request_unknown`, `path_invalid`")))]
pub(super) async fn waits(
    State(app): State<Arc<App>>,
    Path(id): Path<RequestId>,
) -> Result<StatusCode, ProblemResponse> {
    bridge::waits(&app, &id).await?;
    Ok(StatusCode::OK)
}

/// Answers a request, for a wallet; the first answer counts
#[utoipa::path(put, path = "/response/{id}", tag = "bridge",
    params(("id" = RequestId, Path, description = "From the link")),
    request_body = Sealed,
    responses(
        (status = 201, description = "The page can fetch it"),
        (status = 400, description = "`request_over`: nobody waits any more; `body_invalid`, `path_invalid`",
            body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "`request_answered` (409), `body_too_large`, `iv_invalid`, `too_many_requests`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    Path(id): Path<RequestId>,
    service::Json(sealed): service::Json<Sealed>,
) -> Result<StatusCode, ProblemResponse> {
    bridge::answer(&app, &id, &sealed).await?;
    Ok(StatusCode::CREATED)
}

/// How a request stands, for the page; its answer is handed out once
#[utoipa::path(get, path = "/response/{id}", tag = "bridge",
    params(("id" = RequestId, Path, description = "Of the request")),
    responses(
        (status = 200, body = Standing),
        (status = "4XX", description = "`request_unknown`, `path_invalid`, `too_many_requests`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn collect(
    State(app): State<Arc<App>>,
    Path(id): Path<RequestId>,
) -> Result<Json<Standing>, ProblemResponse> {
    Ok(Json(bridge::collect(&app, &id).await?))
}

/// Whether a request or its answer is here; hands nothing out
#[utoipa::path(head, path = "/response/{id}", tag = "bridge",
    params(("id" = RequestId, Path, description = "Of the request")),
    responses((status = 200, description = "It is"), (status = "4XX", description = "`request_unknown`, `path_invalid`")))]
pub(super) async fn stands(
    State(app): State<Arc<App>>,
    Path(id): Path<RequestId>,
) -> Result<StatusCode, ProblemResponse> {
    bridge::status(&app, &id).await?;
    Ok(StatusCode::OK)
}

/// What browsers ask before they let a page ask.
pub(super) async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Tells browsers that pages of any origin may ask and read (Fetch standard, 3.2), and nobody to keep the answer: a mailbox is emptied
/// by looking into it. No credentials are taken here, so that a page can do nothing that anybody else could not.
pub(super) async fn for_any_page(request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let mut say =
        |name: HeaderName, value| response.headers_mut().insert(name, HeaderValue::from_static(value));
    say(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    say(header::ACCESS_CONTROL_EXPOSE_HEADERS, "retry-after");
    say(header::CACHE_CONTROL, "no-store");
    if is_preflight {
        say(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT");
        say(header::ACCESS_CONTROL_ALLOW_HEADERS, "*");
        say(header::ACCESS_CONTROL_MAX_AGE, "7200"); // as long as browsers keep it at most
    }
    response
}
