use std::time::Duration;

use private_postgres::Cluster;
use rand_core::UnwrapErr;
use service::Metrics;
use tokio::runtime::Runtime;
use unum_identity::action::Period;
use unum_identity::bytes::{LedgerId, ProgrammeId};
use unum_identity::claim::Amount;
use unum_identity::programme::{Length, PeriodState, Policy, ProgrammeTerms};
use unum_identity::time::UnixTime;

use super::periods::Lock;
use super::*;

const LEDGER: LedgerId = LedgerId([1; 16]);

async fn open(url: &str, schema: &Schema) -> Store {
    Store::open(url, schema, Duration::from_secs(5), Metrics::default()).await.unwrap()
}

fn amount(minor: u128) -> Amount {
    Amount::new(minor).unwrap()
}

/// What the second version of the schema called a programme's terms.
fn terms() -> ProgrammeTerms {
    ProgrammeTerms {
        name: "basic".into(),
        unit: "UNM".into(),
        minor_digits: 2,
        policy: Policy::Fixed { amount: amount(1000) },
        starts_at: UnixTime(1_700_000_000),
        length: Length::Seconds { seconds: 3600 },
        claim_window: 2,
    }
}

/// A programme of the second version, with a period in each state.
async fn old_database(url: &str) -> ProgrammeId {
    let old = open(url, &Schema { migrations: &SCHEMA.migrations[..2], ..SCHEMA }).await;
    let id = terms().id(&LEDGER);
    let inserted = old.run_tx("old", |tx| async move {
        let made = "INSERT INTO programmes VALUES ($1, 'basic', 'UNM', 2, 'fixed', 1000, to_timestamp(1700000000), \
                    3600, 2, now())";
        tx.execute(made, &[&id.0.as_slice()]).await?;
        for (period, state) in (0_i64..).zip(&PeriodState::ALL[1..]) {
            let statement = (*state == PeriodState::Sealed).then_some("{}");
            let started = "INSERT INTO periods (programme, period, state, root, set_size, people, checkpoint, \
                           snapshot_at, statement) VALUES ($1, $2, $3, $4, 3, 3, '', now(), $5)";
            let root = [0_u8; 32];
            tx.execute(started, &[&id.0.as_slice(), &period, &state.name(), &root.as_slice(), &statement]).await?;
        }
        Ok(())
    });
    inserted.await.unwrap();
    id
}

/// Runs `test` with the address of an empty database.
fn with_database<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    let cluster = Cluster::temporary(&mut UnwrapErr(getrandom::SysRng)).unwrap();
    let url = cluster.database("empty").unwrap();
    Runtime::new().unwrap().block_on(test(url));
}

#[test]
fn an_older_database_keeps_its_promises() {
    with_database(keeps_promises);
}

async fn keeps_promises(url: String) {
    let id = old_database(&url).await;
    let store = open(&url, &SCHEMA).await;
    let read = store.run_tx("read", |tx| async move {
        let mut most = Vec::new();
        for period in 0..5 {
            most.push(periods::get(&tx, id, Period(period), Lock::None).await?.unwrap().most);
        }
        // Read with the id that it had: a hash of all terms.
        Ok((programmes::get(&tx, LEDGER, id).await?, most))
    });
    let (found, most) = read.await.unwrap();
    assert_eq!(found, Some(terms()));
    let promised = Some(amount(1000));
    assert_eq!(most, [None, promised, promised, promised, promised], "snapshot, then funded and later");
    store
        .run_tx("fund", |tx| async move { periods::fund(&tx, id, Period(0), amount(7), UnixTime(0)).await })
        .await
        .unwrap();
}

#[test]
fn terms_are_read_as_they_were_written() {
    with_database(terms_stay);
}

async fn terms_stay(url: String) {
    let store = open(&url, &SCHEMA).await;
    let policies = [
        Policy::Fixed { amount: Amount::MAX },
        Policy::PoolShare { rate_ppm: 1_000_000, floor: amount(1), cap: Amount::MAX },
        Policy::Accrual { per_hour: amount(5), cap_days: u32::MAX },
    ];
    for (number, policy) in policies.into_iter().enumerate() {
        for length in [Length::Seconds { seconds: 1 }, Length::CalendarMonth {}] {
            let terms = &ProgrammeTerms {
                name: format!("{number} {length:?}"),
                policy: policy.clone(),
                length,
                ..terms()
            };
            let read = store.run_tx("terms", |tx| async move {
                programmes::insert(&tx, terms.id(&LEDGER), terms, UnixTime(0)).await?;
                programmes::get(&tx, LEDGER, terms.id(&LEDGER)).await
            });
            assert_eq!(read.await.unwrap().as_ref(), Some(terms));
        }
    }
}
