//! Pages for people.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::Html;
use maud::Markup;
use service::{Path, ProblemResponse};
use unum_identity::bytes::ProgrammeId;

use crate::app::App;
use crate::overview::FRESH;
use crate::page;

/// Nothing but our own style is loaded, nothing runs, nobody frames it.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Page = ([(HeaderName, String); 2], Html<String>);

fn page(markup: Markup) -> Page {
    let age = format!("max-age={}", FRESH.as_secs());
    let headers = [(header::CACHE_CONTROL, age), (header::CONTENT_SECURITY_POLICY, POLICY.to_owned())];
    (headers, Html(markup.into_string()))
}

/// Which programmes there are
#[utoipa::path(get, path = "/", tag = "people",
    responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn programmes(State(app): State<Arc<App>>) -> Result<Page, ProblemResponse> {
    Ok(page(page::programmes(&app.programmes().await?)))
}

/// How a programme is going
#[utoipa::path(get, path = "/programmes/{programme}", tag = "people",
    params(("programme" = String, Path, description = "32 lower-case hex digits")),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn programme(
    State(app): State<Arc<App>>,
    Path(id): Path<ProgrammeId>,
) -> Result<Page, ProblemResponse> {
    Ok(page(page::programme(&*app.overview(id).await?)))
}

/// How pages look
#[utoipa::path(get, path = "/style.css", tag = "people",
    responses((status = 200, body = String, content_type = "text/css")))]
pub(super) async fn style() -> ([(HeaderName, &'static str); 2], &'static str) {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, page::STYLE)
}
