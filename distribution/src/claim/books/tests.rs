use std::cell::Cell;

use private_postgres::Cluster;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use rand_core::UnwrapErr;
use service::Metrics;
use tokio::runtime::Runtime;
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, ProgrammeId};
use unum_identity::checkpoint::SignedCheckpoint;
use unum_identity::claim::{Amount, ClaimTerms};
use unum_identity::field::{Nullifier, Root};
use unum_identity::programme::{EligibleSet, Length, PeriodState, Policy, ProgrammeTerms};
use unum_identity::proof::ProofBytes;
use unum_identity::time::UnixTime;

use super::*;
use crate::ledger::audit::StoredEntry;
use crate::store::{SCHEMA, audit, periods, programmes};

const LEDGER: LedgerId = LedgerId([1; 16]);
const NOW: UnixTime = UnixTime(1_800_000_050);
const SHARE: u128 = 1000;
/// Shares that a period has: fewer than there are people, which cannot happen, and must not harm those who fit in.
const PEOPLE: u64 = 3;

/// A claim as a strategy has it: person, recipient, period, fee, whether its deadline has passed, whether its programme is
/// another.
type Sketch = (u64, u8, u64, u128, bool, bool);

fn sketch() -> impl Strategy<Value = Sketch> {
    let fee = prop_oneof![6 => Just(0), 2 => Just(30), 1 => Just(SHARE), 1 => Just(SHARE + 1)];
    let rarely = || prop::bool::weighted(0.1);
    (0..5_u64, 0..2_u8, 0..3_u64, fee, rarely(), rarely())
}

fn claim((person, recipient, period, fee, late, elsewhere): Sketch, programme: ProgrammeId) -> Verified {
    let deadline = if late { UnixTime(NOW.0 - 1) } else { UnixTime(u64::MAX) };
    let (recipient, fee) = (AccountId([recipient; 32]), Amount::new(fee).unwrap());
    Verified::assumed(Claim {
        programme: if elsewhere { ProgrammeId([0xee; 16]) } else { programme },
        period: Period(period),
        nullifier: Nullifier((1 + person).into()),
        terms: ClaimTerms { ledger: LEDGER, recipient, fee, deadline },
        proof: ProofBytes([0; 256]),
        relayer: (person % 2 == 0).then_some(AccountId([0x77; 32])),
    })
}

async fn books(url: &str) -> Books {
    let store =
        Store::open(url, &SCHEMA, std::time::Duration::from_secs(5), Metrics::default()).await.unwrap();
    store.run_tx("open", |tx| async move { ledger::open(&tx, LEDGER).await }).await.unwrap();
    let signing = Arc::new(SigningKey::from_bytes(&[7; 32]));
    Books { store, clock: Arc::new(|| NOW), ledger: LEDGER, signing }
}

/// A programme of which periods 0 and 1 are open, and period 2 is not.
async fn open(books: &Books, name: &str) -> ProgrammeId {
    let terms = &ProgrammeTerms {
        name: name.into(),
        unit: "UNM".into(),
        minor_digits: 2,
        policy: Policy::Fixed { amount: Amount::new(SHARE).unwrap() },
        starts_at: UnixTime(NOW.0 - 150),
        length: Length::Seconds { seconds: 100 },
        claim_window: 2,
    };
    let id = terms.id(&LEDGER);
    let share = Amount::new(SHARE).unwrap();
    let made = books.store.run_tx("open_programme", |tx| async move {
        programmes::insert(&tx, id, terms, NOW).await?;
        let all = share.checked_mul(2 * PEOPLE).unwrap();
        let draft = Draft::deposit(id, "city".parse().unwrap(), "all".parse().unwrap(), all);
        ledger::post(&tx, ledger::lock(&tx).await?, draft, NOW).await?;
        for period in [Period(0), Period(1)] {
            let set = EligibleSet { root: Root(5.into()), size: PEOPLE, people: PEOPLE };
            periods::insert(&tx, id, period, set, &SignedCheckpoint(String::new()), NOW).await?;
            let draft = Draft::reserve(id, period, share.checked_mul(PEOPLE).unwrap());
            ledger::post(&tx, ledger::lock(&tx).await?, draft, NOW).await?;
            periods::fund(&tx, id, period, share, NOW).await?;
            periods::advance(&tx, id, period, PeriodState::Open, None, NOW).await?;
        }
        Ok(())
    });
    made.await.unwrap();
    id
}

/// What a claimant is told: the receipt and whether it is new, or a code.
fn told(outcome: &Outcome<Answer>) -> Result<(bool, Signed<ClaimReceipt>), String> {
    let answer = outcome.as_ref().map(|answer| (answer.is_new, answer.receipt.clone()));
    answer.map_err(|error| format!("{} {error}", error.code()))
}

async fn entries_after(books: &Books, after: u64) -> Vec<StoredEntry> {
    let read =
        books.store.run_tx("entries", |tx| async move { audit::entries_after(&tx, LEDGER, after).await });
    read.await.unwrap()
}

/// A batch is what its claims are one after the other: the same answers, the same entries in the same order. Two ledgers with
/// the same past stay the same.
#[test]
fn a_batch_is_one_after_the_other() {
    let cluster = Cluster::temporary(&mut UnwrapErr(getrandom::SysRng)).unwrap();
    let runtime = Runtime::new().unwrap();
    let [together, apart] = ["together", "apart"].map(|name| {
        let url = cluster.database(name).unwrap();
        runtime.block_on(books(&url))
    });
    let (rounds, seen, codes) =
        (Cell::new(0), Cell::new(0), std::cell::RefCell::new(std::collections::BTreeSet::new()));
    let same = |sketches: Vec<Sketch>| {
        rounds.set(rounds.get() + 1);
        let name = format!("programme {}", rounds.get());
        runtime.block_on(async {
            let programme = open(&together, &name).await;
            assert_eq!(open(&apart, &name).await, programme);
            let claims: Vec<_> = sketches.into_iter().map(|sketch| claim(sketch, programme)).collect();
            let at_once: Vec<_> = together.clone().pay(claims.clone()).await.iter().map(told).collect();
            let mut in_turn = Vec::new();
            for claim in claims {
                in_turn.extend(apart.clone().pay(vec![claim]).await.iter().map(told));
            }
            let (a, b) =
                (entries_after(&together, seen.get()).await, entries_after(&apart, seen.get()).await);
            seen.set(a.last().unwrap().sequence);
            let code = |told: &Result<_, String>| {
                told.as_ref().err().map(|e| e.split(' ').next().unwrap().to_owned())
            };
            codes.borrow_mut().extend(at_once.iter().filter_map(code));
            prop_assert_eq!(at_once, in_turn);
            prop_assert_eq!(format!("{a:?}"), format!("{b:?}"));
            Ok(())
        })
    };
    let mut runner = TestRunner::new(Cases { cases: 48, failure_persistence: None, ..Cases::default() });
    runner.run(&prop::collection::vec(sketch(), 1..24), same).unwrap();
    // Every way of being refused was met, "internal" by those for whom no share was left.
    let expected = [
        "claimed_for_another_recipient",
        "deadline_passed",
        "fee_too_high",
        "internal",
        "period_not_open",
        "programme_unknown",
    ];
    assert_eq!(codes.into_inner().into_iter().collect::<Vec<_>>(), expected);
}
