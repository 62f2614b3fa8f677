//! The worker that drives periods: on the machine's own clock, which these tests set forward and back, with windows that end
//! within seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use distribution::config::Driving;
use distribution::{Config, Server, Transition};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use unum_identity::action::Period;
use unum_identity::programme::{DepositRequest, PeriodState, ProgrammeTerms, Shortage};
use unum_identity::time::UnixTime;

use super::bank::{SHARE, Till, amount, terms, to, write_config};
use super::set::PublishedSet;
use crate::harness::{cluster, database, rng};

const DAY: i64 = 86_400;
const HOUR: u64 = 3600;
/// The longest that a test waits for something that rounds of a second bring about.
const PATIENCE: Duration = Duration::from_mins(2);

/// Servers whose workers run, on one database. Their clock is the machine's, set forward by some seconds.
struct Works {
    till: Till,
    servers: Vec<Server>,
    ahead: Arc<AtomicI64>,
    database: String,
    // Last, so that the servers are gone before their threads and files are.
    runtime: Runtime,
    folder: TempDir,
}

impl std::ops::Deref for Works {
    type Target = Till;

    fn deref(&self) -> &Till {
        &self.till
    }
}

/// The truth.
fn now() -> u64 {
    UnixTime::from(SystemTime::now()).0
}

impl Works {
    /// No server yet. Periods of an hour, of which number 0 began `since` seconds ago.
    fn new(people: usize, since: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = database(cluster());
        let set = PublishedSet::of(people);
        write_config(folder.path(), &database, &set);
        let mut till = Till::new(String::new(), set);
        till.terms = ProgrammeTerms { starts_at: UnixTime(now() - since), ..terms() };
        let runtime = Runtime::new().unwrap();
        Self { till, servers: Vec::new(), ahead: Arc::default(), database, runtime, folder }
    }

    /// One more server, whose worker goes round each second.
    fn start(&mut self) {
        let mut config = Config::load(&self.folder.path().join("distribution.toml"), |_| None).unwrap();
        config.periods = Driving { drive: true, every_seconds: 1, tolerance_seconds: 2, settle_seconds: 3 };
        let ahead = Arc::clone(&self.ahead);
        let clock = move || UnixTime(now().checked_add_signed(ahead.load(Ordering::SeqCst)).unwrap());
        let server = self.runtime.block_on(Server::start(config, Arc::new(clock), &mut rng())).unwrap();
        self.till.move_to(format!("http://{}", server.addr()));
        self.servers.push(server);
    }

    fn stop(&mut self) {
        for server in self.servers.drain(..) {
            self.runtime.block_on(server.shutdown());
        }
    }

    fn set_clock(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::SeqCst);
    }

    fn state(&self, period: u64) -> PeriodState {
        self.period(period).state
    }

    #[track_caller]
    fn wait_for_state(&self, period: u64, state: PeriodState) {
        wait(&format!("period {period} is {state}"), || self.state(period) == state);
    }

    /// A number of the newest server.
    fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |number| number.parse().unwrap())
    }

    /// Waits until the worker has seen that something is wrong with a clock, or that nothing is any more, and a round more.
    fn wait_for_doubt(&self, in_doubt: bool) {
        let rounds = || self.metric("unum_period_rounds_total{outcome=\"in_doubt\"}");
        let wanted = if in_doubt { 1.0 } else { 0.0 };
        let seen = rounds();
        wait("the worker looks at the clocks", || {
            (self.metric("unum_clock_in_doubt") - wanted).abs() < 0.5 && (!in_doubt || rounds() > seen + 2.0)
        });
    }

    fn entries(&self, kind: &str) -> Vec<i64> {
        let mut client = postgres::Client::connect(&self.database, postgres::NoTls).unwrap();
        let sql = "SELECT count(*) FROM distribution.transfers WHERE kind = $1 GROUP BY programme, period";
        client.query(sql, &[&kind]).unwrap().iter().map(|row| row.get(0)).collect()
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        self.stop();
    }
}

