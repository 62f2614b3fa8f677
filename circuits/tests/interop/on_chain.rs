//! The Solidity verifier, as committed in its compiled form, on an Ethereum machine.
//!
//! Gas is deterministic, so it may be asserted. The ceilings are for what a call costs another contract; of the whole
//! transaction the single one needs 21,000 and some 6,000 for calldata more, and no Groth16 verifier of four inputs
//! gets below 232,000 then: 181,000 for four pairings, 24,600 for four multiplications and additions, 27,000 before it
//! starts.

use std::sync::LazyLock;

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, PrimeField};
use circuits::points::{put_g1, put_g2};
use circuits::{Public, Verifier, VerifyingKey};
use unum_identity::proof::ProofBytes;

use crate::evm::{Chain, Inputs, batch, selector};
use crate::statements::{PROVED, VERIFYING};

/// Ceilings of the call: one proof, and each of a batch of twenty as a whole transaction.
const ONE: u64 = 230_000;
const EACH_OF_TWENTY: u64 = 70_000;

static CHAIN: LazyLock<Chain> = LazyLock::new(|| Chain::deploy(&VERIFYING).unwrap());

fn inputs(public: &Public) -> Inputs {
    public.to_inputs().map(|input| input.into_bigint().to_bytes_be().try_into().unwrap())
}

/// `n` proofs with their inputs; they repeat after the fourth.
fn proved(n: usize) -> (Vec<ProofBytes>, Vec<Inputs>) {
    PROVED.iter().cycle().take(n).map(|(public, proof)| (*proof, inputs(public))).unzip()
}

fn one() -> (ProofBytes, Inputs) {
    let (public, proof) = &PROVED[0];
    (*proof, inputs(public))
}

/// Word `at` of eight.
fn word(proof: &mut ProofBytes, at: usize) -> &mut [u8; 32] {
    (&mut proof.0[32 * at..32 * (at + 1)]).try_into().unwrap()
}

/// The same number a second way: plus the field's order.
fn add_order<F: PrimeField>(word: &mut [u8; 32]) {
    let order = F::MODULUS.to_bytes_be();
    let mut carry = 0;
    for (byte, m) in word.iter_mut().zip(order).rev() {
        let sum = u16::from(*byte) + u16::from(m) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(carry, 0, "twice the order is below 2^256");
}

/// Changes that each make `one` false, with their names.
fn spoilt() -> Vec<(String, ProofBytes, Inputs)> {
    let (proof, public) = one();
    let mut cases = Vec::new();
    for at in 0..8 {
        let mut change = |name: &str, f: &dyn Fn(&mut [u8; 32])| {
            let mut changed = proof;
            f(word(&mut changed, at));
            cases.push((format!("word {at} {name}"), changed, public));
        };
        change("plus one bit", &|word| word[31] ^= 1);
        change("plus the order", &add_order::<Fq>);
        change("all ones", &|word| *word = [255; 32]);
        change("zero", &|word| *word = [0; 32]);
    }
    for at in 0..4 {
        let mut change = |name: &str, f: &dyn Fn(&mut [u8; 32])| {
            let mut changed = public;
            f(&mut changed[at]);
            cases.push((format!("input {at} {name}"), proof, changed));
        };
        change("plus one bit", &|word| word[31] ^= 1);
        change("plus the order", &add_order::<Fr>);
        change("all ones", &|word| *word = [255; 32]);
    }
    for (name, range) in [("A", 0..64), ("B", 64..192), ("C", 192..256), ("all", 0..256)] {
        let mut changed = proof;
        changed.0[range].fill(0);
        cases.push((format!("identity for {name}"), changed, public));
    }
    let mut changed = proof;
    changed.0[64..192].copy_from_slice(&outside_the_subgroup());
    cases.push(("B outside the subgroup".to_owned(), changed, public));
    let mut changed = proof;
    let (a, c) = (proof.0[..64].to_vec(), proof.0[192..].to_vec());
    changed.0[..64].copy_from_slice(&c);
    changed.0[192..].copy_from_slice(&a);
    cases.push(("A and C exchanged".to_owned(), changed, public));
    cases
}

/// A point of the curve over the extension that is not in the subgroup, as words.
fn outside_the_subgroup() -> Vec<u8> {
    let point = (1_u64..100)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(x.into(), 0.into()), false))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    [point.x.c1, point.x.c0, point.y.c1, point.y.c0].map(|c| c.into_bigint().to_bytes_be()).concat()
}

