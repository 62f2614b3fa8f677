//! People pay each other: once, only what they have, only with their own signature.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use unum_identity::bytes::{AccountId, LedgerId, PaymentKey};
use unum_identity::claim::ClaimTerms;
use unum_identity::ledger::LedgerProblem;
use unum_identity::payment::{Payment, PaymentReceipt, SignedPayment};
use unum_identity::signed::Signed;
use unum_identity::time::UnixTime;
use wallet_sdk::client::{ClientError, Distribution};

use super::bank::{Answer, Bank, LEDGER, SHARE, START, amount, to};

pub(super) fn owner(person: u8) -> SigningKey {
    SigningKey::from_bytes(&[person + 1; 32])
}

pub(super) fn account(person: u8) -> AccountId {
    AccountId(owner(person).verifying_key().to_bytes())
}

/// Of `minor` units, good for a minute, with a key of its own.
pub(super) fn payment(from: u8, to: u8, minor: u128, key: u8) -> Payment {
    Payment {
        ledger: LEDGER,
        from: account(from),
        to: account(to),
        amount: amount(minor),
        idempotency_key: PaymentKey([key; 16]),
        deadline: UnixTime(START + 60),
    }
}

/// Signed by its payer.
pub(super) fn order(from: u8, to: u8, minor: u128, key: u8) -> SignedPayment {
    SignedPayment::new(payment(from, to, minor, key), &owner(from))
}

/// As a wallet sends it: the same again while the server has too much to do.
pub(super) fn pay(bank: &Bank, order: &SignedPayment) -> Answer {
    let body = serde_json::to_string(order).unwrap();
    loop {
        let answer = bank.post("/v1/payments", &body);
        if answer.status != 503 {
            return answer;
        }
    }
}

#[track_caller]
fn receipt(answer: &Answer) -> Signed<PaymentReceipt> {
    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    serde_json::from_str(&answer.text).unwrap()
}

/// Everybody has claimed a share. Entries: a deposit, a reserve, a claim each.
pub(super) fn bank(people: u8) -> Bank {
    let bank = Bank::with_people(people.into());
    bank.open(0);
    for person in 0..people {
        let terms = ClaimTerms { recipient: account(person), ..to(0) };
        bank.send(&bank.prove(person.into(), 0, terms)).receipt();
    }
    bank
}

#[test]
fn a_payment_is_made_once_and_the_first_receipt_comes_back() {
    let bank = bank(2);
    let order = order(0, 1, 400, 7);
    let first = pay(&bank, &order);
    assert_eq!(first.status, 201);
    let signed = receipt(&first);
    let said = signed.verify(&bank.key()).unwrap();
    assert_eq!(*said, order.payment.receipt(5, said.entry_hash, UnixTime(START)));
    assert_eq!((bank.balance(account(0)), bank.balance(account(1))), (SHARE - 400, SHARE + 400));

    // Neither time nor an empty account take an answer back that got lost.
    bank.set_time(START + 1000);
    let rest = Payment { deadline: UnixTime(u64::MAX), ..payment(0, 1, SHARE - 400, 8) };
    assert_eq!(pay(&bank, &SignedPayment::new(rest, &owner(0))).status, 201, "good for ever");
    let again = pay(&bank, &order);
    assert_eq!((again.status, &again.text), (200, &first.text));

    let other = SignedPayment::new(payment(0, 1, 399, 7), &owner(0));
    let refused = pay(&bank, &other);
    refused.refused(409, "idempotency_key_taken");
    assert!(refused.problem().detail.unwrap().contains("400"), "it says what the key was used for");
    let elsewhere = SignedPayment::new(payment(0, 2, 400, 7), &owner(0));
    pay(&bank, &elsewhere).refused(409, "idempotency_key_taken");
    let later = Payment { deadline: UnixTime(START + 9999), ..order.payment.clone() };
    let later = pay(&bank, &SignedPayment::new(later, &owner(0)));
    assert_eq!((later.status, &later.text), (200, &first.text), "good for longer, and the same payment");
    // Another payer's key is another key.
    let back = Payment { deadline: UnixTime(START + 9999), ..payment(1, 0, 1, 7) };
    assert_eq!(pay(&bank, &SignedPayment::new(back, &owner(1))).status, 201);
    assert_eq!((bank.balance(account(0)), bank.balance(account(1))), (1, 2 * SHARE - 1));
    assert_eq!(bank.books().transfers, 4 + 3);
}

