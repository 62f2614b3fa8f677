//! Invented people: random bits, which resemble each other as little as strangers do. In segments on disk, and in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use enroll_server::matcher::{Entry, Manifest, People, Segment, Shelf, TemplateKey};
use unum_iris::{BLOCK_PEOPLE, Blocks, COLUMNS, EyePair, Template};

/// People 0, 1, 2 and so on, the first of them in segments, the others in the tail.
#[derive(Debug)]
pub struct Town {
    folder: PathBuf,
    manifest: Manifest,
    segments: Vec<Arc<Segment>>,
    tail: People,
}

impl Town {
    /// `segments` of `size` people each, written to `folder`, and `tail` more.
    ///
    /// # Panics
    ///
    /// If they cannot be written.
    pub fn new(folder: &Path, key: TemplateKey, segments: u64, size: u64, tail: u64) -> Self {
        let shelf = Shelf::open(folder, key).expect("the folder takes files");
        let made = (0..segments).map(|i| {
            let first = 1 + i * size;
            let blocks = blocks(first - 1, size);
            let sealed = shelf.seal(first, 2, nonce(first), &blocks);
            shelf.write(&sealed, first.to_be_bytes()).expect("the folder takes files");
            Arc::new(Segment::new(*sealed.entry(), blocks))
        });
        let segments: Vec<_> = made.collect();
        let entries = segments.iter().map(|segment| *segment.entry()).collect();
        let manifest = Manifest::new(entries).expect("one after the other");
        let people = manifest.people();
        let mut after = People::after(people);
        (people..people + tail).for_each(|seed| after.push(Some(&person(seed))));
        let tail = after;
        Self { folder: folder.to_owned(), manifest, segments, tail }
    }

    /// The segments that have to be covered.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whoever came after them.
    pub fn tail(&self) -> &People {
        &self.tail
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.tail.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them in this process.
    pub fn people(&self) -> People {
        let mut people = People::of(self.segments.clone());
        (self.manifest.people()..self.len()).for_each(|seed| people.push(Some(&person(seed))));
        people
    }

    /// A copy of all files, in `folder`.
    ///
    /// # Panics
    ///
    /// If they cannot be copied.
    pub fn copy(&self, folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).expect("the folder takes another");
        for file in fs::read_dir(&self.folder).expect("it was written") {
            let file = file.expect("it was written");
            fs::copy(file.path(), folder.join(file.file_name())).expect("the folder takes files");
        }
        folder.to_owned()
    }

    /// Where the file of a segment lies in `folder`.
    pub fn file(&self, folder: &Path, entry: &Entry) -> PathBuf {
        folder.join(format!("{:012}.segment", entry.first))
    }
}

fn nonce(first: u64) -> [u8; 24] {
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(&first.to_be_bytes());
    nonce
}

fn blocks(from: u64, people: u64) -> Blocks {
    let mut blocks = Blocks::empty(people.div_ceil(BLOCK_PEOPLE as u64) as usize);
    for i in 0..people {
        let place = i as usize;
        blocks[place / BLOCK_PEOPLE].put(place % BLOCK_PEOPLE, &person(from + i));
    }
    blocks
}

/// Whoever came as number `seed`, counted from 0.
pub fn person(seed: u64) -> EyePair {
    let [left, right] = [seed.wrapping_mul(2), seed.wrapping_mul(2).wrapping_add(1)].map(eye);
    EyePair::new(Some(left), Some(right)).expect("both eyes are there")
}

/// The same person seen again: so many of each column's 64 bits differ in each eye.
pub fn again(person: &EyePair, left: u32, right: u32) -> EyePair {
    let worse = |eye: &Template, bits: u32| {
        let flipped = u64::MAX.checked_shr(64 - bits).unwrap_or(0);
        Template::from_columns(&eye.code().map(|column| column ^ flipped), eye.mask())
    };
    let eyes = [(person.left(), left), (person.right(), right)];
    let [left, right] = eyes.map(|(eye, bits)| eye.map(|eye| worse(eye, bits)));
    EyePair::new(left, right).expect("as many eyes as before")
}

fn eye(seed: u64) -> Template {
    let mut state = seed.wrapping_mul(0xD134_2543_DE82_EF95);
    let code = std::array::from_fn(|_| {
        // SplitMix64 (Steele, Lea and Flood 2014): unrelated bits from consecutive seeds.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    });
    Template::from_columns(&code, &[u64::MAX; COLUMNS])
}
