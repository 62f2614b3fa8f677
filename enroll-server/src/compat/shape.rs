//! Errors in the shapes of World ID's services.
//!
//! Handlers here answer with their own errors. What is refused in front of them, such as a body that is too large, is a problem like
//! everywhere in this server; the layers of this module put it into the shape that clients of these addresses can read.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use unum_identity::problem::{CONTENT_TYPE, Problem};

/// Longest problem: a code and a sentence.
const LONGEST: usize = 1 << 16;

/// For the portal: `{code, detail, attribute, app_id}`.
pub(crate) async fn of_portal(request: Request, next: Next) -> Response {
    let app_id = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let problem = |problem: &Problem| {
        Json(portal_error(&problem.code, problem.detail.as_deref().unwrap_or_default(), None, &app_id))
            .into_response()
    };
    reshaped(next.run(request).await, problem).await
}

/// For the sequencer's newer addresses: `{errorId, errorMessage}`.
pub(crate) async fn of_sequencer(request: Request, next: Next) -> Response {
    let problem = |problem: &Problem| {
        Json(sequencer_error(&problem.code, problem.detail.as_deref().unwrap_or(&problem.code)))
            .into_response()
    };
    reshaped(next.run(request).await, problem).await
}

/// For the sequencer's older addresses: a sentence.
pub(crate) async fn of_old_sequencer(request: Request, next: Next) -> Response {
    let problem =
        |problem: &Problem| problem.detail.as_deref().unwrap_or(&problem.code).to_owned().into_response();
    reshaped(next.run(request).await, problem).await
}

pub(super) fn portal_error(code: &str, detail: &str, attribute: Option<&str>, app_id: &str) -> Value {
    json!({ "code": code, "detail": detail, "attribute": attribute, "app_id": app_id })
}

pub(super) fn sequencer_error(id: &str, message: &str) -> Value {
    json!({ "errorId": id, "errorMessage": message })
}

/// The answer, if it is no problem; else the body that `shape` makes of it, with the same status and the time to come back.
async fn reshaped(response: Response, shape: impl Fn(&Problem) -> Response) -> Response {
    if !is_problem(response.headers()) {
        return response;
    }
    let status = response.status();
    let retry_after = response.headers().get(header::RETRY_AFTER).cloned();
    let body = to_bytes(response.into_body(), LONGEST).await.unwrap_or_default();
    let problem = serde_json::from_slice(&body).unwrap_or_else(|_| Problem::new(status.as_u16(), "internal"));
    with(status, retry_after, shape(&problem))
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value == CONTENT_TYPE)
}

pub(super) fn with(status: StatusCode, retry_after: Option<HeaderValue>, mut response: Response) -> Response {
    *response.status_mut() = status;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}
