//! A scan: queries against a block of sixteen people, exactly, at the speed of the machine.
//!
//! Whoever a query is not plainly [`Verdict::Unique`] against is reported, with what the definition,
//! [`verdict`], says of the two. Nobody else can have another verdict. For one eye in one orientation:
//!
//! ```text
//! 1. bits that differ, at all 31 rotations
//! 2. within the limit at some rotation, if all bits of the smaller mask could be compared?  Or might the masks overlap
//!    too little?  If neither, for all sixteen: done. No rotation compares more, and by either measure more bits
//!    compared, of which as many differ, are never farther apart.
//! 3. bits compared, at all 31 rotations
//! 4. within the limit at some rotation, or too few compared at all of them: a suspect, for the definition to judge
//! ```
//!
//! The limit is the larger of those for single and for pooled eyes. It takes one eye within it for any other verdict
//! than `Unique`: by either measure, both eyes together are never closer than the closer one of them.
//!
//! Which way it fails: nothing in common is too little compared at all rotations, so a suspect; the definition finds too
//! little overlap, and the answer is "recapture", never "no match".
//!
//! No comparison is left out. Step 3 may be; it costs as much as step 1, and depends on masks far more than on who is
//! whose, so that the time of a scan does not say where it matched.
//!
//! Kernels differ in step 1 and 3 only, are private, and are tested to agree with the definition bit for bit.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

use std::fmt;
use std::sync::OnceLock;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::block::{BLOCK_PEOPLE, Block, Eyes};
use crate::distance::{DistanceError, MIN_COMPARED, ROTATIONS};
use crate::measure::{Limit, Measure};
use crate::pair::{EyePair, ORIENTATIONS};
use crate::template::{BITS, COLUMNS, Template};
use crate::verdict::{Thresholds, Verdict, verdict};
use lanes::What;

/// Rotations tried.
const STEPS: usize = (*ROTATIONS.end() - *ROTATIONS.start() + 1) as usize;
/// A probe's columns, with the first and last repeated, so that a rotation is an offset.
const PROBE_COLUMNS: usize = COLUMNS + STEPS - 1;

/// Whoever is looked for, made ready once for a whole gallery. Wiped when dropped.
pub struct Query {
    orientations: [EyePair; ORIENTATIONS],
    /// Of each orientation the eyes that meet the gallery's left and right ones.
    probes: [[Option<Probe>; 2]; ORIENTATIONS],
}

/// One person of a block against whom a query is not plainly unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Which of the queries.
    pub query: usize,
    /// Where in the block the person stands.
    pub place: usize,
    /// What the definition says: not [`Verdict::Unique`].
    pub outcome: Result<Verdict, DistanceError>,
}

/// A way to scan. All give the same answers.
#[derive(Clone, Copy)]
pub struct Kernel {
    name: &'static str,
    count: fn(&Eyes, &[ProbeColumn; PROBE_COLUMNS], What, &mut Tally),
}

/// One eye of a query.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Probe {
    columns: Box<[ProbeColumn; PROBE_COLUMNS]>,
    /// Set bits of the mask.
    visible: u16,
}

#[derive(Clone, Copy, Default, Zeroize)]
struct ProbeColumn {
    code: u64,
    mask: u64,
}

/// How near one eye has to be for its owner to be a suspect.
#[derive(Clone, Copy)]
struct Bound {
    measure: Measure,
    limit: Limit,
}

impl Bound {
    fn admits(self, differing: u32, compared: u32) -> bool {
        self.measure.admits_counts(self.limit, differing, compared, 1)
    }
}

/// Bits counted at each rotation, for everyone in a block.
#[derive(Clone, Copy)]
struct Tally([[u16; BLOCK_PEOPLE]; STEPS]);

impl Query {
    /// Makes a person's eyes ready.
    pub fn new(eyes: &EyePair) -> Self {
        let orientations = eyes.orientations();
        let probes =
            orientations.each_ref().map(|eyes| [eyes.left(), eyes.right()].map(|eye| eye.map(Probe::new)));
        Self { orientations, probes }
    }

    /// The eyes in all orientations, for the definition.
    pub fn orientations(&self) -> &[EyePair; ORIENTATIONS] {
        &self.orientations
    }

    /// The eyes as captured.
    pub fn eyes(&self) -> &EyePair {
        &self.orientations[0]
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Query")
    }
}

