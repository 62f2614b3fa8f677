mod told;

use proptest::prelude::*;
use unum_identity::bytes::{AccountId, EntryHash, NullifierSetHash};
use unum_identity::claim::Amount;
use unum_identity::field::{Commitment, Nullifier, Root};
use unum_identity::ledger::{Balance, LedgerProblem};
use unum_identity::signed::service_key;
use unum_identity::time::UnixTime;

use super::*;
use crate::ledger::account::Account;
use told::{PEOPLE, SHARE, Service, Told, amount, claims, minor, set_key, signing_key, stranger};

fn holds(told: Told) -> AuditReport {
    let report = told.audit();
    assert_eq!(report.problems, [], "{report}");
    report
}

/// Alters what everybody was told, and expects these problems among those that are found.
#[track_caller]
fn finds(change: impl FnOnce(&mut Told), expected: &[AuditProblem]) {
    let mut told = Told::honest();
    change(&mut told);
    told.expect(expected);
}

impl Told {
    #[track_caller]
    fn expect(self, expected: &[AuditProblem]) {
        let report = self.audit();
        for problem in expected {
            assert!(report.problems.contains(problem), "{problem:?} not found:\n{report}");
            assert!(
                report.checked.contains(&problem.check())
                    || report.not_checked.iter().any(|skipped| skipped.check == problem.check()),
                "{problem:?} was found by a check that the report does not name"
            );
        }
        let text = report.to_string();
        assert!(text.ends_with("problem") || text.ends_with("problems"), "{text}");
    }
}

#[test]
fn an_honest_period_holds_in_every_way() {
    let report = holds(Told::honest());
    let all = [
        Check::Terms,
        Check::Statement,
        Check::Checkpoint,
        Check::People,
        Check::VerifyingKey,
        Check::Chain,
        Check::Balances,
        Check::Claims,
        Check::Amounts,
        Check::Proofs,
        Check::Nullifiers,
        Check::Sums,
    ];
    assert_eq!((report.checked.as_slice(), report.not_checked.as_slice()), (&all[..], &[][..]));
    assert_eq!((report.entries, report.claims), (8, 3));
    assert!(report.to_string().ends_with("everything holds"), "{report}");
}

#[test]
fn what_came_after_the_statement_is_not_its_matter() {
    let mut service = Service::with(&claims()[..3]);
    let told = service.seal();
    service.deposit("later");
    let mut later = told;
    later.entries = service.entries;
    later.entries.last_mut().unwrap().hash = EntryHash([0; 32]);
    assert_eq!(holds(later).entries, 8);
}

#[test]
fn nobody_claimed() {
    let mut service = Service::open();
    service.close();
    let report = holds(service.seal());
    assert_eq!((report.claims, report.statement.expired), (0, amount(PEOPLE as u128 * SHARE)));
}

#[test]
fn everybody_claimed() {
    let mut service = Service::open();
    for claim in claims() {
        service.pay(claim, SHARE);
    }
    service.close();
    let report = holds(service.seal());
    assert_eq!((report.claims, report.statement.expired), (PEOPLE as u64, Amount::ZERO));
}

#[test]
fn what_is_not_given_is_not_checked_and_never_good() {
    let skips = |change: fn(&mut Told), expected: &[Check]| {
        let mut told = Told::honest();
        change(&mut told);
        let report = told.audit();
        let skipped: Vec<Check> = report.not_checked.iter().map(|skipped| skipped.check).collect();
        assert_eq!((report.problems.as_slice(), skipped.as_slice()), (&[][..], expected));
        assert!(expected.iter().all(|check| !report.checked.contains(check)));
        assert!(report.to_string().ends_with("not checked"), "{report}");
    };
    skips(|told| told.trust.keys.clear(), &[Check::Statement]);
    skips(|told| told.trust.set = None, &[Check::Checkpoint]);
    skips(|told| told.published.set = None, &[Check::People]);
    skips(|told| told.trust.verifying_key = None, &[Check::VerifyingKey]);
    let no_key = |told: &mut Told| (told.trust.verifying_key, told.published.verifying_key) = (None, None);
    skips(no_key, &[Check::VerifyingKey, Check::Proofs]);
    // Somebody who left since then: the leaves that are published now lead nowhere.
    skips(|told| told.leaf(0, 0), &[Check::People]);
}

