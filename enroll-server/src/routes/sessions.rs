//! A device asks for a session: the nonce to sign, and the key to seal to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use service::ProblemResponse;
use unum_identity::bytes::Nonce;
use unum_identity::enrollment::{Session, SessionRequest};
use unum_identity::problem::Problem;

use crate::enrollment::Refusal;
use crate::server::App;
use crate::store::{devices, sessions};

/// Opens a session for one enrollment
///
/// The nonce is good once, for 120 seconds, for this device.
#[utoipa::path(post, path = "/v1/sessions", tag = "enrollment",
    request_body = SessionRequest,
    responses(
        (status = 201, description = "Opened", body = Session),
        (status = "4XX", description = "`device_unknown`, `device_revoked`, `body_invalid`",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn open(
    State(app): State<Arc<App>>,
    service::Json(request): service::Json<SessionRequest>,
) -> Result<(StatusCode, Json<Session>), ProblemResponse> {
    let mut nonce = Nonce([0; 32]);
    app.rng().fill_bytes(&mut nonce.0);
    let expires_at = app.clock.now().plus(app.config.nonce_lifetime());
    let opened = app.store.run_tx("open_session", |tx| async move {
        match devices::get(&tx, request.device).await? {
            None => Ok(Err(Refusal::DeviceUnknown)),
            Some(device) if device.is_revoked => Ok(Err(Refusal::DeviceRevoked)),
            Some(_) => sessions::insert(&tx, nonce, request.device, expires_at).await.map(Ok),
        }
    });
    opened.await??;
    let (sealing_key, consent_version) = (app.keys.opening.sealing_key(), app.config.consent_version);
    Ok((StatusCode::CREATED, Json(Session { nonce, expires_at, sealing_key, consent_version })))
}
