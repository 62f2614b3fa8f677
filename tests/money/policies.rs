//! Shares that depend on the pool or on the hour, periods that are months: what people are paid is what was promised, the
//! database holds on to it, and the check recomputes it.

use distribution::Transition;
use unum_identity::action::Period;
use unum_identity::claim::Claim;
use unum_identity::ledger::LedgerProblem;
use unum_identity::programme::{Length, PeriodState, Policy, ProgrammeTerms, Shortage};
use unum_identity::time::UnixTime;

use super::bank::{Bank, LEDGER, START, amount, terms, to};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn pool_share(rate_ppm: u32, floor: u128, cap: u128) -> Policy {
    Policy::PoolShare { rate_ppm, floor: amount(floor), cap: amount(cap) }
}

fn accrual(per_hour: u128, cap_days: u32) -> Policy {
    Policy::Accrual { per_hour: amount(per_hour), cap_days }
}

/// A bank whose programme has this policy, and periods of a day.
fn bank(people: usize, policy: Policy) -> Bank {
    let mut bank = Bank::with_people(people);
    bank.till.terms = ProgrammeTerms { policy, length: Length::Seconds { seconds: DAY }, ..terms() };
    bank
}

/// Freezes, funds and opens a period out of what the pool holds.
#[track_caller]
fn open(bank: &Bank, period: u64) {
    for step in [Transition::Snapshot, Transition::Fund, Transition::Open] {
        bank.advance(period, step).unwrap();
    }
}

fn pay(bank: &Bank, claim: &Claim) -> u128 {
    bank.send(claim).receipt().statement.amount.minor()
}

#[test]
fn a_share_of_the_pool_is_fixed_when_the_period_is_funded() {
    let bank = bank(3, pool_share(500_000, 100, 2_000));
    bank.deposit("first", 10_000);
    assert_eq!(bank.period(0).most, amount(2_000), "nobody knows yet: not above the cap");
    open(&bank, 0);
    let view = bank.period(0);
    assert_eq!((view.amount, view.most, view.reserve), (amount(1_666), amount(1_666), amount(4_998)));
    assert_eq!(pay(&bank, &bank.prove(0, 0, to(0))), 1_666);
    bank.deposit("second", 90_000);
    assert_eq!(pay(&bank, &bank.prove(1, 0, to(1))), 1_666, "a promise is not renegotiated");

    // The next period has the larger pool, and the cap.
    bank.set_time(START + DAY);
    open(&bank, 1);
    assert_eq!(bank.period(1).most, amount(2_000));
    assert_eq!(pay(&bank, &bank.prove(1, 1, to(1))), 2_000);
    let page = bank.get(&format!("/programmes/{}", bank.programme().id)).text;
    assert!(
        page.contains("50\u{a0}% of the pool") && page.contains("20.00\u{a0}UNM for each person"),
        "{page}"
    );

    bank.set_time(START + 2 * DAY);
    for step in [Transition::Close, Transition::Seal] {
        bank.advance(0, step).unwrap();
    }
    let statement = bank.operator.statement(bank.programme().id, Period(0)).unwrap().statement;
    assert_eq!((statement.amount, statement.claims), (amount(1_666), 2));
    assert_eq!((statement.paid, statement.expired), (amount(2 * 1_666), amount(1_666)));
    bank.books();
}

#[test]
fn below_the_floor_a_period_waits_and_says_for_what() {
    let bank = bank(3, pool_share(10_000, 100, 2_000));
    bank.deposit("first", 299);
    bank.advance(0, Transition::Snapshot).unwrap();
    assert!(bank.advance(0, Transition::Fund).unwrap_err().to_string().contains("pool_insufficient"));
    let view = bank.period(0);
    assert_eq!(view.state, PeriodState::Snapshot);
    assert_eq!(view.waits_for, Some(Shortage { people: 3, need: amount(300), pool: amount(299) }));
    let list = bank.operator.periods(bank.programme().id).unwrap();
    assert_eq!(list, [view]);

    bank.deposit("second", 1);
    assert_eq!(bank.period(0).waits_for, None);
    bank.advance(0, Transition::Fund).unwrap();
    bank.advance(0, Transition::Open).unwrap();
    assert_eq!((bank.period(0).most, bank.programme().pool), (amount(100), amount(0)));
    // The next one waits as long as its window runs.
    bank.set_time(START + DAY);
    bank.advance(1, Transition::Snapshot).unwrap();
    assert!(bank.period(1).waits_for.is_some());
    let numbers: Vec<_> = bank.operator.periods(bank.programme().id).unwrap();
    assert_eq!(numbers.iter().map(|view| view.period.0).collect::<Vec<_>>(), [1, 0], "newest first");
    bank.set_time(START + 3 * DAY);
    assert_eq!(bank.period(1).waits_for, None);
    bank.books();
}

