//! `prove`: to an app, that its user is one human.

use serde::Serialize;
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
        let rng = &mut Session::rng();
        Ok(prove_app(&prover, &identity, &inclusion, &asked.app, &asked.action, signal, rng)?)
    })?;
    if let Some(path) = &asked.out {
        save(path, &request)?;
    }
    let verified = asked.send.then(|| session.enroll_server().verify(&request)).transpose()?;
    let proved = Proved { request, verified };
    session.answer(&proved, || match (&proved.verified, &asked.out) {
        (Some(verified), _) => {
            format!("verified: a human, for the first time\nnullifier  {}", verified.nullifier)
        }
        (None, Some(path)) => format!("the proof is in {}; hand it to the app", path.display()),
        (None, None) => serde_json::to_string_pretty(&proved.request).expect("a proof is text"),
    })
}