#[test]
fn altered_promises() {
    let give = |told: &Told| told.published.terms.id(&told.published.statement.statement.ledger);
    let mut told = Told::honest();
    told.published.terms.claim_window += 1;
    let expected = AuditProblem::TermsAltered { give: give(&told) };
    told.expect(&[expected]);
    let (stated, promised) = (amount(SHARE + 1), amount(SHARE));
    finds(|told| told.restate(|s| s.amount = stated), &[AuditProblem::ShareWrong { stated, promised }]);
}

#[test]
fn altered_statement() {
    finds(|told| told.published.statement.statement.claims += 1, &[AuditProblem::StatementUnsigned]);
    finds(|told| told.published.statement.key = service_key(&stranger()), &[AuditProblem::StatementUnsigned]);
    let forged = |told: &mut Told| {
        let statement = told.published.statement.statement.clone();
        told.published.statement = Signed::new(statement, &stranger());
    };
    finds(forged, &[AuditProblem::StatementUnsigned]);
    let own = |told: &mut Told| {
        forged(told);
        told.trust.keys.clear();
        told.published.statement.statement.sealed_at.0 += 1;
    };
    finds(own, &[AuditProblem::StatementUnsigned]);
    let (programme, period) = (told::programme(), Period(5));
    finds(
        |told| told.restate(|s| s.period = period),
        &[AuditProblem::StatementOfAnother { programme, period }],
    );
}

#[test]
fn a_statement_that_lies_about_the_ledger() {
    let three = minor(3 * SHARE as i128);
    let less = minor(2 * SHARE as i128);
    finds(|told| told.restate(|s| s.claims = 2), &[AuditProblem::CountWrong { stated: 2, found: 3 }]);
    let paid = AuditProblem::SumWrong { sum: Sum::Paid, stated: less, found: three };
    finds(|told| told.restate(|s| s.paid = amount(2 * SHARE)), &[paid]);
    let expired = AuditProblem::SumWrong { sum: Sum::Expired, stated: three, found: minor(SHARE as i128) };
    finds(|told| told.restate(|s| s.expired = amount(3 * SHARE)), &[expired]);
    let reserved =
        AuditProblem::SumWrong { sum: Sum::Reserved, stated: three, found: minor(4 * SHARE as i128) };
    finds(
        |told| told.restate(|s| s.set.people = 3),
        &[reserved, AuditProblem::PeopleWrong { stated: 3, found: 4 }],
    );
    let told = Told::honest();
    let found = told.published.statement.statement.nullifiers;
    let stated = NullifierSetHash([9; 32]);
    finds(|told| told.restate(|s| s.nullifiers = stated), &[AuditProblem::NullifiersWrong { stated, found }]);
    let (sequence, found) = (8, told.published.statement.statement.chain_head);
    let stated = EntryHash([9; 32]);
    let wrong = AuditProblem::HeadWrong { sequence, stated, found };
    finds(|told| told.restate(|s| s.chain_head = stated), &[wrong]);
    let missing = AuditProblem::Ledger(LedgerProblem::EntryMissing { sequence: 9 });
    finds(|told| told.restate(|s| s.ledger_sequence = 9), &[missing]);
}

