//! Somebody has lost their wallet, and gets a new leaf in the place of the old one: themselves, seldom, and nobody else.

use std::sync::Barrier;

use unum_identity::enrollment::{EnrollmentOutcome, InclusionProof, LogEvent, LogPage, Snapshot};
use unum_identity::envelope::Purpose;
use unum_identity::field::Commitment;
use unum_iris::EyePair;

use crate::harness::bench::{self, Bench, enroll_eyes, send, send_to, session};
use crate::harness::{Answer, Device, Person, get, somebodys_commitment};

const WAIT: u64 = 30 * 24 * 3600;

fn recover_eyes(url: &str, device: &Device, eyes: &EyePair, commitment: Commitment) -> Answer {
    let payload = device.payload(&session(url, device), eyes, commitment);
    let envelope = device.sign_for(Purpose::Recover, &payload);
    send_to(url, "recoveries", &envelope)
}

fn recover(bench: &Bench, device: &Device, person: &Person) -> Answer {
    recover_eyes(&bench.url, device, &person.eyes(), person.commitment())
}

fn proof_at(bench: &Bench, person: &Person, size: u64) -> Answer {
    get(&format!("{}/v1/commitments/{}/proof?size={size}", bench.url, person.commitment()))
}

#[test]
fn whoever_lost_their_wallet_keeps_their_leaf() {
    let bench = Bench::new();
    let device = bench.device();
    let (lost, other) = (Person::new(), Person::new());
    for person in [&lost, &other] {
        assert_eq!(bench.enroll(&device, person).status, 201);
    }
    let found = lost.again();
    let answer = recover(&bench, &device, &found);
    assert_eq!(answer.code(), (200, "recovered"));
    let EnrollmentOutcome::Recovered { receipt, replaced } = answer.parse() else { panic!("{answer:?}") };
    let stated = receipt.verify(&bench.key()).unwrap();
    assert_eq!((stated.commitment, stated.leaf_index), (found.commitment(), 0));
    assert_eq!(replaced, lost.commitment());

    // The set of now has the new commitment, that of before has the old one, and none has both.
    for (size, here, gone) in [(2, &lost, &found), (3, &found, &lost)] {
        let proof: InclusionProof = proof_at(&bench, here, size).parse();
        let snapshot: Snapshot = get(&format!("{}/v1/set/snapshot?size={size}", bench.url)).parse();
        let checkpoint = snapshot.checkpoint.verify("unum.test/set", &bench.key()).unwrap();
        assert!(proof.holds() && proof.leaf_index == 0 && proof.root == checkpoint.root, "{size}");
        let leaves: Vec<_> = snapshot.leaves.iter().map(|leaf| leaf.commitment).collect();
        assert_eq!(leaves, [here.commitment(), other.commitment()]);
        assert_eq!(proof_at(&bench, gone, size).code(), (404, "commitment_unknown"), "{size}");
    }
    let log: LogPage = get(&format!("{}/v1/set/log?from=1", bench.url)).parse();
    assert_eq!((log.first, log.size, log.events.len()), (1, 3, 2));
    let LogEvent::Replaced { leaf_index: 0, leaf } = &log.events[1] else { panic!("{log:?}") };
    assert_eq!((leaf.commitment, leaf.device), (found.commitment(), device.id));
    assert_eq!(get(&format!("{}/v1/set/log?from=4", bench.url)).code(), (422, "size_invalid"));
    assert_eq!(get(&format!("{}/v1/set/log?from=-1", bench.url)).code(), (400, "query_invalid"));

    // Still one person, and the old commitment is nobody's any more.
    assert_eq!(bench.counts(), [3, 2, 0]);
    assert_eq!(bench.enroll(&device, &lost.again()).code(), (409, "duplicate"));
    let old = enroll_eyes(&bench.url, &device, &Person::new().eyes(), lost.commitment());
    assert_eq!(old.code(), (409, "commitment_known"));
}

