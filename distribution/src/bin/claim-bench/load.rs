//! What is measured: claims that come in all the ways of the bench.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bench_kit::http::{Connection, Request};
use bench_kit::load::{self, Latency};
use circuits::{Public, Verifier};
use distribution::claim::{Checked, Claims, Verified};
use rand_core::{Rng as _, UnwrapErr};
use tokio::task::JoinSet;
use tokio::time::Instant;
use unum_identity::action::Period;
use unum_identity::claim::Claim;
use unum_identity::field::ExternalNullifier;
use unum_identity::proof::ProofBytes;

use crate::town::{Till, Town};

/// Claims under way at once in the server, where no HTTP is in front: four full batches.
pub(crate) const IN_FLIGHT: usize = 1024;
/// No machine that this was tried on takes more of them a second with proofs, halved.
pub(crate) const MOST_PER_SECOND: u32 = 6000;
/// Proofs in a batch, where nothing but proofs is checked: as many as the server checks together.
const TOGETHER: usize = 128;

/// How many were paid, how fast.
pub(crate) struct Paid {
    pub(crate) count: usize,
    pub(crate) per_second: f64,
}

/// Claims whose proofs were checked before.
pub(crate) async fn verified(town: &Town, till: &Till, count: usize) -> anyhow::Result<Paid> {
    let claims = town.claims(till, count);
    let check = |server: Claims, claim| async move {
        match server.check(claim).await? {
            Checked::Due(verified) => Ok(verified),
            Checked::Paid(_) => anyhow::bail!("paid before it was claimed"),
        }
    };
    let (verified, _) = all_at(till, claims, check).await?;
    let pay = |server: Claims, verified: Verified| async move {
        anyhow::ensure!(server.pay(verified).await?.is_new, "paid before it was claimed");
        Ok(())
    };
    let (paid, took) = all_at(till, verified, pay).await?;
    Ok(Paid { count: paid.len(), per_second: count as f64 / took.as_secs_f64() })
}

/// Does `work` with every item at the servers in turn, [`IN_FLIGHT`] at once; the results in no order, and how long it took.
async fn all_at<T, R, F>(
    till: &Till,
    items: Vec<T>,
    work: impl Fn(Claims, T) -> F + Clone + Send + 'static,
) -> anyhow::Result<(Vec<R>, Duration)>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Future<Output = anyhow::Result<R>> + Send,
{
    let count = items.len();
    let items = Arc::new(Mutex::new(items));
    let next = |items: &Mutex<Vec<T>>| items.lock().expect("nobody panics with it").pop();
    let mut working = JoinSet::new();
    let started = Instant::now();
    for number in 0..IN_FLIGHT.min(count) {
        let server = till.servers[number % till.servers.len()].claims().clone();
        let (items, work) = (Arc::clone(&items), work.clone());
        working.spawn(async move {
            let mut results = Vec::new();
            while let Some(item) = next(&items) {
                results.push(work(server.clone(), item).await?);
            }
            anyhow::Ok(results)
        });
    }
    let mut results = Vec::with_capacity(count);
    while let Some(done) = working.join_next().await {
        results.extend(done??);
    }
    Ok((results, started.elapsed()))
}

/// Claims from proof to receipt.
pub(crate) struct Proven {
    pub(crate) count: usize,
    pub(crate) per_second: f64,
    /// Proofs alone, in batches, on all cores.
    pub(crate) proofs_per_second: f64,
    pub(crate) one_by_one_per_second: f64,
    /// Of claims to proofs alone, in the same round.
    pub(crate) share: f64,
}

/// Each round checks proofs alone, pays as many claims, and checks proofs alone again. Medians of the rounds.
pub(crate) async fn with_proofs(
    town: &Town,
    till: &Till,
    count: usize,
    rounds: usize,
) -> anyhow::Result<Proven> {
    let verifier = Verifier::new(&town.verifying_key());
    let mut all = Vec::new();
    for _ in 0..rounds {
        let claims = town.claims(till, count);
        let proofs: Vec<_> = claims.iter().map(|claim| statement(town, claim)).collect();
        let alone = |together| tokio::task::block_in_place(|| proofs_alone(&verifier, &proofs, together));
        let before = alone(TOGETHER)?;
        let claim = |server: Claims, claim| async move {
            anyhow::ensure!(server.claim(claim).await?.is_new, "paid before it was claimed");
            Ok(())
        };
        let (paid, took) = all_at(till, claims, claim).await?;
        let per_second = paid.len() as f64 / took.as_secs_f64();
        let after = alone(TOGETHER)?;
        all.push((per_second, f64::midpoint(before, after), alone(1)?));
    }
    Ok(Proven {
        count: rounds * count,
        per_second: median(all.iter().map(|round| round.0)),
        proofs_per_second: median(all.iter().map(|round| round.1)),
        one_by_one_per_second: median(all.iter().map(|round| round.2)),
        share: median(all.iter().map(|round| round.0 / round.1)),
    })
}