#[test]
fn another_set() {
    let unsigned = [AuditProblem::CheckpointUnsigned];
    finds(
        |told| told.published.checkpoint.0 = told.published.checkpoint.0.replacen("\n4\n", "\n5\n", 1),
        &unsigned,
    );
    finds(|told| told.published.checkpoint = told::checkpoint(4, &stranger()), &unsigned);
    finds(
        |told| told.published.checkpoint = told::checkpoint(3, &set_key()),
        &[AuditProblem::CheckpointOfAnother],
    );
    let other_root = [AuditProblem::CheckpointOfAnother];
    finds(|told| told.restate(|s| s.set.root = Root(9.into())), &other_root);
    // All proofs are for the root that is signed.
    let proofs = claims()[..3].iter().map(|claim| AuditProblem::ProofInvalid { nullifier: claim.nullifier });
    finds(|told| told.restate(|s| s.set.root = Root(9.into())), &proofs.collect::<Vec<_>>());
    let forked = |told: &mut Told| {
        told.leaf(0, 77);
        told.published.set.as_mut().unwrap().checkpoint =
            told::checkpoint_of([77, 2, 3, 4].map(|n: u64| Commitment(n.into())));
    };
    finds(forked, &[AuditProblem::SetForked { size: 4 }]);
}

#[test]
fn another_verifying_key() {
    let other = told::other_verifying_key();
    let stated = Told::honest().published.statement.statement.verifying_key;
    let trusted = other.hash();
    finds(
        |told| told.trust.verifying_key = Some(other.clone()),
        &[AuditProblem::VerifyingKeyOther { stated, trusted }],
    );
    // The service states another key, and has it: the auditor's own says so, and no proof holds under it.
    let mut told = Told::honest();
    told.restate(|s| s.verifying_key = trusted);
    told.published.verifying_key = Some(other);
    let nullifier = claims()[0].nullifier;
    let ours = told.trust.verifying_key.as_ref().unwrap().hash();
    told.expect(&[
        AuditProblem::VerifyingKeyOther { stated: trusted, trusted: ours },
        AuditProblem::ProofInvalid { nullifier },
    ]);
}

#[test]
fn altered_entries() {
    let altered = |sequence| AuditProblem::Ledger(LedgerProblem::EntryAltered { sequence });
    finds(|told| told.entries[3].lines[1].amount = minor(2000), &[altered(4)]);
    finds(|told| told.entries[0].at.0 += 1, &[altered(1)]);
    finds(|told| told.entries[2].kind = "gift".into(), &[altered(3)]);
    let thief = Account::Wallet(AccountId([66; 32])).to_string();
    finds(|told| told.entries[3].lines[1].account = thief, &[altered(4)]);
    let sum = minor(-30); // the fee
    let unbalanced = AuditProblem::Ledger(LedgerProblem::EntryUnbalanced { sequence: 4, sum });
    finds(|told| drop(told.entries[3].lines.pop()), &[altered(4), unbalanced]);
}

#[test]
fn dropped_added_and_reordered_entries() {
    let missing = |sequence| AuditProblem::Ledger(LedgerProblem::EntryMissing { sequence });
    for place in 0..8 {
        finds(|told| drop(told.entries.remove(place)), &[missing(place as u64 + 1)]);
    }
    for place in 0..7 {
        let expected =
            [missing(place as u64 + 1), AuditProblem::EntryOutOfOrder { sequence: place as u64 + 1 }];
        finds(|told| told.entries.swap(place, place + 1), &expected);
    }
    let again = |told: &mut Told| told.entries.insert(4, told.entries[2].clone());
    finds(again, &[AuditProblem::EntryOutOfOrder { sequence: 3 }]);
    // Exchanged with their places: then neither is what was hashed.
    let exchanged = |told: &mut Told| {
        (told.entries[3].sequence, told.entries[4].sequence) = (5, 4);
        told.entries.swap(3, 4);
    };
    let altered = |sequence| AuditProblem::Ledger(LedgerProblem::EntryAltered { sequence });
    finds(exchanged, &[altered(4), altered(5)]);
}

#[test]
fn a_chain_written_anew_does_not_lead_to_the_stated_head() {
    let honest = Told::honest().published.statement.statement;
    let mut service = Service::with(claims()[..3].iter().rev());
    let mut told = service.seal();
    let found = told.published.statement.statement.chain_head;
    told.restate(|s| *s = honest.clone());
    told.expect(&[AuditProblem::HeadWrong { sequence: 8, stated: honest.chain_head, found }]);
}

