//! Operators register and revoke devices.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use service::{Json, Operator, Path, ProblemResponse};
use unum_identity::bytes::DeviceId;
use unum_identity::enrollment::DeviceRegistration;
use unum_identity::problem::Problem;

use crate::server::App;
use crate::store::{Tx, devices};

/// Longest label, in characters; the schema has the same limit.
const MAX_LABEL: usize = 64;

/// Registers a device
///
/// The same body again changes nothing and is answered with 200.
#[utoipa::path(post, path = "/v1/devices", tag = "enrollment", security(("operator" = [])),
    request_body = DeviceRegistration,
    responses(
        (status = 201, description = "Registered", body = DeviceRegistration),
        (status = 200, description = "Was registered already, exactly so", body = DeviceRegistration),
        (status = "4XX", description = "`operator_required`, `device_known`, `device_key_invalid`, `label_invalid`, `body_invalid`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn register(
    _: Operator,
    State(app): State<Arc<App>>,
    Json(device): Json<DeviceRegistration>,
) -> Result<(StatusCode, axum::Json<DeviceRegistration>), ProblemResponse> {
    if !device.key.is_usable() {
        return Err(ProblemResponse::new(422, "device_key_invalid"));
    }
    if device.label.is_empty() || device.label.chars().count() > MAX_LABEL {
        let problem = ProblemResponse::new(422, "label_invalid");
        return Err(problem.detail(format!("a label has 1 to {MAX_LABEL} characters")));
    }
    let (now, asked) = (app.clock.now(), &device);
    let (is_new, registered) = app
        .store
        .run_tx("register_device", |tx| async move {
            let is_new = devices::insert(&tx, asked, now).await?;
            Ok((is_new, devices::get(&tx, asked.device).await?))
        })
        .await?;
    if registered.is_none_or(|registered| registered.registration != device) {
        let problem = ProblemResponse::new(409, "device_known");
        return Err(problem.detail("this id is registered with another key or label"));
    }
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, axum::Json(device)))
}

/// Revokes a device
///
/// Nothing it signs is accepted from now on. Leaves that it vouched for stay. Revoking again changes nothing.
#[utoipa::path(post, path = "/v1/devices/{device}/revoke", tag = "enrollment", security(("operator" = [])),
    params(("device" = String, Path, description = "32 lower-case hex digits")),
    responses(
        (status = 204, description = "Revoked"),
        (status = "4XX", description = "`operator_required`, `device_unknown`, `path_invalid`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn revoke(
    _: Operator,
    State(app): State<Arc<App>>,
    Path(device): Path<DeviceId>,
) -> Result<StatusCode, ProblemResponse> {
    let now = app.clock.now();
    let revoke = |tx: Arc<Tx>| async move { devices::revoke(&tx, device, now).await };
    if app.store.run_tx("revoke_device", revoke).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ProblemResponse::new(404, "device_unknown"))
    }
}
