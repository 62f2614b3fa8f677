use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::signed::{Signed, service_key};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn account(seed: u8) -> AccountId {
    AccountId(key(seed).verifying_key().to_bytes())
}

fn payment() -> Payment {
    Payment {
        ledger: LedgerId([1; 16]),
        from: account(2),
        to: account(3),
        amount: Amount::new(1250).unwrap(),
        idempotency_key: PaymentKey([4; 16]),
        deadline: UnixTime(1_800_000_000),
    }
}

fn digest(statement: &impl Statement) -> String {
    hex::encode(Sha256::digest(signed::message(statement)))
}

#[test]
fn the_signed_bytes() {
    // The message of the table above, put together and hashed with Python's hashlib.
    let plain = Payment { from: AccountId([2; 32]), to: AccountId([3; 32]), ..payment() };
    assert_eq!(digest(&plain), "a37f45576c8c93f286e5fc6628c8c129f32c7141b883aae89a4319a8e35ab8f5");
    let receipt = plain.receipt(77, EntryHash([5; 32]), UnixTime(1_700_000_000));
    assert_eq!(digest(&receipt), "938399712633593413bbcef240c9719dc20269bbc32727dc7a6acb247d085be6");
}

#[test]
fn only_the_payer_can_sign() {
    let signed = SignedPayment::new(payment(), &key(2));
    assert_eq!(signed.verify(), Ok(()));
    assert_eq!(SignedPayment::new(payment(), &key(3)).verify(), Err(SignatureError), "the recipient");
    let text = serde_json::to_string(&signed).unwrap();
    assert_eq!(serde_json::from_str::<SignedPayment>(&text).unwrap(), signed);
}

#[test]
fn the_signature_binds_every_field() {
    let changes: [fn(&mut Payment); 6] = [
        |p| p.ledger.0[0] ^= 1,
        |p| p.from = account(9),
        |p| p.to = account(9),
        |p| p.amount = Amount::new(1251).unwrap(),
        |p| p.idempotency_key.0[15] ^= 1,
        |p| p.deadline.0 += 1,
    ];
    for change in changes {
        let mut signed = SignedPayment::new(payment(), &key(2));
        change(&mut signed.payment);
        assert_eq!(signed.verify(), Err(SignatureError), "{:?}", signed.payment);
    }
}

#[test]
fn one_signature_for_one_payment() {
    // The order of the group, little-endian: `s + order` would be the same number, were it reduced (RFC 8032, 5.1.7).
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut signed = SignedPayment::new(payment(), &key(2));
    let mut carry = 0;
    for (byte, order) in signed.signature.0[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(signed.verify(), Err(SignatureError));
    // The neutral element as key and commitment, with 0, would hold for every message where weak keys are accepted.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    let forged = Payment { from: AccountId(neutral), ..payment() };
    let forged = SignedPayment { payment: forged, signature: AccountSignature(signature) };
    assert_eq!(forged.verify(), Err(SignatureError));
}

#[test]
fn a_receipt_is_no_payment_and_no_other_receipt() {
    let receipt = payment().receipt(7, EntryHash([8; 32]), UnixTime(9));
    let signed = Signed::new(receipt.clone(), &key(5));
    assert_eq!(signed.verify(&service_key(&key(5))), Ok(&receipt));
    let changes: [fn(&mut PaymentReceipt); 7] = [
        |r| r.idempotency_key.0[0] ^= 1,
        |r| r.from = account(9),
        |r| r.to = account(9),
        |r| r.amount = Amount::ZERO,
        |r| r.ledger_sequence += 1,
        |r| r.entry_hash.0[0] ^= 1,
        |r| r.paid_at.0 += 1,
    ];
    for change in changes {
        let mut altered = signed.clone();
        change(&mut altered.statement);
        assert_eq!(altered.verify(&service_key(&key(5))), Err(SignatureError));
    }
}

#[test]
fn accounts_that_nobody_can_spend_from() {
    assert!(account(1).can_sign());
    // The points of order 1, 2 and 4; 2, which is no point; p + 1, which is 1 written otherwise.
    let point = |first: u8, rest: u8, last: u8| {
        let mut bytes = [rest; 32];
        (bytes[0], bytes[31]) = (first, last);
        AccountId(bytes)
    };
    for weak in [
        point(1, 0, 0),
        point(0xec, 0xff, 0x7f),
        point(0, 0, 0),
        point(2, 0, 0),
        point(0xee, 0xff, 0x7f),
        // p + 3 stands for 3, a strong point.
        point(0xf0, 0xff, 0x7f),
    ] {
        assert!(!weak.can_sign(), "{weak}");
    }
    assert!(point(3, 0, 0).can_sign(), "written as it should be");
}

proptest! {
    #[test]
    fn different_payments_have_different_bytes(a in any::<(u8, u8, u64, u8)>(), b in any::<(u8, u8, u64, u8)>()) {
        let of = |(from, to, minor, key): (u8, u8, u64, u8)| Payment {
            from: AccountId([from; 32]),
            to: AccountId([to; 32]),
            amount: Amount::new(minor.into()).unwrap(),
            idempotency_key: PaymentKey([key; 16]),
            ..payment()
        };
        prop_assert_eq!(of(a).to_bytes() == of(b).to_bytes(), a == b);
        prop_assert_eq!(of(a).to_bytes().len(), 120);
    }
}
