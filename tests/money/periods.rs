//! The life of a period: in order, in full, and back what nobody claimed.

use distribution::Transition;
use distribution::client::{ClientError, Operator};
use unum_identity::action::Period;
use unum_identity::bytes::ProgrammeId;
use unum_identity::problem::Problem;
use unum_identity::programme::{DepositRequest, Length, PeriodState, Policy};

use super::bank::{Bank, LEDGER, PERIOD_SECONDS, SHARE, START, TOKEN, amount, terms, to};

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>, status: u16, code: &str) -> Problem {
    match result.unwrap_err() {
        ClientError::Refused(problem) => {
            assert_eq!((problem.status, problem.code.as_ref()), (status, code), "{problem}");
            problem
        }
        other => panic!("{other}"),
    }
}

#[test]
fn from_planned_to_sealed_with_every_wrong_step_refused() {
    let bank = Bank::with_people(3);
    let id = bank.programme().id;
    bank.deposit("first", 5 * SHARE);
    for (at, step) in Transition::ALL.into_iter().enumerate() {
        let here = PeriodState::ALL[at];
        for (other, wrong) in Transition::ALL.into_iter().enumerate() {
            if other != at && other + 1 != at {
                let problem = refused(bank.advance(0, wrong), 409, "period_state");
                assert!(problem.detail.unwrap().contains(here.name()), "{here} {wrong:?}");
            }
        }
        if step == Transition::Close {
            for person in [0, 2] {
                bank.send(&bank.prove(person, 0, to(person as u8))).receipt();
            }
            refused(bank.advance(0, step), 409, "window_not_over");
            bank.set_time(START + 2 * PERIOD_SECONDS);
        }
        refused(bank.operator.statement(id, Period(0)), 404, "not_sealed");
        let view = bank.advance(0, step).unwrap();
        assert_eq!(view.state, PeriodState::ALL[at + 1]);
        assert_eq!(bank.advance(0, step).unwrap(), view, "the same step again changes nothing");
        bank.books();
    }

    let signed = bank.operator.statement(id, Period(0)).unwrap();
    let statement = signed.verify(&bank.key()).unwrap();
    assert_eq!((statement.claims, statement.paid, statement.expired), (2, amount(2 * SHARE), amount(SHARE)));
    assert_eq!((statement.ledger, statement.set.people), (LEDGER, 3));
    let books = bank.books();
    assert_eq!(statement.chain_head, books.chain_head);
    assert_eq!(bank.programme().pool, amount(3 * SHARE), "what nobody claimed is back");
}

#[test]
fn a_period_that_cannot_pay_everyone_does_not_open() {
    let bank = Bank::with_people(3);
    bank.deposit("first", 3 * SHARE - 1);
    bank.advance(0, Transition::Snapshot).unwrap();
    let problem = refused(bank.advance(0, Transition::Fund), 409, "pool_insufficient");
    let detail = problem.detail.unwrap();
    assert!(detail.contains("3000") && detail.contains("2999"), "{detail}");
    refused(bank.advance(0, Transition::Open), 409, "period_state");
    bank.send(&bank.prove(0, 0, to(1))).refused(422, "period_not_open");
    assert_eq!(bank.books().transfers, 1);

    bank.deposit("second", 1);
    assert_eq!(bank.advance(0, Transition::Fund).unwrap().reserve, amount(3 * SHARE));
    assert_eq!(bank.programme().pool.minor(), 0);
    bank.advance(0, Transition::Open).unwrap();
    assert_eq!(bank.programme().claimable, [Period(0)]);
    bank.books();
}

#[test]
fn two_periods_do_not_share_a_reserve() {
    let bank = Bank::with_people(2);
    bank.deposit("first", 3 * SHARE);
    for period in [0, 1] {
        bank.advance(period, Transition::Snapshot).unwrap();
    }
    bank.advance(0, Transition::Fund).unwrap();
    refused(bank.advance(1, Transition::Fund), 409, "pool_insufficient");
    bank.deposit("second", SHARE);
    bank.advance(1, Transition::Fund).unwrap();
    for period in [0, 1] {
        bank.advance(period, Transition::Open).unwrap();
    }
    bank.set_time(START + PERIOD_SECONDS);
    assert_eq!(bank.programme().claimable, [Period(0), Period(1)]);
    // Last period's share and this one's: two nullifiers, two payments.
    for period in [0, 1] {
        assert_eq!(bank.send(&bank.prove(0, period, to(1))).status, 201);
    }
    assert_eq!(bank.balance(to(1).recipient), 2 * SHARE);
    bank.books();
}

