//! Somebody recovers their place in the set under a new wallet: they are paid once a period, by the one or by the other.

use super::bank::{Bank, PERIOD_SECONDS, SHARE, START, to};

#[test]
fn a_recovery_cannot_be_paid_twice() {
    let mut bank = Bank::with_people(3);
    bank.open(0);
    let lost = bank.till.set.recover(1);
    let (old_path, new_path) = (bank.set.path(1, 3), bank.set.path(1, 4));

    // The period that is open has frozen the old wallet, and nobody can prove that the new one is in it.
    let claim = bank.prove_by(&lost, old_path.clone(), 0, to(1));
    assert_eq!(bank.send(&claim).status, 201);
    let found = &bank.set.people[1];
    for path in [&old_path, &new_path] {
        let claim = bank.prove_by(found, path.clone(), 0, to(2));
        bank.send(&claim).refused(422, "proof_invalid");
    }

    // The next one has frozen the new wallet, and as many people as before.
    bank.set_time(START + PERIOD_SECONDS);
    let frozen = bank.open(1).set.unwrap();
    assert_eq!((frozen.size, frozen.people), (4, 3));
    assert_eq!(bank.send(&bank.prove_by(found, new_path.clone(), 1, to(2))).status, 201);
    for path in [old_path, new_path] {
        let claim = bank.prove_by(&lost, path, 1, to(1));
        bank.send(&claim).refused(422, "proof_invalid");
    }
    assert_eq!((bank.balance(to(1).recipient), bank.balance(to(2).recipient)), (SHARE, SHARE));
    bank.books();
}
