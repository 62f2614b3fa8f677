//! Multiples of fixed points: `2^(13·i)·point` for the ten digits of half a scalar.

use std::fmt;

use ark_ec::AdditiveGroup;
use ark_ec::AffineRepr;
use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::{Affine, Projective};
use rayon::prelude::*;

use super::{Curve, ROWS, WINDOW};

/// The multiples of many points, without those that are the identity: a variable that a query does not read costs
/// nothing.
pub(crate) struct Table<C: Curve> {
    /// Which scalar each point is multiplied with.
    columns: Vec<usize>,
    /// [`ROWS`] for each point, one after the other.
    multiples: Vec<Affine<C>>,
}

impl<C: Curve> Table<C> {
    /// The multiples of `points`, each with the number of its scalar. On all cores.
    pub(crate) fn new(points: impl Iterator<Item = (usize, Affine<C>)>) -> Self {
        let (columns, points): (Vec<_>, Vec<_>) = points.filter(|(_, point)| !point.is_zero()).unzip();
        let multiples = points.par_chunks(256).flat_map_iter(multiples).collect();
        Self { columns, multiples }
    }

    /// Each point's scalar and multiples.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &[Affine<C>])> {
        self.columns.iter().copied().zip(self.multiples.chunks_exact(ROWS))
    }

    /// Memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&self.columns[..]) + size_of_val(&self.multiples[..])
    }
}

fn multiples<C: Curve>(points: &[Affine<C>]) -> Vec<Affine<C>> {
    let mut all: Vec<Projective<C>> = Vec::with_capacity(points.len() * ROWS);
    for point in points {
        let mut multiple = point.into_group();
        all.push(multiple);
        for _ in 1..ROWS {
            for _ in 0..WINDOW {
                multiple.double_in_place();
            }
            all.push(multiple);
        }
    }
    Projective::normalize_batch(&all)
}

impl<C: Curve> fmt::Debug for Table<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("points", &self.columns.len()).finish_non_exhaustive()
    }
}
