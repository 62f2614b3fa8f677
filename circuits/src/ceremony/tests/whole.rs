//! The circuit itself, not a small one: how long it takes to verify a ceremony of a hundred members.

use std::time::Instant;

use ark_ec::AffineRepr;

use super::super::contribution::{Contribution, Signature};
use super::super::{stream, weights};
use super::*;
use crate::ceremony::Chain;

const DEVELOPMENT: &[u8] = include_bytes!("../../../keys/development/powers.compact");
const MEMBERS: usize = 100;

/// What a hundred members would have made one after the other, each dividing every point by a secret of their own: here
/// they are divided once, by the product.
fn after_many(start: &Parameters) -> Parameters {
    let secrets: Vec<_> = (0..MEMBERS).map(|_| weights::secret(&mut rng())).collect();
    let mut contributions: Vec<Contribution> = Vec::new();
    let mut delta = start.delta_g1;
    for (member, secret) in secrets.iter().enumerate() {
        let name = format!("member {member}");
        let signature = Signature::member(&name).unwrap();
        let base = stream::point_of_name(&name);
        let hash = &start.circuit_hash;
        contributions.push(Contribution::new(secret, base, delta, hash, &contributions, signature));
        delta = contributions[member].delta_after;
    }
    let product: Fr = secrets.iter().map(|secret| **secret).product();
    let all = Signature::member("all").unwrap();
    let last = start.step(&product, ark_bn254::G1Affine::generator(), all).unwrap();
    Parameters { contributions, ..last }
}

#[test]
#[ignore = "nightly: a minute"]
fn a_hundred_members_of_the_real_circuit() {
    let timed = |what: &str, start: Instant| println!("{what}: {:.2} s", start.elapsed().as_secs_f64());
    let relation = Relation::build();
    let start = Instant::now();
    let powers = Powers::from_compact(DEVELOPMENT).unwrap();
    timed("reading the powers", start);
    let start = Instant::now();
    powers.check(&mut rng()).unwrap();
    timed("checking the powers", start);
    let start = Instant::now();
    let first = Parameters::initial(&powers, &relation, &mut rng()).unwrap();
    timed("the first parameters", start);

    let last = after_many(&first).beacon(&beacon_source()).unwrap();
    let file = last.to_zkey(&relation);
    let start = Instant::now();
    let read = Parameters::from_zkey(&file, &relation).unwrap();
    timed("reading the parameters", start);
    let start = Instant::now();
    let chain = read.verify_chain(&mut rng()).unwrap();
    timed("of the verification the hundred members and the beacon", start);
    assert_eq!(chain, Chain { members: MEMBERS, finished: true });
    let start = Instant::now();
    assert_eq!(read.verify(&powers, &relation, &mut rng()).unwrap(), chain);
    timed("verifying all", start);
}
