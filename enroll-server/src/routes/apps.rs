//! Operators register apps and what humans do in them; everybody may read both.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use service::{Operator, Path, ProblemResponse, Query};
use unum_identity::action::Day;
use unum_identity::field::Nullifier;
use unum_identity::humanness::{ActionName, ActionTerms, App, AppAction, AppId, AppRegistration, Uses};
use unum_identity::problem::Problem;

use crate::{apps, server, verify};

/// Which action of which app.
#[derive(Deserialize)]
pub(super) struct Named {
    app_id: AppId,
    /// Absent from the address of the empty one.
    #[serde(default)]
    action: ActionName,
}

/// Whose uses of which action.
#[derive(Deserialize)]
pub(super) struct Counted {
    app_id: AppId,
    /// Absent from the address of the empty one.
    #[serde(default)]
    action: ActionName,
    nullifier: Nullifier,
}

/// On which day.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnDay {
    /// Of a daily action; today if absent.
    day: Option<Day>,
}

/// Registers an app
///
/// The same body again changes nothing and is answered with 200.
#[utoipa::path(post, path = "/v1/apps", tag = "humanness", security(("operator" = [])),
    request_body = AppRegistration,
    responses(
        (status = 201, description = "Registered", body = App),
        (status = 200, description = "Was registered already, exactly so", body = App),
        (status = "4XX", description = "`operator_required`, `app_known`, `text_invalid`, `set_unknown`, `body_invalid`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn register(
    _: Operator,
    State(app): State<Arc<server::App>>,
    service::Json(asked): service::Json<AppRegistration>,
) -> Result<(StatusCode, Json<App>), ProblemResponse> {
    let (registered, is_new) = apps::register(&app, &asked).await?;
    Ok((created(is_new), Json(registered)))
}

/// Lists apps, in order of registration
#[utoipa::path(get, path = "/v1/apps", tag = "humanness", security(("operator" = [])),
    responses(
        (status = 200, body = Vec<App>),
        (status = "4XX", description = "`operator_required`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    _: Operator,
    State(app): State<Arc<server::App>>,
) -> Result<Json<Vec<App>>, ProblemResponse> {
    Ok(Json(apps::all(&app).await?))
}

/// An app and what humans do in it
#[utoipa::path(get, path = "/v1/apps/{app_id}", tag = "humanness",
    params(("app_id" = AppId, Path, description = "The app")),
    responses(
        (status = 200, body = App),
        (status = "4XX", description = "`app_unknown`, `path_invalid`", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(
    State(app): State<Arc<server::App>>,
    Path(app_id): Path<AppId>,
) -> Result<Json<App>, ProblemResponse> {
    Ok(Json(apps::get(&app, &app_id).await?))
}

/// Makes an action, changes its limit or its description, opens or closes it
///
/// What is left out of the body is as in a new action: once, for ever, open. The limit can only be raised, and how it is counted never
/// changes. The empty action has the address that ends in `/actions/`.
#[utoipa::path(put, path = "/v1/apps/{app_id}/actions/{action}", tag = "humanness", security(("operator" = [])),
    params(
        ("app_id" = AppId, Path, description = "The app"),
        ("action" = ActionName, Path, description = "What humans do")),
    request_body = ActionTerms,
    responses(
        (status = 201, description = "Made", body = AppAction),
        (status = 200, description = "Is so now", body = AppAction),
        (status = "4XX", description = "`operator_required`, `app_unknown`, `action_narrower`, `max_uses_invalid`, `text_invalid`, `path_invalid`, `body_invalid`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn put_action(
    _: Operator,
    State(app): State<Arc<server::App>>,
    Path(Named { app_id, action }): Path<Named>,
    service::Json(terms): service::Json<ActionTerms>,
) -> Result<(StatusCode, Json<AppAction>), ProblemResponse> {
    let (action, is_new) = apps::put_action(&app, &app_id, &action, &terms).await?;
    Ok((created(is_new), Json(action)))
}

/// How often a human has done something
///
/// Says whether a proof would count, before anybody makes one. Whoever asks has to know the nullifier.
#[utoipa::path(get, path = "/v1/apps/{app_id}/actions/{action}/nullifiers/{nullifier}", tag = "humanness",
    params(
        ("app_id" = AppId, Path, description = "The app"),
        ("action" = ActionName, Path, description = "What humans do"),
        ("nullifier" = Nullifier, Path, description = "0x and 64 lower-case hex digits"),
        ("day" = Option<Day>, Query, description = "Of a daily action; today if absent")),
    responses(
        (status = 200, body = Uses),
        (status = "4XX", description = "`app_unknown`, `action_unknown`, `day_wrong`, `path_invalid`, `query_invalid`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn uses(
    State(app): State<Arc<server::App>>,
    Path(Counted { app_id, action, nullifier }): Path<Counted>,
    Query(OnDay { day }): Query<OnDay>,
) -> Result<Json<Uses>, ProblemResponse> {
    Ok(Json(verify::uses(&app, &app_id, &action, day, nullifier).await?))
}

fn created(is_new: bool) -> StatusCode {
    if is_new { StatusCode::CREATED } else { StatusCode::OK }
}
