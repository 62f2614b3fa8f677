//! The books against a model in memory: random deposits, steps, waits, claims and payments, some of them broken off half-way
//! and asked for again. Whatever happens, the answers and every balance are the model's.
//!
//! A run is its seed: `UNUM_SEED=1234 cargo test -p distribution a_ledger_is_its_model` repeats one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chacha20::ChaCha20Rng;
use ed25519_dalek::SigningKey;
use private_postgres::Cluster;
use rand_core::{Rng as _, SeedableRng as _, UnwrapErr};
use service::{Metrics, ProblemResponse};
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, LedgerId, PaymentKey, ProgrammeId};
use unum_identity::checkpoint::SignedCheckpoint;
use unum_identity::claim::{Amount, Claim, ClaimTerms};
use unum_identity::field::{Nullifier, Root};
use unum_identity::payment::{Payment, SignedPayment};
use unum_identity::programme::{DepositRequest, EligibleSet, Length, PeriodState, Policy, ProgrammeTerms};
use unum_identity::proof::ProofBytes;
use unum_identity::time::UnixTime;

use super::books::Books;
use super::proofs::Verified;
use super::{Claims, Equipment};
use crate::app::App;
use crate::config::Config;
use crate::eligible::PublishedSet;
use crate::ledger::account::Account;
use crate::ledger::audit::Audit;
use crate::overview::Overviews;
use crate::period::Transition;
use crate::store::{SCHEMA, Store, audit, ledger, periods};

const LEDGER: LedgerId = LedgerId([1; 16]);
const START: u64 = 1_800_000_000;
const SHARE: u128 = 100;
const LENGTH: u64 = 100;
const WINDOW: u64 = 2;
const WALLETS: u64 = 3;
const STEPS: usize = 18;
/// Longest time, in microseconds, after which something is broken off: a transaction takes about as long here.
const BROKEN_OFF_WITHIN: u64 = 6_000;

/// What a person does, or an operator, or time.
#[derive(Clone, Debug)]
enum Act {
    Deposit { key: u8, amount: u128 },
    Snapshot { period: u64, people: u64 },
    Step { period: u64, step: Transition },
    Claims(Vec<Wish>),
    Pay(Order),
    Wait(u64),
}

/// A payment between two wallets.
#[derive(Clone, Copy, Debug)]
struct Order {
    from: u8,
    to: u8,
    amount: u128,
    key: u8,
    is_late: bool,
}

/// One claim of a batch.
#[derive(Clone, Copy, Debug)]
struct Wish {
    period: u64,
    person: u64,
    recipient: u8,
    fee: u128,
    is_late: bool,
}

/// Draws what happens next.
struct Dice(ChaCha20Rng);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }

    fn act(&mut self) -> Act {
        let period = self.below(3);
        match self.below(24) {
            0..3 => Act::Deposit { key: self.below(4) as u8, amount: [0, 300, 700][self.below(3) as usize] },
            3..6 => Act::Snapshot { period, people: 1 + self.below(4) },
            6..12 => Act::Step { period, step: Transition::ALL[1 + self.below(4) as usize] },
            12..14 => Act::Wait(self.below(150)),
            14..18 => Act::Pay(Order {
                from: self.below(WALLETS) as u8,
                to: self.below(WALLETS) as u8,
                amount: [0, 40, 40, 90][self.below(4) as usize],
                key: self.below(3) as u8,
                is_late: self.below(10) == 0,
            }),
            _ => Act::Claims((0..=self.below(6)).map(|_| self.wish()).collect()),
        }
    }

    fn wish(&mut self) -> Wish {
        Wish {
            period: self.below(3),
            person: self.below(4),
            recipient: self.below(WALLETS) as u8,
            fee: [0, 0, 0, 7, SHARE, SHARE + 1][self.below(6) as usize],
            is_late: self.below(10) == 0,
        }
    }
}

/// What should be.
#[derive(Default)]
struct Model {
    now: u64,
    pool: u128,
    paid_in: u128,
    fees: u128,
    wallets: BTreeMap<u8, u128>,
    deposits: BTreeMap<u8, u128>,
    /// By payer and key.
    payments: BTreeMap<(u8, u8), Order>,
    periods: BTreeMap<u64, ModelPeriod>,
}

struct ModelPeriod {
    state: PeriodState,
    people: u64,
    reserve: u128,
    paid: BTreeMap<u64, Wish>,
}

type Told = Result<u128, &'static str>;