#[test]
fn a_proof_holds_and_costs_no_more_than_promised() {
    println!("deployment: {} gas", CHAIN.deployment);
    for (public, proof) in PROVED.iter() {
        assert!(CHAIN.verify(proof, &inputs(public)).is_true());
    }
    let (proof, public) = one();
    let answer = CHAIN.verify(&proof, &public);
    println!("one proof: {} gas the call, {} the transaction", answer.call_gas, answer.transaction_gas);
    assert!(answer.call_gas <= ONE);
}

#[test]
fn a_batch_holds_and_costs_no_more_than_promised() {
    for n in [1, 2, 3, 20] {
        let (proofs, inputs) = proved(n);
        let answer = CHAIN.verify_batch(&proofs, &inputs);
        assert!(answer.is_true(), "{n} proofs");
        let (call, transaction) = (answer.call_gas / n as u64, answer.transaction_gas / n as u64);
        println!("{n} proofs: {call} gas each the call, {transaction} the transaction");
        assert!(n < 20 || transaction <= EACH_OF_TWENTY);
    }
}

#[test]
fn whatever_is_wrong_the_answer_is_no() {
    for (why, proof, inputs) in spoilt() {
        assert!(!CHAIN.verify(&proof, &inputs).is_true(), "{why}");
    }
}

/// At the first place, whose weight is 1, and at another, whose weight is a hash.
#[test]
fn one_false_proof_makes_the_batch_false() {
    for (why, proof, input) in spoilt() {
        for place in [0, 1] {
            let (mut proofs, mut inputs) = proved(2);
            (proofs[place], inputs[place]) = (proof, input);
            assert!(!CHAIN.verify_batch(&proofs, &inputs).is_true(), "{why} at {place}");
        }
    }
}

/// Two proofs exchange their statements; and two errors that cancel out where weights are equal.
#[test]
fn errors_do_not_cancel_out() {
    let (proofs, mut inputs) = proved(3);
    inputs.swap(1, 2);
    assert!(!CHAIN.verify_batch(&proofs, &inputs).is_true());
    for (i, j) in [(0, 1), (1, 2)] {
        let (proofs, mut inputs) = proved(3);
        let add = |word: &mut [u8; 32], change: Fr| {
            let value = Fr::from_be_bytes_mod_order(word) + change;
            *word = value.into_bigint().to_bytes_be().try_into().unwrap();
        };
        add(&mut inputs[i][2], 1.into());
        add(&mut inputs[j][2], -Fr::from(1));
        assert!(!CHAIN.verify_batch(&proofs, &inputs).is_true(), "{i} and {j}");
    }
}

/// Under a key whose secrets are known, anyone can forge, with the identity for any point as well: only the explicit
/// check refuses that, in the contract as in the library.
#[test]
fn the_identity_is_refused_even_where_the_equation_holds() {
    let fr = |number: u64| Fr::from(number);
    let (alpha, beta, gamma, delta) = (fr(2), fr(3), fr(5), fr(7));
    let (g1, g2) = (
        |k: Fr| (G1Affine::generator() * k).into_affine(),
        |k: Fr| (G2Affine::generator() * k).into_affine(),
    );
    let mut bytes = VERIFYING.to_bytes()[..40].to_vec();
    put_g1(&mut bytes, &g1(alpha));
    for k in [beta, gamma, delta] {
        put_g2(&mut bytes, &g2(k));
    }
    (11..16).for_each(|k| put_g1(&mut bytes, &g1(fr(k))));
    let key = VerifyingKey::from_bytes(&bytes).unwrap();
    let (chain, verifier) = (Chain::deploy(&key).unwrap(), Verifier::new(&key));

    let public = PROVED[0].0;
    let sum = public.to_inputs().iter().zip(12..).fold(fr(11), |sum, (input, k)| sum + *input * fr(k));
    let constant = alpha * beta + sum * gamma; // a·b − c·δ
    let zero = fr(0);
    for (name, a, b, c) in [
        ("none", fr(17), fr(19), (fr(17 * 19) - constant) / delta),
        ("A", zero, fr(19), -constant / delta),
        ("B", fr(17), zero, -constant / delta),
        ("C", fr(17), constant / fr(17), zero),
    ] {
        let mut proof = Vec::new();
        put_g1(&mut proof, &g1(a));
        put_g2(&mut proof, &g2(b));
        put_g1(&mut proof, &g1(c));
        let (proof, words) = (ProofBytes(proof.try_into().unwrap()), inputs(&public));
        let holds = name == "none";
        assert_eq!(chain.verify(&proof, &words).is_true(), holds, "identity for {name}");
        assert_eq!(chain.verify_batch(&[proof], &[words]).is_true(), holds, "identity for {name}, batch");
        assert_eq!(verifier.verify(&public, &proof).is_ok(), holds, "identity for {name}, library");
    }
}

