//! Invented people: random bits, which resemble each other as little as strangers do.

use std::sync::Arc;

use enroll_server::matcher::{Entry, People, Seal, Segment};
use unum_iris::{BLOCK_PEOPLE, Blocks, COLUMNS, EyePair, Template};

/// As the server's.
const SEGMENT_PEOPLE: u32 = 4096;

/// `people` people, `hidden` per cent of whose mask bits are 0: 0, 25, or 37 for three eighths.
pub(crate) fn town(people: u32, hidden: u64) -> People {
    let segment = |first: u32| {
        let seeds = first..people.min(first + SEGMENT_PEOPLE);
        let mut blocks = Blocks::empty(seeds.len().div_ceil(BLOCK_PEOPLE));
        for (i, seed) in seeds.clone().enumerate() {
            blocks[i / BLOCK_PEOPLE].put(i % BLOCK_PEOPLE, &person(seed.into(), hidden));
        }
        let seal = Seal { nonce: [0; 24], tag: [0; 16] }; // it has no file
        let entry = Entry { first: u64::from(first) + 1, people: seeds.len() as u64, version: 1, seal };
        Arc::new(Segment::new(entry, blocks))
    };
    People::of((0..people).step_by(SEGMENT_PEOPLE as usize).map(segment).collect())
}

pub(crate) fn person(seed: u64, hidden: u64) -> EyePair {
    let eyes = [seed.wrapping_mul(2), seed.wrapping_mul(2).wrapping_add(1)].map(|seed| eye(seed, hidden));
    let [left, right] = eyes.map(Some);
    EyePair::new(left, right).expect("both eyes are there")
}

pub(crate) fn eye(seed: u64, hidden: u64) -> Template {
    let mut state = seed.wrapping_mul(0xD134_2543_DE82_EF95);
    let mut next = || {
        // SplitMix64 (Steele, Lea and Flood 2014): unrelated bits from consecutive seeds.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let code = std::array::from_fn(|_| next());
    let mask: [u64; COLUMNS] = std::array::from_fn(|_| match hidden {
        0 => u64::MAX,
        25 => next() | next(),
        37 => next() | (next() & next()),
        other => unreachable!("nobody hides {other} per cent"),
    });
    Template::from_columns(&code, &mask)
}