#[test]
fn refused_payments_leave_no_trace() {
    let bank = bank(2);
    let before = bank.books();
    let refused = |order: &SignedPayment, status, code| pay(&bank, order).refused(status, code);
    let good = payment(0, 1, 400, 7);
    let changed = |change: fn(&mut Payment)| {
        let mut payment = good.clone();
        change(&mut payment);
        SignedPayment::new(payment, &owner(0))
    };
    let poor = order(0, 1, SHARE + 1, 7);
    let answer = pay(&bank, &poor);
    answer.refused(409, "balance_insufficient");
    assert!(answer.problem().detail.unwrap().contains(&SHARE.to_string()), "it names the balance");
    refused(&order(5, 1, 1, 7), 409, "balance_insufficient");
    refused(&changed(|p| p.to = p.from), 422, "payment_moves_nothing");
    refused(&changed(|p| p.amount = amount(0)), 422, "payment_moves_nothing");
    refused(&changed(|p| p.to = AccountId([2; 32])), 422, "recipient_cannot_sign");
    refused(&changed(|p| p.to = AccountId([0; 32])), 422, "recipient_cannot_sign");
    refused(&changed(|p| p.ledger = LedgerId([1; 16])), 422, "other_ledger");
    refused(&changed(|p| p.deadline = UnixTime(START - 1)), 422, "deadline_passed");

    refused(&SignedPayment::new(good.clone(), &owner(1)), 422, "signature_invalid");
    let signed = SignedPayment::new(good.clone(), &owner(0));
    let altered = |change: fn(&mut SignedPayment)| {
        let mut altered = signed.clone();
        change(&mut altered);
        altered
    };
    refused(&altered(|o| o.payment.amount = amount(401)), 422, "signature_invalid");
    refused(&altered(|o| o.payment.to = account(3)), 422, "signature_invalid");
    refused(&altered(|o| o.payment.from = account(1)), 422, "payment_moves_nothing");
    refused(&altered(|o| o.payment.from = account(3)), 422, "signature_invalid");
    refused(&altered(|o| o.payment.idempotency_key.0[0] ^= 1), 422, "signature_invalid");
    refused(&altered(|o| o.payment.deadline.0 += 1), 422, "signature_invalid");
    refused(&altered(|o| o.signature.0[0] ^= 1), 422, "signature_invalid");
    refused(&altered(|o| o.signature.0 = [0; 64]), 422, "signature_invalid");

    let after = bank.books();
    assert_eq!((before.chain_head, before.accounts), (after.chain_head, after.accounts));
    assert_eq!(pay(&bank, &signed).status, 201, "and the payment itself was good all the time");
}

#[test]
fn every_field_has_one_spelling() {
    let bank = bank(2);
    let before = bank.books().chain_head;
    let good = serde_json::to_value(order(0, 1, 400, 7)).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut order = good.clone();
        *order.pointer_mut(pointer).unwrap() = value;
        order.to_string()
    };
    let spellings = |pointer: &str| {
        let text = good.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        [
            text.to_uppercase(),
            format!("0x{text}"),
            format!("00{text}"),
            text[1..].to_owned(),
            format!(" {text}"),
            format!("{text}\n"),
        ]
    };
    let mut bodies = Vec::new();
    for field in ["ledger", "from", "to", "idempotency_key"] {
        let pointer = format!("/payment/{field}");
        let others = spellings(&pointer).into_iter().filter(|text| good["payment"][field] != **text);
        bodies.extend(others.map(|text| with(&pointer, text.into())));
    }
    bodies.extend(spellings("/signature").map(|text| with("/signature", text.into())));
    for text in ["0400", "+400", "-400", "4e2", "400.0", " 400", "", "4_00", &"9".repeat(39)] {
        bodies.push(with("/payment/amount", text.into()));
    }
    bodies.push(with("/payment/amount", json!(400)));
    for value in [json!("1700000060"), json!(1.5), json!(-1), json!(1.0e30), Value::Null] {
        bodies.push(with("/payment/deadline", value));
    }
    let mut more = good.clone();
    more["payment"]["fee"] = json!("0");
    bodies.push(more.to_string());
    let mut more = good.clone();
    more["memo"] = json!("for everyone to see");
    bodies.push(more.to_string());
    bodies.push(good.to_string().replacen("\"amount\"", "\"amount\":\"400\",\"amount\"", 1));
    bodies.push("[]".into());
    for body in bodies {
        bank.post("/v1/payments", &body).refused(400, "body_invalid");
    }
    assert_eq!(bank.books().chain_head, before);
    assert_eq!(bank.post("/v1/payments", &good.to_string()).status, 201);
}

