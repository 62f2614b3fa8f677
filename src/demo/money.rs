//! The money of a demo: one programme, one period, everyone's share, and the books.

use std::time::{Duration, Instant};

use distribution::Transition;
use distribution::client::Operator;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use unum_identity::action::Period;
use unum_identity::bytes::AccountId;
use unum_identity::claim::{Amount, Claim, ClaimTerms};
use unum_identity::programme::{DepositRequest, Length, PeriodView, Policy, ProgrammeTerms};
use wallet_sdk::client::{ClientError, Distribution, EnrollServer};
use wallet_sdk::{Wallet, prove_claim};

use super::facts::median;
use super::stage::Stage;
use super::{DemoError, World};

/// What each person gets: 10.00, in hundredths.
const SHARE: u128 = 1_000;
/// The period of the demo.
const PERIOD: Period = Period(0);
/// How many wallets claim a second time, each way.
const CLAIM_AGAIN: usize = 5;

/// Opens a period and lets every wallet claim; some claim twice.
pub(super) fn pay_everyone(world: &mut World) -> Result<(), DemoError> {
    let stage = Stage::new("opening a period");
    let view = open_period(world)?;
    stage.done(&format!(
        "a period is open: {} people, {} each, reserved in full",
        people(&view),
        decimal(view.amount)
    ));

    let stage = Stage::of(world.enrolled().count(), "proving and claiming");
    let mut proofs = Vec::new();
    let mut paid = Vec::new();
    for person in world.enrolled() {
        let (claim, took) = prove(world, &person.wallet, &view, person.wallet.account())?;
        let claimed = wallets(world).claim(&claim, &world.system.ledger_key())?;
        let balance = wallets(world).account(person.wallet.account())?.balance;
        proofs.push(took);
        paid.push((claim, claimed, balance));
        stage.step();
    }
    world.facts.proof_ms_median = median(&mut proofs);
    world.facts.claims_paid = paid.iter().filter(|(_, claimed, _)| claimed.now).count();
    let full = paid.iter().all(|(_, claimed, balance)| {
        claimed.receipt.statement.amount == view.amount && *balance == view.amount
    });
    world.check(full, || "a wallet's balance is not its share".into());
    let (enrolled, claims_paid) = (world.enrolled().count(), world.facts.claims_paid);
    world.check(claims_paid == enrolled, || format!("{claims_paid} of {enrolled} claims were paid"));
    stage.done(&format!("{claims_paid} wallets claimed their share"));

    let first: Vec<_> = paid.into_iter().map(|(claim, claimed, _)| (claim, claimed.receipt)).collect();
    let stage = Stage::new("claiming twice");
    for (claim, receipt) in first.iter().take(CLAIM_AGAIN) {
        let again = wallets(world).claim(claim, &world.system.ledger_key())?;
        let refused = !again.now && again.receipt == *receipt;
        world.facts.double_claims_refused += usize::from(refused);
        world.check(refused, || "a second claim did not get the first receipt".into());
    }
    let greedy = world.enrolled().take(CLAIM_AGAIN).map(|person| &person.wallet);
    let mut claims = Vec::new();
    for wallet in greedy {
        claims.push(prove(world, wallet, &view, Wallet::generate(&mut UnwrapErr(SysRng)).account())?.0);
    }
    for claim in claims {
        let answer = wallets(world).claim(&claim, &world.system.ledger_key());
        let refused = matches!(&answer, Err(ClientError::Refused(problem)) if problem.code == "claimed_for_another_recipient");
        world.facts.double_claims_refused += usize::from(refused);
        world.check(refused, || "a claim for a second recipient was not refused".into());
    }
    stage.done(&format!("{} claimed twice, all refused", world.facts.double_claims_refused));
    Ok(())
}