#[track_caller]
fn wait(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "still not: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn sleep_until(moment: u64) {
    while now() < moment {
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn periods_open_and_end_by_themselves_and_what_was_missed_stays_planned() {
    // Period 3 runs and ends within a minute, and with it the window of period 2.
    let mut works = Works::new(3, 4 * HOUR - 45);
    works.start();
    works.start();
    works.deposit("first", 20 * SHARE);
    for period in [2, 3] {
        works.wait_for_state(period, PeriodState::Open);
    }
    assert_eq!(
        (works.state(0), works.state(1)),
        (PeriodState::Planned, PeriodState::Planned),
        "nobody can claim them"
    );
    let claims = [works.prove(0, 2, to(0)), works.prove(1, 2, to(1)), works.prove(0, 3, to(0))];
    for claim in &claims {
        assert_eq!(works.send(claim).status, 201);
    }
    let ends = works.period(2).closes_at.0;

    // Everything is off when the window ends. Then two workers start, and close it together.
    works.stop();
    sleep_until(ends);
    works.start();
    works.start();
    works.wait_for_state(2, PeriodState::Sealed);
    works.wait_for_state(4, PeriodState::Open);
    assert_eq!(works.state(3), PeriodState::Open);
    let statement = works.operator.statement(works.programme().id, Period(2)).unwrap().statement;
    assert_eq!((statement.claims, statement.expired), (2, amount(SHARE)));
    assert_eq!(works.entries("return"), [1], "one of them returned the rest");
    assert_eq!(works.entries("reserve"), [1, 1, 1]);
    assert_eq!(works.send(&claims[2]).status, 200);
    works.books();
}

#[test]
fn two_workers_and_an_operator_take_each_step_once() {
    const PROGRAMMES: usize = 8;
    let mut works = Works::new(2, 2 * HOUR - 40);
    works.start();
    works.start();
    let programmes: Vec<_> = (0..PROGRAMMES)
        .map(|number| {
            let name = format!("programme {number}");
            let made = ProgrammeTerms { name, ..works.terms.clone() };
            let id = works.operator.create_programme(&made).unwrap().id;
            let request = DepositRequest {
                idempotency_key: "all".into(),
                source: "city".into(),
                amount: amount(9 * SHARE),
            };
            works.operator.deposit(id, &request).unwrap();
            id
        })
        .collect();
    let state = |id, period| works.operator.period(id, Period(period)).unwrap().state;
    let all = |period, wanted| programmes.iter().all(|id| state(*id, period) == wanted);
    // An operator who asks for every step, all the time: refused or not, nothing happens twice.
    let deadline = Instant::now() + PATIENCE;
    while !(all(0, PeriodState::Sealed) && all(1, PeriodState::Open) && all(2, PeriodState::Open)) {
        assert!(
            Instant::now() < deadline,
            "{:?}",
            programmes.iter().map(|id| state(*id, 0)).collect::<Vec<_>>()
        );
        for id in &programmes {
            for step in [Transition::Fund, Transition::Open, Transition::Close, Transition::Seal] {
                works.operator.advance(*id, Period(0), step).ok(); // or refused
            }
        }
    }
    assert_eq!(works.entries("return"), [1; PROGRAMMES]);
    assert_eq!(works.entries("reserve"), [1; 3 * PROGRAMMES]);
    works.books();
}

#[test]
fn a_deposit_lets_a_waiting_period_open() {
    const PROGRAMMES: u32 = 6;
    let mut works = Works::new(2, 600);
    works.start();
    works.start();
    let operator = &works.operator;
    let make = |number| {
        let name = format!("programme {number}");
        operator.create_programme(&ProgrammeTerms { name, ..works.terms.clone() }).unwrap().id
    };
    let programmes: Vec<_> = (0..PROGRAMMES).map(make).collect();
    let period = |id| operator.period(id, Period(0)).unwrap();
    let shortage = |pool| Some(Shortage { people: 2, need: amount(2 * SHARE), pool: amount(pool) });
    for id in &programmes {
        wait("it waits", || period(*id).waits_for == shortage(0));
        assert_eq!(period(*id).state, PeriodState::Snapshot);
    }
    wait("they are counted", || (works.metric("unum_periods_waiting") - f64::from(PROGRAMMES)).abs() < 0.5);

    // Money comes in two halves at once, while two workers and an operator try to fund what is there.
    let deposit = |id, key: &str| {
        let half =
            DepositRequest { idempotency_key: key.into(), source: "city".into(), amount: amount(SHARE) };
        operator.deposit(id, &half).unwrap();
    };
    deposit(programmes[0], "a");
    assert_eq!(period(programmes[0]).waits_for, shortage(SHARE), "half is not enough");
    std::thread::scope(|scope| {
        for id in programmes.iter().copied() {
            scope.spawn(move || deposit(id, "a"));
            scope.spawn(move || deposit(id, "b"));
            scope.spawn(move || {
                for _ in 0..10 {
                    operator.advance(id, Period(0), Transition::Fund).ok(); // or not yet
                }
            });
        }
    });
    for id in programmes {
        wait("it opens", || period(id).state == PeriodState::Open);
        assert_eq!((period(id).waits_for, period(id).reserve), (None, amount(2 * SHARE)));
    }
    wait("nobody waits", || works.metric("unum_periods_waiting") < 0.5);
    assert_eq!(works.entries("reserve"), [1; PROGRAMMES as usize]);
    works.books();
}

#[test]
fn a_clock_that_jumps_costs_nobody_a_share() {
    // The window of period 0 ends within a minute.
    let mut works = Works::new(4, 2 * HOUR - 50);
    works.start();
    works.deposit("first", 20 * SHARE);
    works.wait_for_state(0, PeriodState::Open);
    works.wait_for_state(1, PeriodState::Open);
    let claims: Vec<_> = (0..4).map(|person| works.prove(person, 0, to(person as u8))).collect();
    let ends = works.period(0).closes_at.0;
    let states = || [0, 1, 2, 25].map(|period| works.state(period));
    let before = states();

    // A day forward: every window is over by that clock, and 24 periods have begun. Nothing moves, and people are paid.
    works.set_clock(DAY);
    works.wait_for_doubt(true);
    assert_eq!(states(), before);
    let receipt = works.send(&claims[0]).receipt().statement;
    assert!(receipt.paid_at.0.abs_diff(now()) < 60, "paid by the time that it is");

    // A day back: nothing is undone.
    works.set_clock(-DAY);
    works.wait_for_doubt(true);
    assert_eq!(states(), before);
    assert_eq!(works.send(&claims[1]).status, 201);

    // The window ends while the clock says that it has not begun. Nobody is paid outside of it.
    sleep_until(ends + 2); // a clock of whole seconds that does not follow another is one behind at most
    works.send(&claims[2]).refused(422, "outside_window");
    assert_eq!(states(), before);
    assert_eq!(works.send(&claims[1]).status, 200, "the first receipt");

    // The clock is right again: once that has lasted, the period ends, and the next begins.
    works.set_clock(0);
    works.wait_for_state(0, PeriodState::Sealed);
    works.wait_for_state(2, PeriodState::Open);
    works.wait_for_doubt(false);
    let statement = works.operator.statement(works.programme().id, Period(0)).unwrap().statement;
    assert_eq!((statement.claims, statement.expired), (2, amount(2 * SHARE)));
    works.send(&claims[3]).refused(422, "period_not_open");
    works.books();
}

#[test]
fn a_server_whose_clock_is_not_that_of_the_database_drives_nothing() {
    let mut works = Works::new(1, 600);
    works.set_clock(DAY);
    works.start();
    works.deposit("first", 5 * SHARE);
    works.wait_for_doubt(true);
    assert_eq!((works.state(0), works.state(24)), (PeriodState::Planned, PeriodState::Planned));
    works.stop();
    works.set_clock(0);
    works.start();
    works.wait_for_state(0, PeriodState::Open);
    works.books();
}