fn statement(town: &Town, claim: &Claim) -> (Public, ProofBytes) {
    let public = Public {
        root: town.root(),
        nullifier: claim.nullifier,
        signal_hash: claim.terms.signal_hash(),
        external_nullifier: ExternalNullifier::of_claim(&claim.programme, Period(claim.period.0)),
    };
    (public, claim.proof)
}

/// Proofs in a second, on all cores.
fn proofs_alone(
    verifier: &Verifier,
    proofs: &[(Public, ProofBytes)],
    together: usize,
) -> anyhow::Result<f64> {
    let next = AtomicUsize::new(0);
    let batches: Vec<_> = proofs.chunks(together).collect();
    let check = || {
        let rng = &mut UnwrapErr(getrandom::SysRng);
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            verifier.verify_batch(batch, rng)?;
        }
        anyhow::Ok(())
    };
    let started = Instant::now();
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism()?.get();
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(check)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("checking does not panic"))
    })?;
    Ok(proofs.len() as f64 / started.elapsed().as_secs_f64())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// `rate` claims a second over HTTP: see [`load::at_rate`].
pub(crate) async fn at_rate(
    town: &Town,
    till: &Till,
    rate: f64,
    count: usize,
    connections: usize,
) -> anyhow::Result<Latency> {
    let requests = requests(&town.claims(till, count))?;
    load::at_rate(till.servers[0].addr(), requests, rate, connections, 201).await
}

fn requests(claims: &[Claim]) -> anyhow::Result<Vec<Request>> {
    claims.iter().map(|claim| Ok(Request::post("/v1/claims", &serde_json::to_string(claim)?))).collect()
}

/// What a storm left.
pub(crate) struct Storm {
    /// Claims that were answered as new.
    pub(crate) paid: usize,
    pub(crate) per_second: f64,
}

/// `claims` claims of `people` people in random order, each connection one after the other. Everybody gets the same receipt
/// every time.
pub(crate) async fn storm(
    town: &Town,
    till: &Till,
    people: usize,
    claims: usize,
    connections: usize,
) -> anyhow::Result<Storm> {
    let requests = Arc::new(requests(&town.claims(till, people))?);
    let mut order: Vec<usize> = (0..claims).map(|number| number % people).collect();
    shuffle(&mut order);
    let (order, next) = (Arc::new(order), Arc::new(AtomicUsize::new(0)));
    let mut working = JoinSet::new();
    let started = Instant::now();
    for _ in 0..connections {
        let mut connection = Connection::to(till.servers[0].addr()).await?;
        let (requests, order, next) = (Arc::clone(&requests), Arc::clone(&order), Arc::clone(&next));
        working.spawn(async move {
            let (mut paid, mut receipts) = (0, HashMap::new());
            while let Some(&person) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (status, receipt) = connection.send(&requests[person]).await?;
                anyhow::ensure!(matches!(status, 200 | 201), "answered {status}");
                paid += usize::from(status == 201);
                anyhow::ensure!(*receipts.entry(person).or_insert_with(|| receipt.clone()) == receipt);
            }
            anyhow::Ok((paid, receipts))
        });
    }
    let (mut paid, mut receipts) = (0, HashMap::new());
    while let Some(done) = working.join_next().await {
        let (more, seen) = done??;
        paid += more;
        for (person, receipt) in seen {
            anyhow::ensure!(*receipts.entry(person).or_insert_with(|| receipt.clone()) == receipt);
        }
    }
    anyhow::ensure!(receipts.len() == people, "{} of {people} people were answered", receipts.len());
    Ok(Storm { paid, per_second: claims as f64 / started.elapsed().as_secs_f64() })
}

/// Fisher and Yates 1938, as Knuth has it.
fn shuffle(order: &mut [usize]) {
    let rng = &mut UnwrapErr(getrandom::SysRng);
    for last in (1..order.len()).rev() {
        order.swap(last, (rng.next_u64() % (last as u64 + 1)) as usize);
    }
}