#[test]
fn an_empty_or_uneven_batch_is_false() {
    let (proofs, inputs) = proved(2);
    assert!(!CHAIN.verify_batch(&[], &[]).is_true());
    assert!(!CHAIN.verify_batch(&proofs, &inputs[..1]).is_true());
    assert!(!CHAIN.verify_batch(&proofs[..1], &inputs).is_true());
}

/// Calldata that is too short, or whose arrays reach beyond its end, is no call at all.
#[test]
fn calldata_that_is_cut_off_reverts() {
    let (proofs, inputs) = proved(2);
    let single = [&selector("verify(uint256[8],uint256[4])"), &proofs[0].0[..], &inputs[0].concat()].concat();
    assert_eq!(CHAIN.call(&single[..single.len() - 1]).output, None);
    let whole = batch(&proofs, &inputs);
    assert!(CHAIN.call(&whole).is_true());
    assert_eq!(CHAIN.call(&whole[..whole.len() - 1]).output, None);
    assert_eq!(CHAIN.call(&selector("owner()")).output, None, "there is none");
}

#[test]
fn the_contract_names_its_key() {
    assert_eq!(CHAIN.key_hash(), VERIFYING.hash().0);
}

#[test]
fn another_key_accepts_other_proofs() {
    use rand_core::UnwrapErr;
    let other = circuits::ProvingKey::generate(&mut UnwrapErr(getrandom::SysRng)).verifying_key();
    let (proof, inputs) = one();
    assert!(!Chain::deploy(&other).unwrap().verify(&proof, &inputs).is_true());
}

/// Every point of the key, made invalid in each way.
#[test]
fn a_key_that_is_none_cannot_be_deployed() {
    let good = VERIFYING.to_bytes();
    let points =
        [(0, 64), (64, 128), (192, 128), (320, 128)].into_iter().chain((0..5).map(|i| (448 + 64 * i, 64)));
    let invalid_key = Some(selector("InvalidKey()").to_vec());
    for (start, length) in points {
        let range = 40 + start..40 + start + length;
        let mut cases = vec![("identity", vec![0; length]), ("off the curve", good[range.clone()].to_vec())];
        cases[1].1[length - 1] ^= 1;
        let mut not_canonical = good[range.clone()].to_vec();
        add_order::<Fq>((&mut not_canonical[..32]).try_into().unwrap());
        cases.push(("not canonical", not_canonical));
        if length == 128 {
            cases.push(("outside the subgroup", outside_the_subgroup()));
        }
        for (why, point) in cases {
            let mut key = good.clone();
            key[range.clone()].copy_from_slice(&point);
            let refusal = Chain::deploy_bytes(&key).err().expect(why);
            assert_eq!(refusal.map(|output| output.to_vec()), invalid_key, "{why} at {start}");
        }
    }
}

/// A proof of a World ID 3 wallet holds on chain under World ID's key: one contract for every key.
#[test]
fn a_proof_of_world_id_holds_on_chain() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../vectors/worldid3_proof_depth30.json")).unwrap();
    let key = circuits::interop::snarkjs::read_key(&file["verifying_key"].to_string()).unwrap();
    let proof: ProofBytes = file["proof"]["packed_proof"].as_str().unwrap().parse().unwrap();
    let inputs = ["root", "nullifierHash", "signalHash", "externalNullifierHash"].map(|name| {
        let digits = &file["proof"][name].as_str().unwrap()[2..];
        hex::decode(format!("{digits:0>64}")).unwrap().try_into().unwrap()
    });
    assert!(Chain::deploy(&key).unwrap().verify(&proof, &inputs).is_true());
}