impl Model {
    fn deposit(&mut self, key: u8, amount: u128) -> Told {
        if amount == 0 {
            return Err("deposit_invalid");
        }
        match self.deposits.get(&key) {
            Some(first) if *first == amount => {}
            Some(_) => return Err("idempotency_key_taken"),
            None => {
                self.deposits.insert(key, amount);
                self.pool += amount;
                self.paid_in += amount;
            }
        }
        Ok(amount)
    }

    fn step(&mut self, number: u64, step: Transition) -> Told {
        let (needed, reached) = step.between();
        let Some(period) = self.periods.get_mut(&number) else { return Err("period_state") };
        if period.state == reached {
            return Ok(period.reserve);
        }
        if period.state != needed {
            return Err("period_state");
        }
        match step {
            Transition::Fund => {
                let need = u128::from(period.people) * SHARE;
                if need > self.pool {
                    return Err("pool_insufficient");
                }
                self.pool -= need;
                period.reserve = need;
            }
            Transition::Close if self.now < START + (number + WINDOW) * LENGTH => {
                return Err("window_not_over");
            }
            Transition::Close => self.pool += std::mem::take(&mut period.reserve),
            Transition::Snapshot | Transition::Open | Transition::Seal => {}
        }
        period.state = reached;
        Ok(period.reserve)
    }

    /// Whoever is not in the frozen set has no proof, and comes no further than that. Of those who have one there are no more than
    /// shares.
    fn can_prove(&self, wish: &Wish) -> bool {
        self.periods.get(&wish.period).is_none_or(|period| wish.person < period.people)
    }

    fn claim(&mut self, wish: Wish) -> Told {
        let Some(period) = self.periods.get_mut(&wish.period) else { return Err("period_not_open") };
        if let Some(first) = period.paid.get(&wish.person) {
            let same =
                (first.recipient, first.fee, first.is_late) == (wish.recipient, wish.fee, wish.is_late);
            return if same { Ok(SHARE - wish.fee) } else { Err("claimed_for_another_recipient") };
        }
        let opens_at = START + wish.period * LENGTH;
        if period.state != PeriodState::Open {
            return Err("period_not_open");
        } else if self.now < opens_at || self.now >= opens_at + WINDOW * LENGTH {
            return Err("outside_window");
        } else if wish.is_late {
            return Err("deadline_passed");
        } else if wish.fee > SHARE {
            return Err("fee_too_high");
        }
        period.paid.insert(wish.person, wish);
        period.reserve -= SHARE;
        *self.wallets.entry(wish.recipient).or_default() += SHARE - wish.fee;
        self.fees += wish.fee;
        Ok(SHARE - wish.fee)
    }

    fn pay(&mut self, order: Order) -> Told {
        let Order { from, to, amount, key, is_late } = order;
        if amount == 0 || from == to {
            return Err("payment_moves_nothing");
        }
        if let Some(first) = self.payments.get(&(from, key)) {
            let same = (first.to, first.amount) == (to, amount);
            return if same { Ok(amount) } else { Err("idempotency_key_taken") };
        }
        let balance = self.wallets.entry(from).or_default();
        if is_late {
            return Err("deadline_passed");
        } else if *balance < amount {
            return Err("balance_insufficient");
        }
        *balance -= amount;
        *self.wallets.entry(to).or_default() += amount;
        self.payments.insert((from, key), order);
        Ok(amount)
    }
}

/// The real thing: one programme of a seed, on a ledger that all seeds share.
struct Town {
    app: App,
    books: Books,
    clock: Arc<AtomicU64>,
    programme: ProgrammeId,
    seed: u64,
}

impl Town {
    async fn act(&self, act: &Act) -> Vec<Result<u128, String>> {
        let one =
            |told: Result<u128, ProblemResponse>| vec![told.map_err(|problem| problem.code().to_owned())];
        match act {
            Act::Wait(_) => Vec::new(),
            Act::Deposit { key, amount } => {
                let request = DepositRequest {
                    idempotency_key: format!("key-{key}"),
                    source: format!("city-{}", self.seed),
                    amount: Amount::new(*amount).unwrap(),
                };
                let booked = self.app.deposit(self.programme, request).await;
                one(booked.map(|(_, deposit)| deposit.amount.minor()).map_err(Into::into))
            }
            Act::Snapshot { period, people } => {
                let set = EligibleSet { root: Root(5.into()), size: *people, people: *people };
                let (id, period, now) = (self.programme, Period(*period), self.app.now());
                let frozen = self.app.store.run_tx("snapshot", |tx| async move {
                    periods::insert(&tx, id, period, set, &SignedCheckpoint(String::new()), now).await
                });
                one(frozen.await.map(|_| 0).map_err(Into::into))
            }
            Act::Step { period, step } => {
                let taken = self.app.advance(self.programme, Period(*period), *step).await;
                one(taken.map(|view| view.reserve.minor()).map_err(Into::into))
            }
            Act::Pay(order) => {
                let paid = self.app.pay(&self.order(*order)).await;
                one(paid.map(|(_, receipt)| receipt.statement.amount.minor()).map_err(Into::into))
            }
            Act::Claims(wishes) => {
                let claims = wishes.iter().map(|wish| self.claim(*wish)).collect();
                let told = self.books.clone().pay(claims).await;
                let minor = |answer: super::Answer| answer.receipt.statement.amount.minor();
                told.into_iter()
                    .map(|told| told.map(minor).map_err(|error| error.code().to_owned()))
                    .collect()
            }
        }
    }

