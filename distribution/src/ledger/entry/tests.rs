use proptest::prelude::*;

use super::*;

const LEDGER: LedgerId = LedgerId([1; 16]);
const PROGRAMME: ProgrammeId = ProgrammeId([2; 16]);

fn amount(minor: u128) -> Amount {
    Amount::new(minor).unwrap()
}

fn claim(share: u128, fee: u128) -> Option<Draft> {
    let recipient = AccountId([3; 32]);
    Draft::claim((PROGRAMME, Period(7)), Nullifier(5.into()), recipient, amount(share), amount(fee), None)
}

#[test]
fn a_claim_with_a_fee_hashes_to() {
    // Computed from the table above with Python's hashlib.
    let entry = claim(1000, 30).unwrap().place(
        LEDGER,
        Head { sequence: 41, hash: EntryHash([9; 32]) },
        UnixTime(1_700_000_000),
    );
    assert_eq!(entry.hash().to_string(), "3f5584644fead4c73bb4e13a1983d363d1707b2953428420442530ef28d45f8e");
}

#[test]
fn a_payment_and_a_reversal_hash_to() {
    // Computed from the table above with Python's hashlib.
    let head = Head { sequence: 41, hash: EntryHash([9; 32]) };
    let place = |draft: Draft| draft.place(LEDGER, head, UnixTime(1_700_000_000));
    let (from, to) = (AccountId([3; 32]), AccountId([4; 32]));
    let payment = place(Draft::payment(from, to, PaymentKey([5; 16]), amount(250)).unwrap());
    assert_eq!(
        payment.hash().to_string(),
        "ece3e771c481e771e847faffca055dd50fd15ee8adef54d07369821a1843fa3b"
    );
    let label = |text: &str| text.parse::<Label>().unwrap();
    let deposit = Draft::deposit(PROGRAMME, label("city"), label("2026-01"), amount(5000));
    let deposit = Entry { sequence: 12, ..place(deposit) };
    let reversal = place(Draft::reversal(&deposit, label("typing-error")).unwrap());
    assert_eq!(
        reversal.hash().to_string(),
        "ff0a18b855a08c758cc17b29972c9853537bf964ec56be34bdf87293a1342bbb"
    );
}

#[test]
fn only_deposits_are_taken_back() {
    let reason: Label = "mistake".parse().unwrap();
    let place = |draft: Draft| draft.place(LEDGER, Head::GENESIS, UnixTime(0));
    for draft in [
        claim(1000, 30).unwrap(),
        Draft::reserve(PROGRAMME, Period(1), amount(5)),
        Draft::return_rest(PROGRAMME, Period(1), amount(5)).unwrap(),
        Draft::payment(AccountId([1; 32]), AccountId([2; 32]), PaymentKey([0; 16]), amount(5)).unwrap(),
    ] {
        assert_eq!(Draft::reversal(&place(draft), reason.clone()), None);
    }
    let deposit = place(Draft::deposit(PROGRAMME, reason.clone(), reason.clone(), amount(5)));
    let reversal = place(Draft::reversal(&deposit, reason.clone()).unwrap());
    assert_eq!(Draft::reversal(&reversal, reason), None);
    for line in &deposit.postings {
        assert_eq!(deposit.moves(&line.account) + reversal.moves(&line.account), 0);
    }
}

#[test]
fn a_payment_moves_something_to_somebody_else() {
    let pay = |to, minor| {
        Draft::payment(AccountId([1; 32]), AccountId([to; 32]), PaymentKey([0; 16]), amount(minor))
    };
    assert_eq!((pay(1, 5), pay(2, 0)), (None, None));
    assert!(pay(2, 1).is_some());
}

#[test]
fn the_fee_goes_to_whoever_is_named() {
    let (recipient, relayer) = (AccountId([3; 32]), AccountId([4; 32]));
    let fee_of = |relayer, account| {
        let place = (PROGRAMME, Period(7));
        let draft =
            Draft::claim(place, Nullifier(5.into()), recipient, amount(1000), amount(30), relayer).unwrap();
        draft.place(LEDGER, Head::GENESIS, UnixTime(0)).moves(&account)
    };
    assert_eq!(fee_of(None, Account::Fees), 30);
    assert_eq!(fee_of(Some(relayer), Account::Wallet(relayer)), 30);
    assert_eq!(fee_of(Some(relayer), Account::Fees), 0);
    assert_eq!(fee_of(Some(relayer), Account::Wallet(recipient)), 970);
    assert_eq!(fee_of(Some(recipient), Account::Wallet(recipient)), 1000, "whoever relays for oneself");
}