#[test]
fn of_sixty_four_at_once_those_are_made_that_can_be() {
    let bank = bank(1);
    let orders: Vec<_> = (0..64).map(|key| order(0, 1, SHARE / 10, key)).collect();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let sent: Vec<_> = orders.iter().map(|order| scope.spawn(|| pay(&bank, order))).collect();
        sent.into_iter().map(|answer| answer.join().unwrap()).collect()
    });
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    // A server that was too busy to answer may have paid before: such an order comes back as made.
    let repeated = refused.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(made.len() + repeated, 10);
    for answer in refused.iter().filter(|answer| answer.status != 200) {
        answer.refused(409, "balance_insufficient");
    }
    assert_eq!((bank.balance(account(0)), bank.balance(account(1))), (0, SHARE));
    assert_eq!(bank.books().transfers, 3 + 10);
}

#[test]
fn one_payment_from_thirty_two_threads_is_one_entry() {
    let bank = bank(1);
    let order = order(0, 1, 10, 7);
    let texts: BTreeSet<String> = std::thread::scope(|scope| {
        let sent: Vec<_> = (0..32).map(|_| scope.spawn(|| receipt(&pay(&bank, &order)))).collect();
        sent.into_iter().map(|sent| serde_json::to_string(&sent.join().unwrap()).unwrap()).collect()
    });
    assert_eq!(texts.len(), 1, "one receipt");
    assert_eq!(bank.balance(account(0)), SHARE - 10);
    assert_eq!(bank.books().transfers, 3 + 1);
}

/// Hands one request on, and hangs up when the answer comes.
fn lose_one_answer(listener: &TcpListener, server: &str) {
    let (mut client, _) = listener.accept().unwrap();
    let mut server = TcpStream::connect(server).unwrap();
    client.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    let mut buffer = [0; 4096];
    let mut answered = [0; 1];
    server.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    loop {
        if let Ok(read @ 1..) = client.read(&mut buffer) {
            server.write_all(&buffer[..read]).unwrap();
        }
        if matches!(server.read(&mut answered), Ok(1..)) {
            return;
        }
    }
}

#[test]
fn whoever_lost_the_answer_sends_the_same_again() {
    let bank = bank(1);
    let order = order(0, 1, 10, 7);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let through = Distribution::at(&format!("http://{}", listener.local_addr().unwrap()));
    let address = bank.url("").trim_start_matches("http://").to_owned();
    let lost = std::thread::scope(|scope| {
        scope.spawn(|| lose_one_answer(&listener, &address));
        through.pay(&order, &bank.key())
    });
    assert!(matches!(lost, Err(ClientError::Unavailable { .. })), "{lost:?}");
    let found = Distribution::at(&bank.url("")).pay(&order, &bank.key()).unwrap();
    assert!(!found.now, "it was made the first time");
    assert_eq!(bank.balance(account(0)), SHARE - 10);
    assert_eq!(bank.books().transfers, 3 + 1);
}

#[test]
fn two_servers_make_a_payment_once() {
    let mut bank = bank(1);
    let other = bank.start(distribution::config::Gathering::default());
    let order = order(0, 1, SHARE, 7);
    let key = bank.key();
    let [here, there] = [bank.url(""), other].map(|base| Distribution::at(&base));
    std::thread::scope(|scope| {
        for server in [&here, &there, &here, &there] {
            scope.spawn(|| server.pay(&order, &key).unwrap());
        }
    });
    assert_eq!(bank.books().transfers, 3 + 1);
}

