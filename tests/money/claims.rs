//! A person is paid once; whoever sends it, however often.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, ProgrammeId};
use unum_identity::claim::{Amount, Claim};
use unum_identity::field::{FieldElement, Nullifier};
use unum_identity::time::UnixTime;

use super::bank::{Bank, LEDGER, PERIOD_SECONDS, SHARE, START, amount, to};

#[test]
fn a_claim_is_paid_once_and_the_first_receipt_comes_back() {
    let bank = Bank::with_people(3);
    bank.open(0);
    let claim = bank.prove(1, 0, to(11));
    let first = bank.send(&claim);
    assert_eq!(first.status, 201);
    let receipt = first.receipt();
    let said = receipt.verify(&bank.key()).unwrap();
    assert_eq!(
        (said.nullifier, said.recipient, said.amount),
        (claim.nullifier, to(11).recipient, amount(SHARE))
    );

    bank.set_time(bank.now() + 100);
    let again = bank.send(&claim);
    assert_eq!((again.status, &again.text), (200, &first.text));
    // Another proof of the same: only the terms count.
    let proved_again = bank.send(&bank.prove(1, 0, to(11)));
    assert_eq!((proved_again.status, &proved_again.text), (200, &first.text));

    bank.set_time(START + 2 * PERIOD_SECONDS);
    bank.advance(0, distribution::Transition::Close).unwrap();
    let late = bank.send(&claim);
    assert_eq!((late.status, &late.text), (200, &first.text), "an answer that got lost is not lost for good");

    assert_eq!(bank.balance(to(11).recipient), SHARE);
    let books = bank.books();
    let entry = books.transfers - 1; // the last one returned the rest
    assert_eq!(receipt.statement.ledger_sequence, entry);
}

#[test]
fn nobody_can_redirect_a_share() {
    let bank = Bank::with_people(2);
    bank.open(0);
    bank.send(&bank.prove(0, 0, to(11))).receipt();
    let answer = bank.send(&bank.prove(0, 0, to(12)));
    answer.refused(409, "claimed_for_another_recipient");
    assert!(answer.problem().detail.unwrap().contains(&START.to_string()), "it says when it was paid");
    assert_eq!((bank.balance(to(11).recipient), bank.balance(to(12).recipient)), (SHARE, 0));
    bank.books();
}

#[test]
fn a_fee_is_what_the_terms_say() {
    let bank = Bank::with_people(1);
    bank.open(0);
    let mut terms = to(11);
    terms.fee = amount(30);
    let receipt = bank.send(&bank.prove(0, 0, terms)).receipt();
    assert_eq!(receipt.statement.amount, amount(SHARE - 30));
    assert_eq!(bank.balance(to(11).recipient), SHARE - 30);
    let books = bank.books();
    let fees = books.accounts.iter().find(|account| account.name == "fees").unwrap();
    assert_eq!(fees.balance.minor(), 30);
}

#[test]
fn one_of_sixty_four_at_once_is_paid() {
    let bank = Bank::with_people(2);
    bank.open(0);
    let claim = bank.prove(0, 0, to(11));
    let answers = bank.send_together(&[&claim; 64]);
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 63);
    assert_eq!(answers.iter().map(|answer| &answer.text).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(bank.balance(to(11).recipient), SHARE);
    assert_eq!(bank.books().transfers, 3, "deposit, reserve, one claim");
}

#[test]
fn everyone_at_once_is_paid() {
    let bank = Bank::with_people(12);
    bank.open(0);
    let claims: Vec<_> = (0..12).map(|person| bank.prove(person, 0, to(person as u8))).collect();
    std::thread::scope(|scope| {
        for claim in &claims {
            let bank = &bank;
            scope.spawn(move || assert_eq!(bank.send(claim).status, 201));
        }
    });
    assert!((0..12).all(|person| bank.balance(to(person).recipient) == SHARE));
    assert_eq!(bank.books().transfers, 14);
}