#[test]
fn an_accrual_pays_for_whole_hours_and_never_burns_a_share() {
    let bank = bank(4, accrual(50, 1));
    bank.deposit("first", 10_000);
    open(&bank, 0);
    assert_eq!(bank.period(0).reserve, amount(4 * 24 * 50), "the whole cap for everyone");
    let claims: Vec<_> = (0..3).map(|person| bank.prove(person, 0, to(person as u8))).collect();

    bank.set_time(START + HOUR - 1);
    bank.send(&claims[0]).refused(422, "nothing_accrued");
    assert_eq!((bank.period(0).amount, bank.period(0).most), (amount(0), amount(1_200)));
    bank.set_time(START + HOUR);
    assert_eq!(bank.period(0).amount, amount(50));
    let first = bank.send(&claims[0]);
    assert_eq!((first.status, first.receipt().statement.amount), (201, amount(50)));
    bank.set_time(START + 5 * HOUR + 1);
    let again = bank.send(&claims[0]);
    assert_eq!((again.status, &again.text), (200, &first.text), "the first receipt, with the amount of then");
    assert_eq!(pay(&bank, &claims[1]), 250);
    bank.set_time(START + 30 * HOUR);
    assert_eq!(pay(&bank, &claims[2]), 1_200, "the cap");

    let page = bank.get(&format!("/programmes/{}", bank.programme().id)).text;
    for expected in ["0.50\u{a0}UNM an hour for each person, up to 12.00\u{a0}UNM", "15.00\u{a0}UNM"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    bank.set_time(START + 2 * DAY);
    for step in [Transition::Close, Transition::Seal] {
        bank.advance(0, step).unwrap();
    }
    let statement = bank.operator.statement(bank.programme().id, Period(0)).unwrap().statement;
    assert_eq!((statement.claims, statement.paid), (3, amount(1_500)));
    assert_eq!((statement.amount, statement.expired), (amount(1_200), amount(4_800 - 1_500)));
    bank.books();
}

#[test]
fn what_a_period_pays_cannot_be_changed_unseen() {
    let bank = bank(2, accrual(50, 1));
    bank.deposit("first", 10_000);
    bank.advance(0, Transition::Snapshot).unwrap();
    let mut intruder = bank.intruder();
    let refused = |intruder: &mut postgres::Client, statement: &str| {
        let error = intruder.execute(statement, &[]).unwrap_err();
        let code = error.code().unwrap().code();
        assert!(code == "P0001" || code.starts_with("23"), "{statement}: {error:?}");
    };
    refused(&mut intruder, "UPDATE periods SET state = 'funded'"); // with nothing put aside for anybody
    bank.advance(0, Transition::Fund).unwrap();
    bank.advance(0, Transition::Open).unwrap();
    refused(&mut intruder, "UPDATE periods SET most = most + 1");
    refused(&mut intruder, "UPDATE periods SET state = 'closed', most = most + 1");
    refused(&mut intruder, "UPDATE periods SET state = 'closed', most = NULL");
    refused(&mut intruder, "UPDATE programmes SET per_hour = 51");
    for (policy, columns) in [
        ("fixed", "NULL, NULL, NULL, NULL, NULL, NULL"),
        ("fixed", "5, NULL, NULL, NULL, 5, NULL"),
        ("pool_share", "NULL, 0, 1, 2, NULL, NULL"),
        ("pool_share", "NULL, 1000001, 1, 2, NULL, NULL"),
        ("pool_share", "NULL, 5, 2, 1, NULL, NULL"),
        ("pool_share", "NULL, 5, 1, NULL, NULL, NULL"),
        ("accrual", "NULL, NULL, NULL, NULL, 0, 1"),
        ("accrual", "NULL, NULL, NULL, NULL, 1, 0"),
        ("accrual", "1, NULL, NULL, NULL, 1, 1"),
        ("lottery", "1, NULL, NULL, NULL, NULL, NULL"),
    ] {
        let statement = format!(
            "INSERT INTO programmes (programme, name, unit, minor_digits, policy, amount, rate_ppm, floor, cap, per_hour, \
             cap_days, starts_at, claim_window, created_at) \
             VALUES ('\\x{}', 'other', 'UNM', 2, '{policy}', {columns}, now(), 2, now())",
            "00".repeat(16)
        );
        refused(&mut intruder, &statement);
    }

    bank.set_time(START + 2 * HOUR);
    bank.send(&bank.prove(0, 0, to(0))).receipt();
    bank.books();
    // A superuser whom no trigger stops: more for an hour, after the fact.
    intruder.batch_execute("SET session_replication_role = replica").unwrap();
    intruder.batch_execute("UPDATE periods SET most = most + 24").unwrap();
    let id = bank.programme().id;
    let problems = bank.operator.check_ledger().unwrap().problems;
    assert_eq!(problems, [LedgerProblem::PeriodUnbalanced { programme: id, period: Period(0) }]);
    intruder.batch_execute("UPDATE periods SET most = most - 24").unwrap();
    bank.books();
}

#[test]
fn months_begin_and_end_as_calendars_say() {
    // 2023-11-01, which START lies in.
    const NOVEMBER: u64 = 1_698_796_800;
    const MARCH: u64 = 1_709_251_200; // 2024-03-01: February had a 29th
    let mut bank = Bank::with_people(2);
    let months = ProgrammeTerms { length: Length::CalendarMonth {}, claim_window: 1, ..terms() };
    let refused = bank.operator.create_programme(&months).unwrap_err().to_string();
    assert!(refused.contains("terms_invalid") && refused.contains("first seconds of months"), "{refused}");
    bank.till.terms = ProgrammeTerms { starts_at: UnixTime(NOVEMBER), ..months };
    assert_eq!(bank.programme().current, Some(Period(0)));
    assert_eq!(bank.programme().id, bank.terms.id(&LEDGER));

    bank.set_time(MARCH - 1);
    assert_eq!(bank.programme().current, Some(Period(3)));
    let view = bank.open(3);
    assert_eq!((view.opens_at, view.closes_at), (UnixTime(MARCH - 29 * DAY), UnixTime(MARCH)));
    let claims = [bank.prove(0, 3, to(0)), bank.prove(1, 3, to(1))];
    assert_eq!(bank.send(&claims[0]).status, 201);
    bank.set_time(MARCH);
    bank.send(&claims[1]).refused(422, "outside_window");
    assert_eq!(bank.programme().current, Some(Period(4)));
    bank.advance(3, Transition::Close).unwrap();
    let page = bank.get(&format!("/programmes/{}", bank.programme().id)).text;
    assert!(page.contains("every month, to be claimed within a month"), "{page}");
    bank.books();
}
