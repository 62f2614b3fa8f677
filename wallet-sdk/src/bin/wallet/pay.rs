//! `pay`: money to somebody, once.
//!
//! Crash order: the signed payment is kept in a file, sent, answered, forgotten. Whoever stops anywhere between, and runs
//! it again, sends the same payment.

use std::time::{Duration, SystemTime};

use anyhow::{Context, bail, ensure};
use unum_identity::ledger::LedgerView;
use unum_identity::payment::{PaymentRequest, SignedPayment};
use unum_identity::time::UnixTime;
use wallet_sdk::client::{ClientError, Paid};
use wallet_sdk::{Outbox, Wallet};

use crate::arguments::Pay;
use crate::request::new_key;
use crate::session::{Session, confirm};

/// How long a payment is good for: longer than an answer can take, and than clocks of a phone and a server differ.
const GOOD_FOR: Duration = Duration::from_mins(10);
/// What has to be typed.
const WORD: &str = "pay";
/// Refusals after which the payment was not made, and what was signed can be forgotten. After any other answer it may have
/// been.
const FINAL: [&str; 6] = [
    "balance_insufficient",
    "deadline_passed",
    "idempotency_key_taken",
    "payment_moves_nothing",
    "payment_too_large",
    "recipient_cannot_sign",
];

pub(crate) fn pay(session: &Session, asked: &Pay) -> anyhow::Result<()> {
    let (wallet, outbox) = (session.wallet()?, Outbox::beside(&session.vault()?));
    let ledger = session.distribution().ledger()?;
    let trusted = session.ledger_key(ledger.key)?;
    let order = match outbox.waiting()? {
        Some(order) => again(order, asked, &ledger)?,
        None => new(session, asked, &wallet, &outbox, &ledger)?,
    };
    let answer = session.distribution().pay(&order, &trusted);
    if answer.as_ref().err().is_none_or(is_final) {
        outbox.clear()?;
    }
    let paid = answer?;
    session.answer(&paid, || to_text(&paid, &ledger))
}

fn is_final(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused(problem) if FINAL.contains(&&*problem.code))
}

/// The payment that waits for its answer, if it is the one that is wanted now.
fn again(order: SignedPayment, asked: &Pay, ledger: &LedgerView) -> anyhow::Result<SignedPayment> {
    let payment = &order.payment;
    let what = format!("a payment of {} to {}", ledger.text(payment.amount), payment.to);
    ensure!(payment.ledger == ledger.id, "{what} waits for its answer, on the ledger {}", payment.ledger);
    let wanted = match (&asked.request, asked.to) {
        (Some(link), _) => {
            let key = link.key.unwrap_or(payment.idempotency_key);
            (link.to, link.amount, key) == (payment.to, payment.amount, payment.idempotency_key)
        }
        (None, Some(to)) => (to, asked.amount) == (payment.to, Some(payment.amount)),
        (None, None) => true,
    };
    ensure!(wanted, "{what} has no answer yet: `wallet pay`, and nothing more, asks for it again");
    eprintln!("{what} had no answer yet; sending the same again");
    Ok(order)
}

/// A new payment, shown, agreed to, signed and kept.
fn new(
    session: &Session,
    asked: &Pay,
    wallet: &Wallet,
    outbox: &Outbox,
    ledger: &LedgerView,
) -> anyhow::Result<SignedPayment> {
    let request = wanted(asked, ledger)?;
    let held = session.distribution().account(wallet.account())?.balance;
    let left = held
        .checked_sub(request.amount)
        .with_context(|| format!("you hold {}, not {}", ledger.text(held), ledger.text(request.amount)))?;
    eprintln!("pay       {}\nto        {}", ledger.text(request.amount), request.to);
    if let Some(memo) = &request.memo {
        eprintln!("for       {memo}");
    }
    eprintln!("you hold  {}, then {}", ledger.text(held), ledger.text(left));
    if !asked.yes {
        confirm("A payment cannot be taken back.", WORD)?;
    }
    let deadline = asked.deadline.unwrap_or_else(|| UnixTime::from(SystemTime::now()).plus(GOOD_FOR));
    let order = wallet.pay(&request, request.key.unwrap_or_else(new_key), deadline);
    outbox.keep(&order)?;
    Ok(order)
}

fn wanted(asked: &Pay, ledger: &LedgerView) -> anyhow::Result<PaymentRequest> {
    let request = match (&asked.request, asked.to, asked.amount) {
        (Some(link), ..) => link.clone(),
        (None, Some(to), Some(amount)) => {
            PaymentRequest { ledger: ledger.id, to, amount, key: None, memo: None }
        }
        _ => bail!("no payment waits for an answer; say whom and how much, or give a link"),
    };
    ensure!(
        request.ledger == ledger.id,
        "the link is for the ledger {}, this is {}",
        request.ledger,
        ledger.id
    );
    Ok(request)
}

fn to_text(paid: &Paid, ledger: &LedgerView) -> String {
    let said = &paid.receipt.statement;
    format!(
        "{}: {} to {}\nledger      entry {}, {}",
        if paid.now { "paid" } else { "paid before; this is the first receipt" },
        ledger.text(said.amount),
        said.to,
        said.ledger_sequence,
        said.entry_hash
    )
}
