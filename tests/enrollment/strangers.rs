//! Strangers whose codes resemble each other as much as those of real strangers do: nobody is taken for somebody else.

use unum_iris::{COLUMNS, EyePair, MIN_COMPARED, Measure, Template, closest_rotation};

use crate::harness::bench::{Bench, enroll_eyes};
use crate::harness::somebodys_commitment;

/// Neighbouring bits of a real code are alike, so that few of its 16,384 count: here patches of 3 columns by 16 bits are.
const PATCH: (usize, u32) = (3, 16);

/// A `SplitMix64` (Steele, Lea and Flood 2014).
struct Bits(u64);

impl Bits {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn eye(seed: u64) -> Template {
    let mut bits = Bits(seed.wrapping_mul(0xD134_2543_DE82_EF95));
    let begin = bits.next() as usize;
    let mut patches = bits.next();
    let code: [u64; COLUMNS] = std::array::from_fn(|column| {
        if (column + begin).is_multiple_of(PATCH.0) {
            patches = bits.next();
        }
        let patch = |bit: u32| patches >> (bit / PATCH.1) & 1;
        (0..u64::BITS).fold(0, |code, bit| code | patch(bit) << bit)
    });
    Template::from_columns(&code, &[u64::MAX; COLUMNS])
}

fn stranger(seed: u64) -> EyePair {
    EyePair::new(Some(eye(2 * seed)), Some(eye(2 * seed + 1))).unwrap()
}

/// Real strangers lie at 0.455 ± 0.014 after 31 rotations (`docs/accuracy.md`).
#[test]
fn they_are_as_far_apart_as_real_ones() {
    let eyes: Vec<Template> = (0..60).map(eye).collect();
    let pairs = eyes.iter().enumerate().flat_map(|(i, a)| eyes[..i].iter().map(move |b| (a, b)));
    let distances: Vec<f64> = pairs
        .map(|(a, b)| closest_rotation(a, b, MIN_COMPARED, Measure::Plain).unwrap().fraction())
        .collect();
    let count = distances.len() as f64;
    let mean = distances.iter().sum::<f64>() / count;
    let deviation = (distances.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / count).sqrt();
    assert!((mean - 0.455).abs() < 0.006 && (deviation - 0.015).abs() < 0.003, "{mean} ± {deviation}");
}

fn all_are_enrolled(people: u64) {
    let bench = Bench::new();
    let device = bench.device();
    for seed in 0..people {
        let answer = enroll_eyes(&bench.url, &device, &stranger(seed), somebodys_commitment());
        assert_eq!(answer.code(), (201, "enrolled"), "{seed} is nobody else: {answer:?}");
    }
    assert_eq!(bench.counts(), [people as i64, people as i64, 0]);
}

#[test]
fn two_hundred_are_enrolled() {
    all_are_enrolled(200);
}

#[test]
#[ignore = "some minutes"]
fn five_thousand_are_enrolled() {
    all_are_enrolled(5_000);
}