#[test]
fn refused_claims_leave_no_trace() {
    let mut bank = Bank::with_people(3);
    bank.open(0);
    bank.advance(1, distribution::Transition::Snapshot).unwrap();
    bank.till.set.enroll(1); // too late for both periods
    let before = bank.books();
    let refused = |claim: &Claim, status, code| bank.send(claim).refused(status, code);
    let good = bank.prove(0, 0, to(11));
    let changed = |change: fn(&mut Claim)| {
        let mut claim = good.clone();
        change(&mut claim);
        claim
    };

    refused(&changed(|c| c.programme = ProgrammeId([9; 16])), 404, "programme_unknown");
    refused(&bank.prove(0, 1, to(11)), 422, "period_not_open");
    refused(&changed(|c| c.period = Period(5)), 422, "period_not_open");
    refused(&changed(|c| c.period = Period(u64::MAX)), 422, "period_not_open");
    bank.set_time(START - 1);
    refused(&good, 422, "outside_window");
    bank.set_time(START + 2 * PERIOD_SECONDS);
    refused(&good, 422, "outside_window");
    bank.set_time(START + 10);

    refused(&changed(|c| c.terms.deadline = UnixTime(START + 9)), 422, "deadline_passed");
    refused(&changed(|c| c.terms.ledger.0 = [1; 16]), 422, "other_ledger");
    refused(&changed(|c| c.terms.fee = Amount::new(SHARE + 1).unwrap()), 422, "fee_too_high");

    let newcomer = bank.prove_at(3, 4, 0, to(11));
    refused(&newcomer, 422, "proof_invalid");
    let old_person_new_root = bank.prove_at(0, 4, 0, to(11));
    refused(&old_person_new_root, 422, "proof_invalid");
    refused(&changed(|c| c.terms.recipient = AccountId([66; 32])), 422, "proof_invalid");
    refused(&changed(|c| c.terms.fee = Amount::new(1).unwrap()), 422, "proof_invalid");
    refused(&changed(|c| c.terms.deadline = UnixTime(START + 1_000_000)), 422, "proof_invalid");
    refused(&changed(|c| c.nullifier = Nullifier(FieldElement::from(5))), 422, "proof_invalid");
    refused(&changed(|c| c.proof.0[40] ^= 1), 422, "proof_invalid");
    refused(&changed(|c| c.proof.0 = [0; 256]), 422, "proof_invalid");
    refused(&changed(|c| c.proof.0[..64].rotate_left(32)), 422, "proof_invalid"); // A with its coordinates exchanged

    let after = bank.books();
    assert_eq!((before.chain_head, before.accounts), (after.chain_head, after.accounts));
    assert_eq!(bank.send(&good).status, 201, "and the claim itself was good all the time");
}

/// The order of the field, BN254's `r`.
const ORDER: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d, 0x28,
    0x33, 0xe8, 0x48, 0x79, 0xb9, 0x70, 0x91, 0x43, 0xe1, 0xf5, 0x93, 0xf0, 0x00, 0x00, 0x01,
];

/// `nullifier + r`: the same element, were it reduced.
fn plus_order(nullifier: Nullifier) -> String {
    let mut sum = nullifier.to_be_bytes();
    let mut carry = 0;
    for (byte, order) in sum.iter_mut().zip(ORDER).rev() {
        let total = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (total as u8, total >> 8);
    }
    assert_eq!(carry, 0);
    format!("0x{}", hex::encode(sum))
}

/// Other spellings of digits in hex, each of which some decoder takes for the same.
fn misspelled_hex(text: &str) -> Vec<Value> {
    let (prefix, digits) = text.split_at(text.len() - text.trim_start_matches("0x").len());
    let other_prefix = if prefix.is_empty() { "0x" } else { "" };
    let texts = [
        format!("{other_prefix}{digits}"),
        format!("0X{digits}"),
        format!("{prefix}{}", digits.to_uppercase()),
        format!("{prefix}{}", &digits[1..]),
        format!("{prefix}{}", &digits[2..]),
        format!("{prefix}0{digits}"),
        format!("{prefix}00{digits}"),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{prefix}{}_{}", &digits[..4], &digits[4..]),
    ];
    let bytes = hex::decode(digits).unwrap();
    let misspelled = texts.into_iter().filter(|other| other != text).map(Value::from); // digits alone have no case
    misspelled.chain([json!(bytes), json!(null), json!([text])]).collect()
}

/// Other spellings of a whole number that is written as text.
fn misspelled_amount(text: &str) -> Vec<Value> {
    let number: u64 = text.parse().unwrap();
    let texts = ["+", "0", "00", "-", " ", "0x"].map(|prefix| json!(format!("{prefix}{text}")));
    let more = [".0", "e0", " ", "_"].map(|suffix| json!(format!("{text}{suffix}")));
    texts.into_iter().chain(more).chain([json!(number), json!(null), json!("1".repeat(39))]).collect()
}