    fn order(&self, Order { from, to, amount, key, is_late }: Order) -> SignedPayment {
        let payment = Payment {
            ledger: LEDGER,
            from: self.wallet(from),
            to: self.wallet(to),
            amount: Amount::new(amount).unwrap(),
            idempotency_key: PaymentKey([key; 16]),
            deadline: if is_late { UnixTime(START - 1) } else { UnixTime(u64::MAX) },
        };
        SignedPayment::new(payment, &self.key(from))
    }

    fn claim(&self, wish: Wish) -> Verified {
        let deadline = if wish.is_late { UnixTime(START - 1) } else { UnixTime(u64::MAX) };
        let (recipient, fee) = (self.wallet(wish.recipient), Amount::new(wish.fee).unwrap());
        Verified::assumed(Claim {
            programme: self.programme,
            period: Period(wish.period),
            nullifier: Nullifier((1 + wish.person).into()),
            terms: ClaimTerms { ledger: LEDGER, recipient, fee, deadline },
            proof: ProofBytes([0; 256]),
            relayer: None,
        })
    }

    fn wallet(&self, number: u8) -> AccountId {
        AccountId(self.key(number).verifying_key().to_bytes())
    }

    fn key(&self, wallet: u8) -> SigningKey {
        let mut key = [wallet; 32];
        key[..8].copy_from_slice(&self.seed.to_be_bytes());
        SigningKey::from_bytes(&key)
    }

    async fn holds(&self, account: Account) -> i128 {
        let account = &account;
        let balance =
            self.app.store.run_tx("balance", |tx| async move { ledger::balance(&tx, account).await });
        balance.await.unwrap().minor()
    }
}

/// The first attempt may be broken off, as by a crash: the connection is gone, and nobody knows how far it got.
async fn survive<T, F: Future<Output = T>>(dice: &mut Dice, attempt: impl Fn() -> F) -> T {
    if dice.below(3) == 0 {
        let limit = Duration::from_micros(dice.below(BROKEN_OFF_WITHIN));
        if let Ok(done) = tokio::time::timeout(limit, attempt()).await {
            return done;
        }
    }
    attempt().await
}

async fn play(seed: u64, store: &Store) {
    let mut dice = Dice(ChaCha20Rng::seed_from_u64(seed));
    let clock = Arc::new(AtomicU64::new(START));
    let town = town(seed, store, &clock).await;
    let mut model = Model { now: START, ..Model::default() };
    for place in 0..STEPS {
        let mut act = dice.act();
        if let Act::Claims(wishes) = &mut act {
            wishes.retain(|wish| model.can_prove(wish));
        }
        if let Act::Wait(seconds) = act {
            model.now += seconds;
            town.clock.store(model.now, Ordering::SeqCst);
        }
        let told = survive(&mut dice, || town.act(&act)).await;
        let expected: Vec<Told> = match &act {
            Act::Wait(_) => Vec::new(),
            Act::Deposit { key, amount } => vec![model.deposit(*key, *amount)],
            Act::Snapshot { period, people } => {
                model.periods.entry(*period).or_insert_with(|| ModelPeriod {
                    state: PeriodState::Snapshot,
                    people: *people,
                    reserve: 0,
                    paid: BTreeMap::new(),
                });
                vec![Ok(0)]
            }
            Act::Step { period, step } => vec![model.step(*period, *step)],
            Act::Pay(order) => vec![model.pay(*order)],
            Act::Claims(wishes) => wishes.iter().map(|wish| model.claim(*wish)).collect(),
        };
        let expected: Vec<_> = expected.into_iter().map(|told| told.map_err(str::to_owned)).collect();
        assert_eq!(told, expected, "seed {seed}, act {place}: {act:?}");
    }
    compare(&town, &model).await;
}