#[test]
fn a_set_that_is_not_what_was_signed_freezes_nobody() {
    let mut bank = Bank::with_people(3);
    bank.programme();
    bank.set.publish(|snapshot| snapshot.leaves.swap(0, 1));
    refused(bank.advance(0, Transition::Snapshot), 502, "set_untrusted");
    bank.set.publish(|snapshot| snapshot.leaves.truncate(2));
    refused(bank.advance(0, Transition::Snapshot), 502, "set_untrusted");
    bank.set.publish(|snapshot| snapshot.checkpoint.0 = snapshot.checkpoint.0.replacen("\n3\n", "\n4\n", 1));
    refused(bank.advance(0, Transition::Snapshot), 502, "set_untrusted");
    bank.set.hide();
    let problem = refused(bank.advance(0, Transition::Snapshot), 503, "set_unavailable");
    assert!(problem.retry_after.is_some());
    bank.set.publish(|_| {});
    let frozen = bank.advance(0, Transition::Snapshot).unwrap().set.unwrap();
    assert_eq!((frozen.size, frozen.people), (3, 3));
    bank.till.set.enroll(2);
    assert_eq!(bank.advance(0, Transition::Snapshot).unwrap().set, Some(frozen), "who comes later waits");
    assert_eq!(bank.advance(1, Transition::Snapshot).unwrap().set.unwrap().people, 5);
}

#[test]
fn an_empty_set_is_nobody_to_pay() {
    let bank = Bank::with_people(0);
    refused(bank.advance(0, Transition::Snapshot), 409, "set_empty");
}

#[test]
fn asking_twice_is_asking_once() {
    let bank = Bank::with_people(1);
    let view = bank.programme();
    assert_eq!(view.id, terms().id(&LEDGER), "the id says what was promised");
    assert_eq!(bank.programme(), view);
    let mut other = terms();
    other.policy = Policy::Fixed { amount: amount(SHARE + 1) };
    refused(bank.operator.create_programme(&other), 409, "programme_name_taken");
    other.length = Length::Seconds { seconds: 0 };
    refused(bank.operator.create_programme(&other), 422, "terms_invalid");

    let mut request =
        DepositRequest { idempotency_key: "k".into(), source: "city".into(), amount: amount(5) };
    let deposit = bank.operator.deposit(view.id, &request).unwrap();
    assert_eq!(bank.operator.deposit(view.id, &request).unwrap(), deposit);
    assert_eq!(bank.programme().pool, amount(5));
    refused(bank.operator.deposit(ProgrammeId([9; 16]), &request), 404, "programme_unknown");
    request.amount = amount(6);
    refused(bank.operator.deposit(view.id, &request), 409, "idempotency_key_taken");
    request.source = "City".into();
    refused(bank.operator.deposit(view.id, &request), 422, "deposit_invalid");
    request = DepositRequest { idempotency_key: "zero".into(), source: "city".into(), amount: amount(0) };
    refused(bank.operator.deposit(view.id, &request), 422, "deposit_invalid");
    request.amount = unum_identity::claim::Amount::MAX;
    refused(bank.operator.deposit(view.id, &request), 422, "deposit_invalid");
    assert_eq!(bank.books().transfers, 1);
    assert_eq!(bank.operator.programmes().unwrap().len(), 1);
}

#[test]
fn only_operators_operate() {
    let bank = Bank::with_people(1);
    let id = bank.programme().id;
    let request = DepositRequest { idempotency_key: "k".into(), source: "city".into(), amount: amount(5) };
    for token in ["", "operators", &TOKEN.to_uppercase(), &format!("{TOKEN}0")] {
        let stranger = Operator::new(&bank.url(""), token.to_owned());
        refused(stranger.create_programme(&terms()), 401, "operator_required");
        refused(stranger.deposit(id, &request), 401, "operator_required");
        refused(stranger.advance(id, Period(0), Transition::Snapshot), 401, "operator_required");
        refused(stranger.check_ledger(), 401, "operator_required");
        stranger.programme(id).unwrap();
    }
    assert_eq!(bank.books().transfers, 0);
}
