//! What stands around every handler, seen from outside.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, header};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use tower::ServiceExt as _;

use super::*;
use crate::{Json, Operated, Operator, OperatorToken, Path};

struct App(OperatorToken);

impl Operated for App {
    fn operator_token(&self) -> &OperatorToken {
        &self.0
    }
}

const TOKEN: &str = "the operators of these tests, and nobody else";

async fn answer(request: axum::http::request::Builder, body: &str) -> (u16, String, Metrics) {
    let metrics = Metrics::default();
    let slow = from_fn(|request: Request, next: Next| within(Duration::from_millis(20), request, next));
    let routes = Router::new()
        .route("/double", post(async |Json(number): Json<u8>| number.checked_mul(2).unwrap().to_string()))
        .route("/number/{number}", get(async |Path(number): Path<u8>| number.to_string()))
        .route("/secret", get(async |_: Operator| "for operators"))
        .route("/slow", get(std::future::pending::<()>).layer(slow));
    let app = Arc::new(App(TOKEN.to_owned().into()));
    let router = guarded(routes, 64, &metrics).with_state(app);
    let answer: Response<Body> =
        router.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap(), metrics)
}

/// Asserts the code of a problem, or the body of a success.
#[track_caller]
fn is(answer: &(u16, String, Metrics), status: u16, expected: &str) {
    let code = |text: &str| {
        serde_json::from_str::<serde_json::Value>(text).ok()?["code"].as_str().map(str::to_owned)
    };
    let found = if answer.0 < 400 { Some(answer.1.clone()) } else { code(&answer.1) };
    assert_eq!((answer.0, found.as_deref()), (status, Some(expected)), "{}", answer.1);
}

fn to(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json")
}

#[tokio::test]
async fn whatever_does_not_parse_is_a_problem_with_a_code() {
    is(&answer(to("POST", "/double"), "21").await, 200, "42");
    is(&answer(to("POST", "/double"), "300").await, 400, "body_invalid");
    is(&answer(to("POST", "/double"), &" ".repeat(65)).await, 413, "body_too_large");
    is(&answer(Request::post("/double"), "21").await, 415, "content_type");
    is(&answer(to("GET", "/number/7"), "").await, 200, "7");
    is(&answer(to("GET", "/number/seven"), "").await, 400, "path_invalid");
    is(&answer(to("GET", "/nowhere"), "").await, 404, "route_unknown");
    is(&answer(to("GET", "/double"), "").await, 405, "method_not_allowed");
}

#[tokio::test]
async fn only_the_token_opens_what_is_for_operators() {
    let with = |value: &str| to("GET", "/secret").header(header::AUTHORIZATION, value);
    is(&answer(with(&format!("Bearer {TOKEN}")), "").await, 200, "for operators");
    for wrong in ["", "Bearer ", TOKEN, &format!("Basic {TOKEN}"), &format!("Bearer {TOKEN}x")] {
        is(&answer(with(wrong), "").await, 401, "operator_required");
    }
    is(&answer(to("GET", "/secret"), "").await, 401, "operator_required");
}

#[tokio::test]
async fn a_panic_and_a_slow_handler_are_answered_and_counted_by_their_pattern() {
    let panicked = answer(to("POST", "/double"), "200").await; // twice that is no byte
    is(&panicked, 500, "internal");
    is(&answer(to("GET", "/slow"), "").await, 503, "timeout");
    let counted = answer(to("GET", "/number/123"), "").await.2.render();
    assert!(counted.contains("route=\"GET /number/{number}\",status=\"200\""), "{counted}");
    assert!(!counted.contains("123"), "{counted}");
}
