//! `request`: asks somebody for a payment.

use std::fs;

use anyhow::{Context, ensure};
use rand_core::Rng as _;
use serde::Serialize;
use unum_identity::bytes::PaymentKey;
use unum_identity::claim::Amount;
use unum_identity::payment::PaymentRequest;

use crate::arguments::Request;
use crate::code;
use crate::session::Session;

#[derive(Serialize)]
struct Requested {
    link: String,
    /// By which the payment is found in the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<PaymentKey>,
}

pub(crate) fn request(session: &Session, asked: &Request) -> anyhow::Result<()> {
    ensure!(asked.amount > Amount::ZERO, "ask for at least 1 minor unit");
    let ledger = match asked.ledger {
        Some(ledger) => ledger,
        None => session.distribution().ledger()?.id,
    };
    let request = PaymentRequest {
        ledger,
        to: session.wallet()?.account(),
        amount: asked.amount,
        key: (!asked.standing).then(new_key),
        memo: asked.memo.clone(),
    };
    let requested = Requested { link: request.to_string(), idempotency_key: request.key };
    let code = code::of(&requested.link)?;
    if let Some(path) = &asked.svg {
        fs::write(path, code::as_svg(&code)).with_context(|| path.display().to_string())?;
    }
    session.answer(&requested, || match &asked.svg {
        Some(path) => format!("the code is in {}\n\n{}", path.display(), requested.link),
        None => format!("{}\n\n{}", code::for_terminals(&code), requested.link),
    })
}

/// A name that no other payment has.
pub(crate) fn new_key() -> PaymentKey {
    let mut key = [0; 16];
    Session::rng().fill_bytes(&mut key);
    PaymentKey(key)
}
