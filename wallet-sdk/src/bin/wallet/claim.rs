//! `claim`: a period's share. `relay`: somebody else's, for its fee.

use anyhow::Context;
use unum_identity::bytes::KeyHash;
use unum_identity::claim::{Claim as ClaimBody, ClaimTerms};
use unum_identity::enrollment::InclusionProof;
use unum_identity::programme::PeriodView;
use wallet_sdk::client::{Claimed, ClientError};
use wallet_sdk::{Wallet, prove_claim};

use crate::arguments::{Claim, Relay};
use crate::session::{Session, patiently, read, save};

pub(crate) fn claim(session: &Session, asked: &Claim) -> anyhow::Result<()> {
    let body = match &asked.send {
        Some(path) => read(path)?,
        None => make(session, asked)?,
    };
    if let Some(path) = &asked.out {
        save(path, &body)?;
        return session.answer(&body, || {
            format!(
                "the claim is in {}; send it with `wallet claim --send`, before its deadline",
                path.display()
            )
        });
    }
    send(session, &body)
}

pub(crate) fn relay(session: &Session, asked: &Relay) -> anyhow::Result<()> {
    let claim: ClaimBody = read(&asked.claim)?;
    send(session, &ClaimBody { relayer: Some(session.wallet()?.account()), ..claim })
}

fn send(session: &Session, claim: &ClaimBody) -> anyhow::Result<()> {
    let stated = session.distribution().period(claim.programme, claim.period)?.key;
    let claimed = session.distribution().claim(claim, &session.ledger_key(stated)?)?;
    session.answer(&claimed, || to_text(&claimed))
}

/// Makes the claim. Asks no service for what was given.
fn make(session: &Session, asked: &Claim) -> anyhow::Result<ClaimBody> {
    let programme = asked.programme.context("which programme? --programme")?;
    let period = asked.period.context("which period? --period")?;
    let wallet = session.wallet()?;
    let offline = asked.inclusion.is_some() && asked.ledger.is_some() && asked.deadline.is_some();
    let view = if offline { None } else { Some(session.distribution().period(programme, period)?) };
    let inclusion = inclusion(session, asked, &wallet, view.as_ref())?;
    let terms = ClaimTerms {
        ledger: asked.ledger.or(view.as_ref().map(|view| view.ledger)).context("which ledger? --ledger")?,
        recipient: wallet.account(),
        fee: asked.fee,
        // The period's close, so that a repeated claim says the same and gets the same receipt.
        deadline: asked
            .deadline
            .or(view.as_ref().map(|view| view.closes_at))
            .context("until when? --deadline")?,
    };
    let key: Option<KeyHash> = view.as_ref().map(|view| view.verifying_key);
    patiently("making the proof", || {
        let (prover, identity) = (session.prover(key)?, wallet.identity());
        let rng = &mut Session::rng();
        Ok(prove_claim(&prover, &identity, &inclusion, programme, period, terms, rng)?)
    })
}

/// The path to the period's own root: from the file, or from the enrollment server at the period's size. The two
/// services answer apart, so that a root that both name is one that neither made up alone.
fn inclusion(
    session: &Session,
    asked: &Claim,
    wallet: &Wallet,
    view: Option<&PeriodView>,
) -> anyhow::Result<InclusionProof> {
    let set = match view {
        Some(view) => Some(view.set.with_context(|| {
            format!("period {} is only {}: nobody is eligible yet; come back later", view.period, view.state)
        })?),
        None => None,
    };
    let inclusion = match &asked.inclusion {
        Some(path) => read(path)?,
        None => session.inclusion(wallet, set.map(|set| set.size))?,
    };
    if set.is_some_and(|set| set.root != inclusion.root) {
        return Err(ClientError::Untrue("the path leads to another root than the period's").into());
    }
    Ok(inclusion)
}

fn to_text(claimed: &Claimed) -> String {
    let paid = &claimed.receipt.statement;
    format!(
        "{}: {} minor units\nprogramme   {}\nperiod      {}\nrecipient   {}\nledger      entry {}, {}",
        if claimed.now { "paid" } else { "already paid; this is the first receipt" },
        paid.amount,
        paid.programme,
        paid.period,
        paid.recipient,
        paid.ledger_sequence,
        paid.entry_hash
    )
}