#[test]
fn dropped_and_repeated_claims() {
    for place in 0..3 {
        let sequence = Told::honest().claims[place].receipt.statement.ledger_sequence;
        let nullifier = Told::honest().claims[place].claim.nullifier;
        finds(
            |told| {
                told.claims.remove(place);
            },
            &[AuditProblem::ClaimMissing { sequence, nullifier }],
        );
        let again = |told: &mut Told| told.claims.push(told.claims[place].clone());
        finds(again, &[AuditProblem::ClaimRepeated { nullifier }]);
    }
}

#[test]
fn an_added_claim() {
    let mut extra = Told::honest().claims[0].clone();
    extra.claim = claims()[3].clone();
    extra.receipt.statement.nullifier = extra.claim.nullifier;
    let nullifier = extra.claim.nullifier;
    finds(|told| told.claims.push(extra), &[AuditProblem::ClaimAdded { nullifier }]);
}

#[test]
fn redirected_claims() {
    let nullifier = claims()[0].nullifier;
    let sequence = 3;
    let mismatch = [
        AuditProblem::ClaimMismatch { sequence, nullifier },
        AuditProblem::ReceiptWrong { sequence, nullifier },
        AuditProblem::ProofInvalid { nullifier },
    ];
    let thief = AccountId([66; 32]);
    finds(|told| told.claim(0).claim.terms.recipient = thief, &mismatch);
    finds(|told| told.claim(0).claim.terms.fee = amount(1), &mismatch);
    finds(|told| told.claim(0).claim.period = Period(1), &[AuditProblem::ClaimOfAnother { nullifier }]);
    finds(|told| told.claim(0).claim.terms.ledger.0[0] ^= 1, &[AuditProblem::ClaimOfAnother { nullifier }]);
    let proof = claims()[1].proof;
    finds(|told| told.claim(0).claim.proof = proof, &[AuditProblem::ProofInvalid { nullifier }]);
}

#[test]
fn receipts_of_something_else() {
    let (sequence, nullifier) = (3, claims()[0].nullifier);
    let wrong = [AuditProblem::ReceiptWrong { sequence, nullifier }];
    finds(|told| told.claim(0).receipt.statement.amount = amount(1), &wrong);
    let resign = |change: fn(&mut unum_identity::claim::ClaimReceipt)| {
        move |told: &mut Told| {
            let receipt = &mut told.claim(0).receipt;
            let mut said = receipt.statement.clone();
            change(&mut said);
            *receipt = Signed::new(said, &signing_key());
        }
    };
    finds(resign(|said| said.amount = amount(1)), &wrong);
    finds(resign(|said| said.recipient = AccountId([66; 32])), &wrong);
    finds(resign(|said| said.ledger_sequence += 1), &wrong);
    finds(resign(|said| said.entry_hash = EntryHash([0; 32])), &wrong);
    finds(resign(|said| said.paid_at.0 += 1), &wrong);
    finds(resign(|said| said.nullifier = Nullifier(1.into())), &wrong);
    let stranger = |told: &mut Told| {
        let receipt = &mut told.claim(0).receipt;
        *receipt = Signed::new(receipt.statement.clone(), &stranger());
    };
    finds(stranger, &wrong);
    // The service's key before this one.
    let mut told = Told::honest();
    stranger(&mut told);
    told.trust.keys.push(service_key(&told::stranger()));
    holds(told);
}

#[test]
fn a_service_that_pays_other_amounts_and_signs_it() {
    let nullifier = claims()[1].nullifier;
    let due = amount(SHARE);
    for share in [SHARE - 1, SHARE + 1, 2 * SHARE] {
        let mut service = Service::open();
        service.pay(&claims()[0], SHARE);
        service.pay(&claims()[1], share);
        service.close();
        let paid = minor(share as i128);
        service.seal().expect(&[AuditProblem::AmountWrong { sequence: 4, nullifier, paid, due }]);
    }
}