impl Probe {
    fn new(eye: &Template) -> Self {
        let mut columns = Box::new([ProbeColumn::default(); PROBE_COLUMNS]);
        for (at, column) in columns.iter_mut().enumerate() {
            // The first window is the template turned by the last rotation: it begins 15 columns before column 0.
            let from = (at + COLUMNS - STEPS / 2) % COLUMNS;
            *column = ProbeColumn { code: eye.code()[from], mask: eye.mask()[from] };
        }
        Self { columns, visible: eye.usable_bits() as u16 }
    }
}

impl Kernel {
    /// The fastest one that this CPU runs. Chosen once per process.
    pub fn fastest() -> Self {
        static CHOSEN: OnceLock<Kernel> = OnceLock::new();
        *CHOSEN.get_or_init(|| Self::available().swap_remove(0))
    }

    /// All that this CPU runs, fastest first.
    pub fn available() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        all.extend([avx512::kernel(), avx2::kernel()].into_iter().flatten());
        #[cfg(target_arch = "aarch64")]
        all.push(neon::KERNEL);
        all.push(Self { name: "portable", count: portable::count });
        all
    }

    /// For logs and metrics.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Compares every query with everyone in `block`, in all orientations, at all rotations.
    pub fn scan(self, block: &Block, queries: &[&Query], thresholds: Thresholds, mut found: impl FnMut(Hit)) {
        let bound = Bound { measure: thresholds.measure, limit: thresholds.single.max(thresholds.fused) };
        let mut suspects = vec![[false; BLOCK_PEOPLE]; queries.len()];
        for side in 0..2 {
            for (query, suspects) in queries.iter().zip(&mut suspects) {
                for probe in query.probes.iter().filter_map(|eyes| eyes[side].as_ref()) {
                    let near = self.near(block, side, probe, bound);
                    for (place, suspect) in suspects.iter_mut().enumerate() {
                        *suspect |= near[place] && block.has(side, place);
                    }
                }
            }
        }
        for (query, suspects) in suspects.iter().enumerate() {
            for place in (0..BLOCK_PEOPLE).filter(|&place| suspects[place]) {
                let person = block.person(place).expect("a suspect has an eye");
                let outcome = verdict(&queries[query].orientations, &person, thresholds);
                if outcome != Ok(Verdict::Unique) {
                    found(Hit { query, place, outcome });
                }
            }
        }
    }

    /// Who may be within `bound` of `probe` by this eye, or may not be comparable. Where a person lacks the eye the
    /// answer means nothing.
    fn near(self, block: &Block, side: usize, probe: &Probe, bound: Bound) -> [bool; BLOCK_PEOPLE] {
        let (eyes, visible) = (block.eyes(side), block.visible(side));
        let mut differing = Tally::ZERO;
        (self.count)(eyes, &probe.columns, What::Differing, &mut differing);
        let least = differing.least();
        let may_be = |place: usize| {
            let (theirs, ours) = (u32::from(visible[place]), u32::from(probe.visible));
            let overlaps = theirs + ours >= BITS + MIN_COMPARED;
            !overlaps || bound.admits(least[place].into(), theirs.min(ours))
        };
        if !(0..BLOCK_PEOPLE).any(|place| may_be(place) && block.has(side, place)) {
            return [false; BLOCK_PEOPLE];
        }
        let mut compared = Tally::ZERO;
        (self.count)(eyes, &probe.columns, What::Compared, &mut compared);
        suspects(&differing, &compared, bound)
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Who is within `bound` at some rotation, or comparable at none.
fn suspects(differing: &Tally, compared: &Tally, bound: Bound) -> [bool; BLOCK_PEOPLE] {
    let (mut within, mut comparable) = ([false; BLOCK_PEOPLE], [false; BLOCK_PEOPLE]);
    for (differing, compared) in differing.0.iter().zip(&compared.0) {
        for place in 0..BLOCK_PEOPLE {
            let (differing, compared) = (u32::from(differing[place]), u32::from(compared[place]));
            within[place] |= bound.admits(differing, compared);
            comparable[place] |= compared >= MIN_COMPARED;
        }
    }
    std::array::from_fn(|place| within[place] || !comparable[place])
}

impl Tally {
    const ZERO: Self = Self([[0; BLOCK_PEOPLE]; STEPS]);

    /// The smallest count of each person.
    fn least(&self) -> [u16; BLOCK_PEOPLE] {
        let mut least = self.0[0];
        for row in &self.0[1..] {
            for (least, &count) in least.iter_mut().zip(row) {
                *least = count.min(*least);
            }
        }
        least
    }
}

#[cfg(test)]
mod tests;