#[test]
fn a_fee_above_the_share_is_no_claim() {
    assert_eq!(claim(1000, 1001), None);
    assert_eq!(claim(1000, 1000).unwrap().postings.len(), 2, "the recipient's line of nothing is left out");
}

#[test]
fn nothing_left_is_nothing_to_return() {
    assert_eq!(Draft::return_rest(PROGRAMME, Period(0), Amount::ZERO), None);
}

#[test]
fn parts_of_no_cause() {
    let (programme, period) = (Some(PROGRAMME), Some(Period(1)));
    for (kind, programme, period, reference) in [
        ("refund", programme, period, &b""[..]),
        ("deposit", programme, period, b"key"),
        ("deposit", programme, None, b"Not A Label"),
        ("deposit", None, None, b"key"),
        ("reserve", programme, None, b""),
        ("reserve", programme, period, b"x"),
        ("claim", programme, period, &[0xff; 32]),
        ("claim", programme, period, &[0; 31]),
        ("claim", None, period, &[0; 32]),
        ("payment", programme, None, &[0; 48]),
        ("payment", None, period, &[0; 48]),
        ("payment", None, None, &[0; 47]),
        ("payment", None, None, &[0; 49]),
        ("reversal", programme, None, &[0; 8]),
        ("reversal", programme, None, b"\0\0\0\0\0\0\0\x01Why"),
        ("reversal", programme, None, b"why"),
        ("reversal", None, None, b"\0\0\0\0\0\0\0\x01why"),
        ("reversal", programme, period, b"\0\0\0\0\0\0\0\x01why"),
    ] {
        assert_eq!(Cause::from_parts(kind, programme, period, reference), None, "{kind} {reference:?}");
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    let label = "[a-z0-9._-]{1,64}".prop_map(|text| text.parse::<Label>().unwrap());
    let minor = 1..=Amount::MAX.minor();
    (0..6_u8, label.clone(), label, minor, any::<u64>(), any::<u64>(), any::<[u8; 32]>()).prop_map(
        |(kind, source, key, minor, period, nullifier, to)| {
            let period = Period(period);
            match kind {
                0 => Draft::deposit(PROGRAMME, source, key, amount(minor)),
                1 => Draft::reserve(PROGRAMME, period, amount(minor)),
                2 => Draft::claim(
                    (PROGRAMME, period),
                    Nullifier(nullifier.into()),
                    AccountId(to),
                    amount(minor),
                    amount(minor / 3),
                    (minor % 2 == 0).then_some(AccountId([1; 32])),
                )
                .unwrap(),
                3 => Draft::return_rest(PROGRAMME, period, amount(minor)).unwrap(),
                4 => {
                    let key = PaymentKey(to[16..].try_into().unwrap());
                    Draft::payment(AccountId([1; 32]), AccountId(to), key, amount(minor)).unwrap()
                }
                _ => {
                    let head = Head { sequence: nullifier / 2, hash: GENESIS };
                    let deposit = Draft::deposit(PROGRAMME, source, key.clone(), amount(minor));
                    Draft::reversal(&deposit.place(LEDGER, head, UnixTime(0)), key).unwrap()
                }
            }
        },
    )
}

proptest! {
    #[test]
    fn every_draft_balances_and_has_no_empty_line(draft in draft()) {
        prop_assert_eq!(draft.postings.iter().map(|line| line.amount.minor()).sum::<i128>(), 0);
        prop_assert!(draft.postings.len() >= 2);
        prop_assert!(draft.postings.iter().all(|line| line.amount != Balance::ZERO));
    }

    #[test]
    fn a_cause_is_its_four_parts(draft in draft()) {
        let cause = draft.cause;
        let parts = Cause::from_parts(cause.kind(), cause.programme(), cause.period(), &cause.reference());
        prop_assert_eq!(parts, Some(cause));
    }

    #[test]
    fn different_entries_have_different_bytes(a in draft(), b in draft(), at in 0..2_u64) {
        let same = a == b && at == 0;
        let (a, b) = (a.place(LEDGER, Head::GENESIS, UnixTime(0)), b.place(LEDGER, Head::GENESIS, UnixTime(at)));
        prop_assert_eq!(a.to_bytes() == b.to_bytes(), same);
    }
}
