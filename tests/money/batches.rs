//! Claims share transactions, and nobody notices: each gets its own answer, whoever else is in the batch and whatever
//! happens to it.

use std::collections::BTreeSet;

use distribution::config::Gathering;
use unum_identity::claim::Claim;

use super::bank::{Answer, Bank, SHARE, to};
use crate::harness::{cluster, database};

/// Claims that come within a second are one batch of at most eight: long enough for a busy machine.
fn slow_bank(people: usize) -> Bank {
    let claims = Gathering { batch: 8, batch_wait_ms: 1000, ..Gathering::default() };
    let bank = Bank::gathering(people, database(cluster()), claims);
    bank.open(0);
    bank
}

/// Transactions that paid, as the server counts them.
fn transactions(bank: &Bank) -> u64 {
    let metrics = bank.get("/metrics").text;
    let paid = r#"unum_transaction_seconds_count{name="pay_claims",result="ok"} "#;
    metrics.lines().find_map(|line| line.strip_prefix(paid)).map_or(0, |count| count.parse().unwrap())
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

fn claims(bank: &Bank, people: usize) -> Vec<Claim> {
    (0..people).map(|person| bank.prove(person, 0, to(person as u8))).collect()
}

#[test]
fn many_share_one_transaction() {
    let bank = slow_bank(8);
    let claims = claims(&bank, 8);
    let answers = bank.send_together(&claims.iter().collect::<Vec<_>>());
    assert_eq!(statuses(&answers), [201; 8]);
    assert!(transactions(&bank) < 8, "{} for eight claims", transactions(&bank));
    let places: BTreeSet<_> = answers.iter().map(|a| a.receipt().statement.ledger_sequence).collect();
    assert_eq!(places, (3..11).collect(), "one chain, without gaps");
    assert!(answers.iter().all(|answer| answer.receipt().verify(&bank.key()).is_ok()));
    assert_eq!(bank.books().transfers, 10);
}

#[test]
fn everybody_in_a_batch_gets_an_answer_of_their_own() {
    let mut bank = slow_bank(4);
    bank.till.set.enroll(1); // after the period's snapshot
    let good = claims(&bank, 2);
    let (to_one, to_other) = (bank.prove(2, 0, to(21)), bank.prove(2, 0, to(22)));
    let newcomer = bank.prove_at(4, 5, 0, to(9));
    let mut no_period = good[0].clone();
    no_period.period.0 = 1;
    let sent = [&good[0], &good[1], &good[1], &to_one, &to_other, &newcomer, &no_period];
    let answers = bank.send_together(&sent);
    assert_eq!(answers[0].status, 201);
    let mut same = [&answers[1], &answers[2]];
    same.sort_by_key(|answer| answer.status);
    assert_eq!((same[0].status, same[1].status), (200, 201), "one person, the same terms twice");
    assert_eq!(same[0].text, same[1].text);
    let mut rivals = [&answers[3], &answers[4]];
    rivals.sort_by_key(|answer| answer.status);
    assert_eq!(rivals[0].status, 201, "one person, two recipients");
    rivals[1].refused(409, "claimed_for_another_recipient");
    answers[5].refused(422, "proof_invalid");
    answers[6].refused(422, "period_not_open");
    assert_eq!(bank.balance(to(21).recipient) + bank.balance(to(22).recipient), SHARE);
    assert_eq!(bank.books().transfers, 2 + 3);
}

/// A fault of the database's that one claim runs into.
#[test]
fn one_claim_that_cannot_be_written_harms_nobody_else() {
    let bank = slow_bank(5);
    let claims = claims(&bank, 5);
    let mut intruder = bank.intruder();
    intruder.batch_execute(&fail_for(3, "AFTER INSERT", "")).unwrap();
    let answers = bank.send_together(&claims.iter().collect::<Vec<_>>());
    assert_eq!(statuses(&answers), [201, 201, 201, 500, 201]);
    answers[3].refused(500, "internal");
    assert_eq!(bank.books().transfers, 2 + 4);
    intruder.batch_execute("DROP TRIGGER fail ON claims").unwrap();
    assert_eq!(bank.send(&claims[3]).status, 201);
    for (claim, first) in claims.iter().zip(&answers).filter(|(_, first)| first.status == 201) {
        assert_eq!(bank.send(claim).text, first.text);
    }
    assert_eq!(bank.books().transfers, 2 + 5);
}

/// What fails at the commit fails after every statement has succeeded: nobody may have been told anything by then.
#[test]
fn a_commit_that_fails_acknowledges_nobody() {
    let bank = slow_bank(4);
    let claims = claims(&bank, 4);
    let sent: Vec<_> = claims.iter().collect();
    let before = bank.books();
    let mut intruder = bank.intruder();
    for person in 0..4 {
        let name = format!("_{person}");
        let deferred = "AFTER INSERT ON claims DEFERRABLE INITIALLY DEFERRED";
        let sql = fail_for(person, deferred, &name).replace("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER");
        intruder.batch_execute(&sql.replace("DEFERRED ON claims", "DEFERRED")).unwrap();
    }
    for answer in bank.send_together(&sent) {
        answer.refused(500, "internal");
    }
    let after = bank.books();
    assert_eq!((before.chain_head, before.accounts), (after.chain_head, after.accounts));
    for person in 0..4 {
        intruder.batch_execute(&format!("DROP TRIGGER fail_{person} ON claims")).unwrap();
    }
    assert_eq!(statuses(&bank.send_together(&sent)), [201; 4]);
    assert_eq!(bank.books().transfers, 2 + 4);
}

/// A trigger that refuses the claim of one recipient.
fn fail_for(recipient: u8, when: &str, name: &str) -> String {
    let hex = hex::encode([recipient; 32]);
    format!(
        "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION 'a fault on purpose'; END $$; \
         CREATE TRIGGER fail{name} {when} ON claims FOR EACH ROW WHEN (NEW.recipient = '\\x{hex}') \
         EXECUTE FUNCTION fail()"
    )
}

/// The connection that pays breaks in the middle of a batch: it is tried again on another.
#[test]
fn a_broken_connection_pays_nobody_twice() {
    let bank = slow_bank(4);
    let claims = claims(&bank, 4);
    let mut intruder = bank.intruder();
    // Holds up whoever inserts until this lock is released.
    intruder.batch_execute("BEGIN; LOCK TABLE claims IN SHARE MODE").unwrap();
    let answers = std::thread::scope(|scope| {
        let sending = scope.spawn(|| bank.send_together(&claims.iter().collect::<Vec<_>>()));
        let mut other = bank.intruder();
        let waiting = "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event = 'relation' AND query LIKE 'INSERT INTO claims%'";
        while other.query(waiting, &[]).unwrap().is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        intruder.batch_execute("ROLLBACK").unwrap();
        sending.join().unwrap()
    });
    assert_eq!(statuses(&answers), [201; 4]);
    assert_eq!(bank.books().transfers, 2 + 4);
}

#[test]
fn whoever_finds_the_queue_full_is_told_to_come_back() {
    let claims = Gathering { batch: 8, batch_wait_ms: 1000, queue: 1 };
    let bank = Bank::gathering(6, database(cluster()), claims);
    bank.open(0);
    let claims = self::claims(&bank, 6);
    let answers = bank.send_together(&claims.iter().collect::<Vec<_>>());
    let paid = answers.iter().filter(|answer| answer.status == 201).count();
    assert!((1..6).contains(&paid), "{:?}", statuses(&answers));
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(503, "busy");
        assert!(answer.retry_after.is_some());
    }
    assert_eq!(bank.books().transfers as usize, 2 + paid);
    for (claim, first) in claims.iter().zip(&answers) {
        let again = bank.send(claim);
        assert_eq!(again.status, if first.status == 201 { 200 } else { 201 });
    }
    assert_eq!(bank.books().transfers, 2 + 6);
}

#[test]
fn two_servers_pay_everybody_once() {
    let mut bank = slow_bank(8);
    let other = bank.start(Gathering { batch_wait_ms: 0, ..Gathering::default() });
    let claims = claims(&bank, 8);
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let send_to_other = |claim: &Claim| {
        let request = agent.post(format!("{other}/v1/claims")).content_type("application/json");
        let mut answer = request.send(serde_json::to_string(claim).unwrap()).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    let (here, there) = std::thread::scope(|scope| {
        let there: Vec<_> = claims.iter().map(|claim| scope.spawn(|| send_to_other(claim))).collect();
        let here = bank.send_together(&claims.iter().collect::<Vec<_>>());
        (here, there.into_iter().map(|answer| answer.join().unwrap()).collect::<Vec<_>>())
    });
    for (here, (status, text)) in here.iter().zip(&there) {
        assert_eq!(here.status.min(*status), 200);
        assert_eq!(here.status.max(*status), 201);
        assert_eq!(&here.text, text);
    }
    assert_eq!(bank.books().transfers, 2 + 8);
}
