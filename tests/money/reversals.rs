//! Mistakes of operators are taken back by another entry; nothing else is ever taken back.

use distribution::Transition;
use distribution::client::{ClientError, Operator};
use unum_identity::ledger::{Reversal, ReversalRequest};

use super::bank::{Bank, SHARE, amount};
use super::payments::{bank, order, pay};

fn reverse(bank: &Bank, sequence: u64, reason: &str) -> Result<Reversal, ClientError> {
    bank.operator.reverse(sequence, &ReversalRequest { reason: reason.into() })
}

#[track_caller]
fn refused(answer: Result<Reversal, ClientError>, status: u16, code: &str) -> String {
    let Err(ClientError::Refused(problem)) = answer else { panic!("{answer:?}") };
    assert_eq!((problem.status, &*problem.code), (status, code));
    problem.detail.unwrap_or_default()
}

#[test]
fn a_deposit_is_taken_back_once() {
    let bank = Bank::with_people(2);
    bank.deposit("right", 5000);
    bank.deposit("wrong", 700);
    assert_eq!(bank.programme().pool.minor(), 5700);
    let first = reverse(&bank, 2, "wrong-amount").unwrap();
    assert_eq!((first.reversed, first.amount, first.ledger_sequence), (2, amount(700), 3));
    assert_eq!(reverse(&bank, 2, "wrong-amount").unwrap(), first, "the same again changes nothing");
    let detail = refused(reverse(&bank, 2, "another-reason"), 409, "reversed_before");
    assert!(detail.contains("entry 3") && detail.contains("wrong-amount"), "{detail}");
    assert_eq!(bank.programme().pool.minor(), 5000);
    // The key of a deposit stays used: what was taken back does not come again by itself.
    bank.deposit("wrong", 700);
    assert_eq!(bank.programme().pool.minor(), 5000);
    let books = bank.books();
    assert_eq!(books.transfers, 3);
    let source = books.accounts.iter().find(|account| account.name == "funding:city").unwrap();
    assert_eq!(source.balance.minor(), -5000);
    assert!(
        bank.get(&format!("/programmes/{}", bank.programme().id)).text.contains("50.00"),
        "the page follows"
    );
}

#[test]
fn of_many_at_once_one_takes_it_back() {
    let bank = Bank::with_people(1);
    bank.deposit("first", 500);
    bank.deposit("second", 500);
    let reversals: Vec<Reversal> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..16).map(|_| scope.spawn(|| reverse(&bank, 1, "twice").unwrap())).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(reversals.iter().all(|reversal| *reversal == reversals[0]));
    assert_eq!((bank.books().transfers, bank.programme().pool.minor()), (3, 500));
}

#[test]
fn money_that_is_promised_is_not_taken_back() {
    let bank = Bank::with_people(2);
    bank.advance(0, Transition::Snapshot).unwrap();
    bank.deposit("all", 2 * SHARE + 1);
    bank.advance(0, Transition::Fund).unwrap();
    let detail = refused(reverse(&bank, 1, "too-late"), 409, "pool_insufficient");
    assert!(detail.contains("holds 1,"), "{detail}");
    assert_eq!(bank.books().transfers, 2);
}

#[test]
fn only_deposits_are_taken_back_and_only_by_operators() {
    let bank = bank(2); // a deposit, a reserve, two claims
    pay(&bank, &order(0, 1, 400, 7));
    bank.deposit("more", 70);
    reverse(&bank, 6, "mistake").unwrap();
    let before = bank.books();
    for (sequence, kind) in [(2, "reserve"), (3, "claim"), (5, "payment"), (7, "reversal")] {
        let detail = refused(reverse(&bank, sequence, "because"), 409, "not_reversible");
        assert!(detail.contains(kind), "{detail}");
    }
    for nothing in [0, 8, u64::MAX] {
        refused(reverse(&bank, nothing, "because"), 404, "entry_unknown");
    }
    for reason in ["", "Because", "two words", &"x".repeat(65)] {
        refused(reverse(&bank, 1, reason), 422, "reason_invalid");
    }
    let stranger = Operator::new(&bank.url(""), "not-the-token-of-this-bank-000000".to_owned());
    refused(stranger.reverse(1, &ReversalRequest { reason: "because".into() }), 401, "operator_required");
    bank.post("/v1/ledger/1/reversal", r#"{"reason":"because"}"#).refused(401, "operator_required");
    assert_eq!(bank.books(), before);

    let mut intruder = bank.intruder();
    let twice = "INSERT INTO transfers SELECT 8, kind, programme, period, reference || '\\x2d', created_at, previous, \
                 sha256(hash) FROM transfers WHERE sequence = 7";
    let error = intruder.execute(twice, &[]).unwrap_err();
    assert_eq!(error.code().unwrap().code(), "23505", "{error:?}");
}