/// Another server's commit falls between two reads of this one.
#[test]
fn a_payment_made_while_it_is_looked_up_is_found() {
    let bank = bank(1);
    let order = order(0, 1, SHARE, 7);
    let first = pay(&bank, &order);
    let mut other = bank.intruder();
    let payer = account(0);
    let set_balance = |minor| format!("UPDATE accounts SET balance = {minor} WHERE name = 'wallet:{payer}'");
    let before = "SET session_replication_role = replica; CREATE TABLE kept AS SELECT * FROM payments; DELETE FROM payments";
    other.batch_execute(&format!("{before}; {}", set_balance(SHARE))).unwrap();
    let again = std::thread::scope(|scope| {
        let mut paying = other.transaction().unwrap();
        paying.batch_execute("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE").unwrap();
        let again = scope.spawn(|| pay(&bank, &order));
        let waiting = "SELECT FROM pg_locks WHERE relation = 'accounts'::regclass AND NOT granted";
        while paying.query(waiting, &[]).unwrap().is_empty() {}
        paying.batch_execute(&set_balance(0)).unwrap();
        paying.batch_execute("INSERT INTO payments SELECT * FROM kept").unwrap();
        paying.commit().unwrap();
        again.join().unwrap()
    });
    assert_eq!((again.status, again.text), (200, first.text));
}

#[test]
fn nobody_alters_a_payment_unseen() {
    let bank = bank(2);
    receipt(&pay(&bank, &order(0, 1, 400, 7)));
    let mut intruder = bank.intruder();
    for statement in [
        "UPDATE payments SET amount = amount + 1",
        "DELETE FROM payments",
        "TRUNCATE payments",
        "INSERT INTO payments SELECT payer, sha256(payer)::bytea, payee, amount, deadline, order_signature, 99, paid_at, \
         key, signature FROM payments",
        "INSERT INTO payments SELECT payer, decode(repeat('01', 16), 'hex'), payee, amount, deadline, order_signature, 3, \
         paid_at, key, signature FROM payments",
        "INSERT INTO transfers SELECT 6, kind, programme, period, reference, created_at, previous, sha256(hash) \
         FROM transfers WHERE sequence = 5",
        "INSERT INTO transfers SELECT 6, kind, (SELECT programme FROM programmes), period, '\\x00', created_at, previous, \
         sha256(hash) FROM transfers WHERE sequence = 5",
        "INSERT INTO transfers SELECT 6, kind, NULL, period, '\\x00', created_at, previous, sha256(hash) \
         FROM transfers WHERE sequence = 4",
        "UPDATE accounts SET balance = -1 WHERE name LIKE 'wallet:%'",
    ] {
        let error = intruder.execute(statement, &[]).unwrap_err();
        let code = error.code().unwrap().code();
        assert!(code == "P0001" || code.starts_with("23"), "{statement}: {error:?}");
    }
    bank.books();

    intruder.batch_execute("SET session_replication_role = replica").unwrap(); // no triggers
    let keep = "CREATE TABLE kept AS SELECT * FROM payments; DELETE FROM payments";
    let restore = "DELETE FROM payments; INSERT INTO payments SELECT * FROM kept";
    intruder.batch_execute(keep).unwrap();
    let mismatch = |sequence| LedgerProblem::PaymentMismatch { sequence };
    for (alter, sequence) in [
        ("SELECT 1", 5),
        ("INSERT INTO payments SELECT * FROM kept; UPDATE payments SET amount = amount + 1", 5),
        ("INSERT INTO payments SELECT * FROM kept; UPDATE payments SET deadline = deadline + 1", 5),
        ("INSERT INTO payments SELECT * FROM kept; UPDATE payments SET signature = order_signature", 5),
        ("INSERT INTO payments SELECT * FROM kept; UPDATE payments SET sequence = 4", 4),
        ("INSERT INTO payments SELECT * FROM kept; UPDATE payments SET sequence = 99", 99),
    ] {
        intruder.batch_execute(alter).unwrap();
        let problems = bank.operator.check_ledger().unwrap().problems;
        assert!(problems.contains(&mismatch(sequence)), "{alter}: {problems:?}");
        intruder.batch_execute(restore).unwrap();
        bank.books();
        intruder.batch_execute("DELETE FROM payments").unwrap();
    }
}