#[test]
fn a_service_that_pays_whoever_proved_nothing() {
    let mut service = Service::open();
    let mut invented = claims()[0].clone();
    invented.nullifier = Nullifier(12345.into());
    service.pay(&invented, SHARE);
    service.close();
    service.seal().expect(&[AuditProblem::ProofInvalid { nullifier: invented.nullifier }]);
}

#[test]
fn a_service_that_pays_a_person_twice() {
    let mut service = Service::open();
    service.pay(&claims()[0], SHARE);
    service.pay(&claims()[0], SHARE);
    service.close();
    let nullifier = claims()[0].nullifier;
    service.seal().expect(&[
        AuditProblem::PaidTwice { sequence: 4, nullifier },
        AuditProblem::ClaimRepeated { nullifier },
    ]);
}

#[test]
fn a_service_that_pays_out_of_time() {
    let nullifier = claims()[0].nullifier;
    let late = [AuditProblem::PaidOutOfTime { sequence: 3, nullifier }];
    for at in [told::STARTS_AT - 1, told::STARTS_AT + 2 * told::PERIOD_SECONDS, told::DEADLINE + 1] {
        let mut service = Service::open();
        service.now = UnixTime(at);
        service.pay(&claims()[0], SHARE);
        service.close();
        service.seal().expect(&late);
    }
}

#[test]
fn a_service_that_pays_what_it_does_not_have() {
    let mut service = Service::new();
    service.reserve();
    service.close();
    let account = Account::Pool(told::programme()).to_string();
    service.seal().expect(&[AuditProblem::AccountNegative { sequence: 1, account }]);
}

#[test]
fn a_service_that_keeps_what_nobody_claimed() {
    let mut service = Service::open();
    service.pay(&claims()[0], SHARE);
    let left = minor(3 * SHARE as i128);
    let kept = AuditProblem::SumWrong { sum: Sum::Left, stated: Balance::ZERO, found: left };
    service.seal().expect(&[kept]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))] // each audits real proofs

    /// Alters any one value in anything that is published, by one digit.
    #[test]
    fn no_digit_can_be_altered(leaf in any::<prop::sample::Index>(), digit in any::<prop::sample::Index>()) {
        let honest = Told::honest();
        let mut data = honest.to_json();
        let name = told::alter(leaf.get_mut(&mut told::leaves(&mut data)), digit);
        // What can no longer be read is no archive any more: found before the audit.
        if let Some(altered) = honest.with_json(&data) {
            let report = altered.audit();
            prop_assert!(!report.problems.is_empty(), "{name} was not found:\n{report}");
        }
    }

    #[test]
    fn no_order_but_one(swaps in prop::collection::vec((0..8_usize, 0..8_usize), 1..4)) {
        let mut told = Told::honest();
        let before = told.entries.clone();
        for (a, b) in swaps {
            told.entries.swap(a, b);
        }
        let is_same = before == told.entries;
        prop_assert_eq!(told.audit().problems.is_empty(), is_same);
    }

    #[test]
    fn claims_in_any_order_and_all_of_them(kept in prop::collection::vec(any::<bool>(), 3), order in Just([0, 1, 2]).prop_shuffle()) {
        let mut told = Told::honest();
        let all = told.claims.clone();
        told.claims = order.into_iter().filter(|place| kept[*place]).map(|place| all[place].clone()).collect();
        let problems = told.audit().problems;
        for (claim, kept) in all.iter().zip(&kept) {
            let sequence = claim.receipt.statement.ledger_sequence;
            let missing = AuditProblem::ClaimMissing { sequence, nullifier: claim.claim.nullifier };
            prop_assert_eq!(problems.contains(&missing), !kept);
        }
        prop_assert_eq!(problems.is_empty(), kept.iter().all(|kept| *kept));
    }
}