/// Closes and seals the period, and has the ledger recomputed.
pub(super) fn close_the_books(world: &mut World) -> Result<(), DemoError> {
    let stage = Stage::new("closing the books");
    let operator = operator(world);
    let programme = programme(&operator, world)?;
    // Nobody waits two hours for a demo; the rule that a period stays open so long stands.
    world.system.forward_to(operator.period(programme, PERIOD)?.closes_at);
    operator.advance(programme, PERIOD, Transition::Close)?;
    operator.advance(programme, PERIOD, Transition::Seal)?;
    let statement = operator.statement(programme, PERIOD)?;
    let signed = statement.verify(&world.system.ledger_key()).is_ok();
    world.check(signed, || "the period's statement is not signed by the ledger's key".into());
    let claims_paid = world.facts.claims_paid as u64;
    world.check(statement.statement.claims == claims_paid, || "the statement counts other claims".into());

    let report = operator.check_ledger()?;
    world.facts.ledger_difference = report.difference.to_string();
    world.facts.ledger = report.accounts.iter().map(|a| (a.name.clone(), a.balance.to_string())).collect();
    let balanced = report.problems.is_empty() && world.facts.ledger_difference == "0";
    world.check(balanced, || format!("the ledger does not hold: {:?}", report.problems));
    stage.done(&format!("the period is sealed, {} ledger entries balance", report.transfers));
    super::audit::recompute(world, programme, PERIOD)
}

fn open_period(world: &World) -> Result<PeriodView, DemoError> {
    let operator = operator(world);
    let programme = programme(&operator, world)?;
    // For every leaf, also of people who wrongly got two; and one share that stays in the pool.
    let leaves = world.enrolled().count() + world.facts.enrolled_again;
    let share = Amount::new(SHARE).expect("a small amount");
    let amount = share.checked_mul(leaves as u64 + 1).expect("a demo's money fits");
    let deposit = DepositRequest { idempotency_key: "demo".into(), source: "demo-donor".into(), amount };
    operator.deposit(programme, &deposit)?;
    for step in [Transition::Snapshot, Transition::Fund, Transition::Open] {
        operator.advance(programme, PERIOD, step)?;
    }
    Ok(wallets(world).period(programme, PERIOD)?)
}

/// The demo's programme, made if it is missing.
fn programme(operator: &Operator, world: &World) -> Result<unum_identity::bytes::ProgrammeId, DemoError> {
    let terms = ProgrammeTerms {
        name: "demo".into(),
        unit: "UNM".into(),
        minor_digits: 2,
        policy: Policy::Fixed { amount: Amount::new(SHARE).expect("a small amount") },
        starts_at: world.started_at,
        length: Length::Seconds { seconds: 3600 },
        claim_window: 2,
    };
    Ok(operator.create_programme(&terms)?.id)
}

/// Proves a claim of `wallet`'s share, to be paid to `recipient`; how long the proof took.
fn prove(
    world: &World,
    wallet: &Wallet,
    view: &PeriodView,
    recipient: AccountId,
) -> Result<(Claim, Duration), DemoError> {
    let size = view.set.map(|set| set.size);
    let inclusion =
        EnrollServer::at(&world.system.addresses().enroll).inclusion(wallet.commitment(), size)?;
    let terms = ClaimTerms { ledger: view.ledger, recipient, fee: Amount::ZERO, deadline: view.closes_at };
    let (identity, start) = (wallet.identity(), Instant::now());
    let rng = &mut UnwrapErr(SysRng);
    let claim = prove_claim(&world.prover, &identity, &inclusion, view.programme, view.period, terms, rng)?;
    Ok((claim, start.elapsed()))
}

fn operator(world: &World) -> Operator {
    Operator::new(&world.system.addresses().distribution, world.system.operator_token().to_owned())
}

fn wallets(world: &World) -> Distribution {
    Distribution::at(&world.system.addresses().distribution)
}

fn people(view: &PeriodView) -> u64 {
    view.set.map_or(0, |set| set.people)
}

/// Hundredths, for people.
fn decimal(amount: Amount) -> String {
    format!("{}.{:02}", amount.minor() / 100, amount.minor() % 100)
}
