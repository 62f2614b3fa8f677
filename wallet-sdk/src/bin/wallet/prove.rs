//! `prove`: to an app, that its user is one human.

use serde::Serialize;
use unum_identity::action::Act;
use unum_identity::hash::hash_signal;
use unum_identity::humanness::{Verified, VerifyRequest};
use wallet_sdk::prove_app;

use crate::arguments::AppProof;
use crate::session::{Session, patiently, read, save};

/// A proof, and what the server said of it if it was sent.
#[derive(Serialize)]
struct Proved {
    #[serde(flatten)]
    request: VerifyRequest,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<Verified>,
}

pub(crate) fn prove(session: &Session, asked: &AppProof) -> anyhow::Result<()> {
    let wallet = session.wallet()?;
    let inclusion = match &asked.inclusion {
        Some(path) => read(path)?,
        None => session.inclusion(&wallet, None)?,
    };
    let request = patiently("making the proof", || -> anyhow::Result<_> {
        let (prover, identity) = (session.prover(None)?, wallet.identity());
        let signal = hash_signal(&asked.signal);
        let act = Act { app_id: asked.app.clone(), action: asked.action.clone(), day: asked.day };
        Ok(prove_app(&prover, &identity, &inclusion, act, signal, &mut Session::rng())?)
    })?;
    if let Some(path) = &asked.out {
        save(path, &request)?;
    }
    let verified = asked.send.then(|| session.enroll_server().verify(&request)).transpose()?;
    let proved = Proved { request, verified };
    session.answer(&proved, || match (&proved.verified, &asked.out) {
        (Some(verified), _) => {
            let Verified { nullifier, uses, max_uses, .. } = verified;
            format!("verified: a human, use {uses} of {max_uses}\nnullifier  {nullifier}")
        }
        (None, Some(path)) => format!("the proof is in {}; hand it to the app", path.display()),
        (None, None) => serde_json::to_string_pretty(&proved.request).expect("a proof is text"),
    })
}
