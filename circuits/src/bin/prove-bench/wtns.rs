//! The values of all variables in the file that snarkjs' prover reads (`.wtns`, in iden3's binary format). They are the
//! wallet's secrets: for measuring and for tests only, with people who do not exist.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

/// A `.wtns` file.
pub(crate) fn to_wtns(assignment: &[Fr]) -> Vec<u8> {
    let modulus = Fr::MODULUS.to_bytes_le();
    let header = [&32_u32.to_le_bytes()[..], &modulus, &(assignment.len() as u32).to_le_bytes()].concat();
    let values: Vec<u8> = assignment.iter().flat_map(|value| value.into_bigint().to_bytes_le()).collect();
    let mut bytes = [&b"wtns"[..], &2_u32.to_le_bytes(), &2_u32.to_le_bytes()].concat(); // version, sections
    for (number, section) in (1_u32..).zip([header, values]) {
        bytes.extend(number.to_le_bytes());
        bytes.extend((section.len() as u64).to_le_bytes());
        bytes.extend(section);
    }
    bytes
}