/// Other spellings of a JSON number.
fn misspelled_number(number: u64) -> Vec<Value> {
    vec![json!(number.to_string()), json!(-1), json!(number as f64 + 0.5), json!(null), json!([number])]
}

#[test]
fn every_field_has_one_spelling() {
    let bank = Bank::with_people(1);
    bank.open(0);
    let mut terms = to(0xab);
    (terms.fee, terms.deadline) = (amount(30), UnixTime(START + 5_000));
    let claim = bank.prove(0, 0, terms);
    let body = serde_json::to_value(&claim).unwrap();
    let before = bank.books();
    let refuses = |pointer: &str, values: Vec<Value>| {
        for value in values {
            let mut body = body.clone();
            *body.pointer_mut(pointer).unwrap() = value.clone();
            let answer = bank.post("/v1/claims", &body.to_string());
            assert_eq!(answer.status, 400, "{pointer} {value}: {}", answer.text);
            answer.refused(400, "body_invalid");
        }
    };
    for pointer in ["/programme", "/nullifier", "/proof", "/terms/ledger", "/terms/recipient"] {
        let text = body.pointer(pointer).unwrap().as_str().unwrap();
        refuses(pointer, misspelled_hex(text));
    }
    refuses("/nullifier", vec![Value::from(plus_order(claim.nullifier))]);
    refuses("/terms/fee", misspelled_amount("30"));
    refuses("/period", misspelled_number(0));
    refuses("/terms/deadline", misspelled_number(START + 5_000));
    for pointer in ["/programme", "/period", "/nullifier", "/terms", "/proof"] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(&pointer[1..]);
        bank.post("/v1/claims", &body.to_string()).refused(400, "body_invalid");
    }
    let after = bank.books();
    assert_eq!((before.chain_head, before.transfers), (after.chain_head, after.transfers));
    assert_eq!(bank.intruder().query("SELECT FROM claims", &[]).unwrap().len(), 0);
    assert_eq!(bank.send(&claim).status, 201, "and spelled as it should be it was good all the time");
    refuses("/nullifier", vec![Value::from(plus_order(claim.nullifier))]);
    assert_eq!(bank.balance(claim.terms.recipient), SHARE - 30);
}

#[test]
fn what_is_no_claim_is_a_problem_with_a_code() {
    let bank = Bank::with_people(1);
    bank.open(0);
    let claim = serde_json::to_value(bank.prove(0, 0, to(11))).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut claim = claim.clone();
        *claim.pointer_mut(pointer).unwrap() = value;
        claim.to_string()
    };
    let mut more = claim.clone();
    more["amount"] = json!("1000000");
    for body in [
        String::new(),
        "{".into(),
        "[]".into(),
        "\"claim\"".into(),
        more.to_string(),
        with("/terms/fee", json!(0)),
        with("/terms/fee", json!("-1")),
        with("/terms/fee", json!("01")),
        with("/terms/fee", json!("1e3")),
        with("/period", json!(-1)),
        with("/period", json!("0")),
        with("/programme", json!("AB")),
        with("/terms/ledger", json!(LEDGER.to_string().to_uppercase())),
        with("/proof", json!("0x00")),
        claim.to_string().replacen("{\"", "{\"nullifier\":\"0x00\",\"", 1), // a key twice
    ] {
        let answer = bank.post("/v1/claims", &body);
        answer.refused(400, "body_invalid");
    }
    bank.post("/v1/claims", &" ".repeat(17 * 1024)).refused(413, "body_too_large");
    bank.get("/v1/claims").refused(405, "method_not_allowed");
    bank.get("/v1/nothing").refused(404, "route_unknown");
    bank.get("/v1/accounts/xyz").refused(400, "path_invalid");
    bank.get("/v1/programmes/ABCD").refused(400, "path_invalid");
    let plain = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut answer = plain.post(bank.url("/v1/claims")).content_type("text/plain").send("{}").unwrap();
    assert_eq!(answer.status(), 415);
    assert!(answer.body_mut().read_to_string().unwrap().contains("\"content_type\""));
    assert_eq!(bank.balance(AccountId([0x77; 32])), 0, "an account that was never paid holds nothing");
    bank.books();
}