async fn compare(town: &Town, model: &Model) {
    let (seed, programme) = (town.seed, town.programme);
    let source = format!("city-{seed}").parse().unwrap();
    assert_eq!(town.holds(Account::Funding(source)).await, -(model.paid_in as i128), "seed {seed}: funding");
    assert_eq!(town.holds(Account::Pool(programme)).await, model.pool as i128, "seed {seed}: pool");
    for (number, period) in &model.periods {
        let reserve = Account::Reserve(programme, Period(*number));
        assert_eq!(town.holds(reserve).await, period.reserve as i128, "seed {seed}: period {number}");
    }
    for (number, balance) in &model.wallets {
        let wallet = Account::Wallet(town.wallet(*number));
        assert_eq!(town.holds(wallet).await, *balance as i128, "seed {seed}: wallet {number}");
    }
}

async fn town(seed: u64, store: &Store, clock: &Arc<AtomicU64>) -> Town {
    let time = Arc::clone(clock);
    let time: Arc<dyn unum_identity::time::Clock> = Arc::new(move || UnixTime(time.load(Ordering::SeqCst)));
    let signing = Arc::new(SigningKey::from_bytes(&[7; 32]));
    let key = include_bytes!("../../../circuits/keys/development/verifying.key");
    let key = circuits::VerifyingKey::from_bytes(key).unwrap();
    let (store, metrics) = (store.clone(), Metrics::default());
    let equipment = Equipment {
        store: store.clone(),
        clock: Arc::clone(&time),
        ledger: LEDGER,
        signing: Arc::clone(&signing),
        verifier: circuits::Verifier::new(&key),
        metrics: metrics.clone(),
    };
    let config: Config = serde_json::from_value(serde_json::json!({
        "bind": "127.0.0.1:0",
        "ledger": LEDGER,
        "keys": "keys",
        "verifying_key": "verifying.key",
        "enroll_server": "http://127.0.0.1:9", // nobody listens: the sets are put in here
        "set": { "origin": "example.org/set", "key": "cd".repeat(32) },
    }))
    .unwrap();
    let app = App {
        store: store.clone(),
        clock: Arc::clone(&time),
        ledger: LEDGER,
        signing: Arc::clone(&signing),
        claims: Claims::start(equipment, config.claims, &mut UnwrapErr(getrandom::SysRng)),
        verifying_key: key.hash(),
        verifying_key_bytes: key.to_bytes(),
        set: Arc::new(PublishedSet::new(&config)),
        overviews: Overviews::default(),
        operator: config.operator_token.clone(),
        metrics,
    };
    let books = Books { store, clock: time, ledger: LEDGER, signing };
    let terms = ProgrammeTerms {
        name: format!("of seed {seed}"),
        unit: "UNM".into(),
        minor_digits: 2,
        policy: Policy::Fixed { amount: Amount::new(SHARE).unwrap() },
        starts_at: UnixTime(START),
        length: Length::Seconds { seconds: LENGTH },
        claim_window: WINDOW,
    };
    let programme = app.create_programme(&terms).await.unwrap().1.id;
    Town { app, books, clock: Arc::clone(clock), programme, seed }
}

/// Plays so many seeds, some at once, and then checks the whole ledger.
fn play_all(seeds: std::ops::Range<u64>) {
    let cluster = Cluster::temporary(&mut UnwrapErr(getrandom::SysRng)).unwrap();
    let url = cluster.database("model").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url, &SCHEMA, Duration::from_secs(5), Metrics::default()).await.unwrap();
        store.run_tx("open", |tx| async move { ledger::open(&tx, LEDGER).await }).await.unwrap();
        for seed in seeds {
            play(seed, &store).await;
        }
        let report = store.run_audit("check", |tx| async move {
            let periods = audit::periods(&tx, LEDGER).await?;
            let (mut check, mut after) = (Audit::new(LEDGER, &periods), 0);
            loop {
                let page = audit::entries_after(&tx, LEDGER, after).await?;
                let Some(last) = page.last() else { break };
                after = last.sequence;
                for stored in &page {
                    check.entry(stored);
                }
            }
            Ok(check.finish(ledger::head(&tx).await?, audit::accounts(&tx).await?, &periods))
        });
        let report = report.await.unwrap();
        assert_eq!((report.difference.minor(), &report.problems[..]), (0, &[][..]));
    });
}

#[test]
fn a_ledger_is_its_model() {
    match std::env::var("UNUM_SEED").ok().map(|seed| seed.parse().unwrap()) {
        Some(seed) => play_all(seed..seed + 1),
        None => play_all(0..100),
    }
}

#[test]
#[ignore = "ten thousand seeds: minutes"]
fn a_ledger_is_its_model_ten_thousand_times() {
    play_all(0..10_000);
}