#[test]
fn a_recovery_is_enough_for_thirty_days() {
    let mut bench = Bench::new();
    let device = bench.device();
    let person = Person::new();
    assert_eq!(bench.enroll(&device, &person).status, 201);
    assert_eq!(recover(&bench, &device, &person.again()).status, 200);
    let answer = recover(&bench, &device, &person.again());
    assert_eq!(answer.code(), (409, "recovered_lately"));
    assert_eq!(answer.body["detail"], "this person has recovered lately, and may again in 30 days");
    bench.restart();
    bench.clock.advance(WAIT - 3600);
    assert_eq!(recover(&bench, &device, &person.again()).code(), (409, "recovered_lately"));
    bench.clock.advance(3600);
    assert_eq!(recover(&bench, &device, &person.again()).code(), (200, "recovered"));
    assert_eq!(bench.counts(), [3, 1, 0]);
}

#[test]
fn nobody_gets_anothers_leaf() {
    let bench = Bench::new();
    let device = bench.device();
    let (known, other) = (Person::new(), Person::new());
    for person in [&known, &other] {
        assert_eq!(bench.enroll(&device, person).status, 201);
    }
    assert_eq!(recover(&bench, &device, &Person::new()).code(), (404, "not_enrolled"));
    let eyes = |left: &Person, right: &Person| {
        EyePair::new(Some(left.left.clone()), Some(right.right.clone())).unwrap()
    };
    for eyes in [eyes(&known, &Person::new()), eyes(&known, &other)] {
        let answer = recover_eyes(&bench.url, &device, &eyes, somebodys_commitment());
        assert_eq!(answer.code(), (409, "not_one_person"));
    }
    for taken in [&known, &other] {
        let answer = recover_eyes(&bench.url, &device, &known.eyes(), taken.commitment());
        assert_eq!(answer.code(), (409, "commitment_known"));
    }
    // Whoever carries an envelope cannot choose what it is for.
    let envelope = |purpose| {
        let person = known.again();
        let payload = device.payload(&session(&bench.url, &device), &person.eyes(), person.commitment());
        device.sign_for(purpose, &payload)
    };
    let diverted = send_to(&bench.url, "recoveries", &envelope(Purpose::Enroll));
    assert_eq!(diverted.code(), (401, "signature_invalid"));
    assert_eq!(send(&bench.url, &envelope(Purpose::Recover)).code(), (401, "signature_invalid"));
    assert_eq!(bench.counts(), [2, 2, 0], "nothing has changed");
}

#[test]
fn of_two_recoveries_at_once_one_counts() {
    let mut bench = Bench::new();
    let urls = [bench.url.clone(), bench.start()];
    let devices = [bench.device(), bench.device()];
    let person = Person::new();
    assert_eq!(bench.enroll(&devices[0], &person).status, 201);
    let (barrier, mut codes) = (Barrier::new(2), Vec::new());
    std::thread::scope(|scope| {
        let come = |i: usize| {
            let (barrier, url, device, person) = (&barrier, &urls[i], &devices[i], person.again());
            scope.spawn(move || {
                barrier.wait();
                recover_eyes(url, device, &person.eyes(), person.commitment()).status
            })
        };
        let threads = [come(0), come(1)];
        codes.extend(threads.map(|thread| thread.join().unwrap()));
    });
    codes.sort_unstable();
    assert_eq!(codes, [200, 409]);
    assert_eq!(bench.counts(), [2, 1, 0]);
}

#[test]
fn people_in_segments_recover_as_people_in_the_tail() {
    let (mut bench, device, people) = bench::town(20);
    bench.restart();
    for place in [0, 15, 16, 19] {
        let found = people[place].again();
        assert_eq!(recover(&bench, &device, &found).code(), (200, "recovered"), "{place}");
        assert_eq!(bench.inclusion(&found).leaf_index, place as u64);
    }
    bench.restart(); // everyone is read again
    for place in [0, 15, 16, 19] {
        assert_eq!(bench.enroll(&device, &people[place].again()).code(), (409, "duplicate"), "{place}");
    }
}
