//! Key and values in the files that snarkjs's prover reads (`.zkey` and `.wtns`, as iden3's binary format has them).
//! No history of contributions: this is for measuring only.

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G2Affine};
use ark_ff::{BigInteger, Field, PrimeField};
use ark_serialize::CanonicalDeserialize;
use circuits::ProvingKey;

use crate::peer::Peer;

/// Magic, version and circuit hash, which stand before arkworks' form in [`ProvingKey::to_bytes`].
const HEADER: usize = 8 + 32;

/// The key as a `.zkey` file.
pub(crate) fn key(key: &ProvingKey, peer: &Peer) -> anyhow::Result<Vec<u8>> {
    let key =
        ark_groth16::ProvingKey::<Bn254>::deserialize_uncompressed_unchecked(&key.to_bytes()[HEADER..])?;
    let mut sizes = [0_u8; 12];
    let counts = [peer.assignment.len(), peer.inputs - 1, key.h_query.len()];
    for (size, count) in sizes.chunks_exact_mut(4).zip(counts) {
        size.copy_from_slice(&(count as u32).to_le_bytes());
    }
    let header = [
        field::<Fq>(),
        field::<Fr>(),
        sizes.to_vec(),
        g1(&[key.vk.alpha_g1, key.beta_g1]),
        g2(&[key.vk.beta_g2, key.vk.gamma_g2]),
        g1(&[key.delta_g1]),
        g2(&[key.vk.delta_g2]),
    ];
    Ok(file(
        *b"zkey",
        1,
        &[
            1_u32.to_le_bytes().to_vec(), // Groth16
            header.concat(),
            g1(&key.vk.gamma_abc_g1),
            coefficients(peer),
            g1(&key.a_query),
            g1(&key.b_g1_query),
            g2(&key.b_g2_query),
            g1(&key.l_query),
            g1(&key.h_query),
        ],
    ))
}

/// The values of all variables as a `.wtns` file.
pub(crate) fn values(assignment: &[Fr]) -> Vec<u8> {
    let header = [field::<Fr>(), (assignment.len() as u32).to_le_bytes().to_vec()].concat();
    let values = assignment.iter().flat_map(|value| value.into_bigint().to_bytes_le()).collect();
    file(*b"wtns", 2, &[header, values])
}

/// Sections numbered from 1, each as its number, length and bytes.
fn file(magic: [u8; 4], version: u32, sections: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend((sections.len() as u32).to_le_bytes());
    for (number, section) in (1_u32..).zip(sections) {
        bytes.extend(number.to_le_bytes());
        bytes.extend((section.len() as u64).to_le_bytes());
        bytes.extend(section);
    }
    bytes
}

/// Length and modulus.
fn field<F: PrimeField>() -> Vec<u8> {
    [&32_u32.to_le_bytes()[..], &F::MODULUS.to_bytes_le()].concat()
}

/// Entries of A and B as matrix, row, column and value; A has a row more for each input. Values are multiplied by
/// `2⁵¹²`, the Montgomery factor twice.
fn coefficients(peer: &Peer) -> Vec<u8> {
    let factor = Fr::from(2_u64).pow([512]);
    let matrices = peer.matrices.iter().take(2).enumerate();
    let mut entries: Vec<(usize, usize, usize, Fr)> = matrices
        .flat_map(|(number, rows)| rows.iter().enumerate().map(move |(row, entries)| (number, row, entries)))
        .flat_map(|(number, row, entries)| {
            entries.iter().map(move |(value, column)| (number, row, *column, *value))
        })
        .collect();
    entries.extend((0..peer.inputs).map(|input| (0, peer.constraints + input, input, Fr::ONE)));
    let mut bytes = (entries.len() as u32).to_le_bytes().to_vec();
    for (matrix, row, column, value) in entries {
        bytes.extend([matrix, row, column].iter().flat_map(|number| (*number as u32).to_le_bytes()));
        bytes.extend((value * factor).into_bigint().to_bytes_le());
    }
    bytes
}

fn g1(points: &[G1Affine]) -> Vec<u8> {
    coordinates(points.iter().flat_map(|point| [point.x, point.y]))
}

fn g2(points: &[G2Affine]) -> Vec<u8> {
    coordinates(points.iter().flat_map(|point| [point.x.c0, point.x.c1, point.y.c0, point.y.c1]))
}

/// Little-endian in Montgomery form; the identity as zeros.
fn coordinates(coordinates: impl Iterator<Item = Fq>) -> Vec<u8> {
    let factor = Fq::from(2_u64).pow([256]);
    coordinates.flat_map(|coordinate| (coordinate * factor).into_bigint().to_bytes_le()).collect()
}
