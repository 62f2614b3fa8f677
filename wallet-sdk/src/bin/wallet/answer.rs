//! `answer`: to an app's page, over a bridge, that its user is one human.
//!
//! A bridge hands a request out once. Everything that can go wrong here goes wrong before that: then the link is still good.

use std::io::{IsTerminal as _, stdin};

use anyhow::{Context, ensure};
use serde::Serialize;
use unum_identity::field::{Nullifier, SignalHash};
use unum_identity::hash::hash_signal;
use wallet_sdk::bridge::{Asked, BridgeError, BridgeLink, Question, Refusal};
use wallet_sdk::prove_app;
use zeroize::Zeroizing;

use crate::arguments::Answer;
use crate::session::{Session, confirm, patiently};

/// What has to be typed.
const WORD: &str = "prove";

#[derive(Serialize)]
struct Answered<'a> {
    bridge: &'a str,
    app_id: &'a str,
    action: &'a str,
    signal_hash: SignalHash,
    nullifier: Nullifier,
}

pub(crate) fn answer(session: &Session, asked: &Answer) -> anyhow::Result<()> {
    let link: BridgeLink = link(&asked.link)?.parse().map_err(BridgeError::from)?;
    let can_be_asked = stdin().is_terminal() && asked.link != "-";
    ensure!(asked.yes || can_be_asked, "nobody can be asked here: say --yes");
    let wallet = session.wallet()?;
    let inclusion = session.inclusion(&wallet, None)?;
    let prover = patiently("reading the proving key", || session.prover(None))?;

    let rng = &mut Session::rng();
    let asked_for = Asked::fetch(link, rng)?;
    let question = asked_for.question();
    eprintln!("{}", to_text(question, asked_for.bridge()));
    if !asked.yes
        && let Err(error) =
            confirm("The app will know that you are one human, and nothing else of you.", WORD)
    {
        asked_for.refuse(Refusal::VerificationRejected, rng)?;
        return Err(error.context("the app was told that you do not want to"));
    }
    let proved = patiently("making the proof", || {
        prove_app(&prover, &wallet.identity(), &inclusion, question.act(), question.signal_hash, rng)
    });
    let proved = match proved {
        Ok(proved) => proved,
        Err(error) => {
            asked_for.refuse(Refusal::GenericError, rng).ok(); // the page need not wait; what is wrong is the proof
            return Err(error.into());
        }
    };
    send(|| asked_for.answer(&proved, &mut Session::rng()))?;
    let answered = Answered {
        bridge: asked_for.bridge(),
        app_id: &question.app_id,
        action: &question.action,
        signal_hash: question.signal_hash,
        nullifier: proved.nullifier,
    };
    session.answer(&answered, || format!("the app has its answer\nnullifier  {}", proved.nullifier))
}

/// Once more if the bridge does not answer: the request is not handed out again.
fn send(answer: impl Fn() -> Result<(), BridgeError>) -> Result<(), BridgeError> {
    match answer() {
        Err(BridgeError::Unavailable(_)) => match answer() {
            Err(BridgeError::Answered) => Ok(()), // by ourselves: only the first time's answer got lost
            second => second,
        },
        first => first,
    }
}

fn link(argument: &str) -> anyhow::Result<Zeroizing<String>> {
    let mut link = Zeroizing::new(argument.to_owned());
    if argument == "-" {
        link.clear();
        stdin().read_line(&mut link).context("no link on standard input")?;
    }
    Ok(link)
}

/// What is asked, escaped: a text of somebody else's must not write over the lines before it.
fn to_text(question: &Question, bridge: &str) -> String {
    let Question { app_id, action, action_description, signal_hash, .. } = question;
    let words = action_description.as_ref().map(|words| format!("\n          {words:?}, as the app says"));
    let words = words.unwrap_or_default();
    let signal = if *signal_hash == hash_signal("") {
        "none".to_owned()
    } else {
        format!("the text with the hash {signal_hash}")
    };
    format!("asked over {bridge}:\n  app     {app_id:?}\n  action  {action:?}{words}\n  signal  {signal}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_shown_and_cannot_write_over_it() {
        let question = serde_json::json!({
            "app_id": "app_x", "action": "vote\u{1b}[2K\u{202e}", "action_description": "One\neach", "signal": hash_signal(""),
        });
        let mut question: Question = serde_json::from_value(question).unwrap();
        let expected = "asked over https://unum.example:\n  app     \"app_x\"\n  action  \"vote\\u{1b}[2K\\u{202e}\"\n          \
             \"One\\neach\", as the app says\n  signal  none";
        assert_eq!(to_text(&question, "https://unum.example"), expected);
        question.signal_hash = hash_signal("yes");
        assert!(to_text(&question, "").ends_with(&question.signal_hash.to_string()));
    }
}
