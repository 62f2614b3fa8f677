use rand_core::UnwrapErr;
use serde::Deserialize;
use unum_identity::field::{Nullifier, Root};
use unum_identity::hash::hash_signal;
use unum_identity::proof::ProofBytes;

use super::sealed::{IV_LEN, Sealed, open, seal};
use super::*;

/// Made by the bridge client in TypeScript: what it asks, and what it answers and refuses with, under a fixed key and fixed IVs.
#[derive(Deserialize)]
struct Vectors {
    link: String,
    request: Sealed,
    answer: Sealed,
    refusal: Sealed,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../vectors/bridge.json")).unwrap()
}

fn iv(sealed: &Sealed) -> [u8; IV_LEN] {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(&sealed.iv).unwrap().try_into().unwrap()
}

fn proved() -> VerifyRequest {
    let field = |digits: &str| format!("0x{}", digits.repeat(32));
    VerifyRequest {
        app_id: "app_x".into(),
        action: "vote".into(),
        day: None,
        signal_hash: hash_signal("yes"),
        root: field("01").parse::<Root>().unwrap(),
        nullifier: field("02").parse::<Nullifier>().unwrap(),
        proof: ProofBytes([3; 256]),
    }
}

#[test]
fn what_a_page_asks_can_be_read() {
    let vectors = vectors();
    let link: BridgeLink = vectors.link.parse().unwrap();
    assert_eq!(link.request_id(), "4f1f2f3a-6b1c-4c5e-8a52-0d9f6a7b8c9d");
    assert_eq!(link.bridge(), "https://unum.example/bridge");
    let question: Question = serde_json::from_slice(&open(link.key(), &vectors.request).unwrap()).unwrap();
    let expected = Question {
        app_id: "app_x".into(),
        action: "vote".into(),
        action_description: Some("Grüße — \"one\" each".into()),
        signal_hash: hash_signal("yes"),
    };
    assert_eq!(question, expected);
    assert_eq!(question.act().scope(), proved().scope());
}

#[test]
fn answers_are_those_of_the_other_wallet_to_the_byte() {
    let vectors = vectors();
    let link: BridgeLink = vectors.link.parse().unwrap();
    let sealed = |message: Vec<u8>, like: &Sealed| seal(link.key(), iv(like), &message);
    let proof = serde_json::to_vec(&messages::Proved::of(&proved())).unwrap();
    assert_eq!(sealed(proof, &vectors.answer), vectors.answer);
    let refused = messages::Refused { error_code: Refusal::VerificationRejected };
    assert_eq!(sealed(serde_json::to_vec(&refused).unwrap(), &vectors.refusal), vectors.refusal);
}

#[test]
fn what_was_changed_does_not_open() {
    let vectors = vectors();
    let link: BridgeLink = vectors.link.parse().unwrap();
    let other: BridgeLink = vectors.link.replace("k=AwoR", "k=BwoR").parse().unwrap();
    assert!(open(other.key(), &vectors.request).is_none(), "another key");
    let Sealed { iv, payload } = &vectors.request;
    let changed =
        |iv: &str, payload: &str| open(link.key(), &Sealed { iv: iv.into(), payload: payload.into() });
    assert!(changed(iv, payload).is_some());
    assert!(changed(&vectors.answer.iv, payload).is_none());
    assert!(changed(iv, &payload.replacen('m', "n", 1)).is_none());
    assert!(changed(iv, &payload[..payload.len() - 4]).is_none(), "cut off");
    for wrong in ["", "AAAA", "no base64!!"] {
        assert!(changed(wrong, payload).is_none() && changed(iv, wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_link_of_any_app_is_read() {
    let key = "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dw%3D";
    let parse = |link: &str| link.parse::<BridgeLink>().map(|link| link.bridge().to_owned());
    let here = |base: &str| format!("{base}i=0123456789abcdef&k={key}&b=http%3A%2F%2Flocalhost%3A8080");
    for base in ["unum://verify?", "https://world.org/verify?t=wld&", "x:?more=1&t=wld&"] {
        assert_eq!(parse(&here(base)).as_deref(), Ok("http://localhost:8080"), "{base}");
    }
    assert!(parse(&format!(" {}#more\n", here("x?"))).is_ok(), "as it is copied");
    assert!(parse(&here("x?").replace("%3D", "=")).is_ok(), "not escaped");

    let wrong = |from: &str, to: &str| parse(&here("unum://verify?t=wld&").replace(from, to)).unwrap_err();
    assert!(wrong("t=wld", "t=other").to_string().contains("another kind"));
    assert!(wrong("cdef&", "cde&").to_string().contains("(i)"));
    assert!(wrong("cdef&", "cdef%2F&").to_string().contains("(i)"));
    assert!(wrong("0123456789abcdef", "................").to_string().contains("(i)"));
    assert!(wrong("k=AwoR", "k=").to_string().contains("(k)"));
    assert!(wrong("k=AwoR", "k=%%%%").to_string().contains("(k)"));
    assert!(wrong("&b=", "&c=").to_string().contains("(b)"));
    for bridge in
        ["http%3A%2F%2Funum.example", "https%3A%2F%2Fa%40b.example", "ftp%3A%2F%2Flocalhost", "localhost", ""]
    {
        assert!(wrong("http%3A%2F%2Flocalhost%3A8080", bridge).to_string().contains("(b)"), "{bridge}");
    }
    assert!(parse("").is_err() && parse("unum://verify").is_err());
}

#[test]
fn debug_shows_no_key() {
    let link: BridgeLink = vectors().link.parse().unwrap();
    assert_eq!(format!("{link:?}"), "BridgeLink");
}

#[test]
fn nobody_there_is_unavailable() {
    // Port 9 of this machine: discard (RFC 863), which nothing offers any more.
    let link = vectors().link.replace("https%3A%2F%2Funum.example", "http%3A%2F%2F127.0.0.1%3A9");
    let error = Asked::fetch(link.parse().unwrap(), &mut UnwrapErr(getrandom::SysRng)).unwrap_err();
    assert!(matches!(error, BridgeError::Unavailable(_)), "{error:?}");
}
