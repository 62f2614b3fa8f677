//! Buckets: one for each half of the scalars and each magnitude of a digit. A table entry goes into the bucket of its
//! digit; in the end every bucket counts as often as its magnitude says.

use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ec::{AdditiveGroup, AffineRepr};
use zeroize::Zeroize;

use super::addition::add_each;
use super::{BUCKETS, Curve, Digits, Table};

/// Additions for each inversion. Measured: an inversion costs as much as forty additions, so that more gain little,
/// and a batch of this size still lies in the second-level cache.
const BATCH: usize = 1024;
/// Buckets stand in a square of this side for their sum.
const SIDE: usize = 64;
const _: () = assert!(SIDE * SIDE == BUCKETS);

/// A sum in the making. What is in it depends on private scalars: wiped when dropped.
pub(crate) struct Buckets<C: Curve> {
    /// Identity where nothing was added. The second half's come after the first half's.
    points: Vec<Affine<C>>,
    /// Whether the bucket is in the batch: a batch adds to each bucket once.
    busy: Vec<bool>,
    batch: Batch<C>,
    /// Additions to busy buckets: first into the next batch.
    waiting: Batch<C>,
    /// Room to work in, kept so that it need not be wiped for each batch.
    spare: Batch<C>,
    sums: Vec<Affine<C>>,
    products: Vec<C::BaseField>,
}

/// Additions to come: a point for each bucket named.
struct Batch<C: Curve> {
    buckets: Vec<usize>,
    points: Vec<Affine<C>>,
}

impl<C: Curve> Buckets<C> {
    /// Nothing added yet.
    pub(crate) fn new() -> Self {
        Self {
            points: vec![Affine::identity(); 2 * BUCKETS],
            busy: vec![false; 2 * BUCKETS],
            batch: Batch::new(),
            waiting: Batch::new(),
            spare: Batch::new(),
            sums: Vec::with_capacity(BATCH),
            products: Vec::with_capacity(BUCKETS),
        }
    }

    /// Adds every point of `table` times its scalar.
    pub(crate) fn add(&mut self, table: &Table<C>, digits: &Digits) {
        for (column, multiples) in table.rows() {
            let [first, second] = digits.halves(column);
            for (point, (first, second)) in multiples.iter().zip(first.iter().zip(second)) {
                self.add_digit(0, point, *first);
                self.add_digit(BUCKETS, point, *second);
            }
        }
    }

    #[inline]
    fn add_digit(&mut self, half: usize, point: &Affine<C>, digit: i16) {
        if digit != 0 {
            let bucket = half + usize::from(digit.unsigned_abs()) - 1;
            self.add_to(bucket, if digit < 0 { -*point } else { *point });
        }
    }

    #[inline]
    fn add_to(&mut self, bucket: usize, point: Affine<C>) {
        if self.busy[bucket] {
            self.waiting.push(bucket, point);
        } else if self.points[bucket].is_zero() {
            self.points[bucket] = point;
        } else {
            self.busy[bucket] = true;
            self.batch.push(bucket, point);
            if self.batch.points.len() == BATCH {
                self.flush();
            }
        }
    }

    /// Adds the batch into its buckets, and makes a new one of those who wait.
    fn flush(&mut self) {
        self.sums.clear();
        self.sums.extend(self.batch.buckets.iter().map(|bucket| self.points[*bucket]));
        add_each(&mut self.sums, &self.batch.points, &mut self.products);
        for (bucket, sum) in self.batch.buckets.iter().zip(&self.sums) {
            self.points[*bucket] = *sum;
            self.busy[*bucket] = false;
        }
        self.batch.clear();
        // Many may wait, and fill the next batch too: this calls itself then.
        let spare = std::mem::replace(&mut self.spare, Batch::empty());
        let mut waiting = std::mem::replace(&mut self.waiting, spare);
        for (bucket, point) in waiting.buckets.iter().zip(&waiting.points) {
            self.add_to(*bucket, *point);
        }
        waiting.clear();
        self.spare = waiting;
    }

    /// The sum of everything added.
    pub(crate) fn sum(mut self) -> Projective<C> {
        while !self.batch.points.is_empty() {
            self.flush();
        }
        let (first, second) = self.points.split_at_mut(BUCKETS);
        for point in second.iter_mut() {
            *point = C::endomorphism(point);
        }
        add_each(first, second, &mut self.products);
        weighted(first)
    }
}

/// `Σ (i + 1)·bucketᵢ`. Of the bucket's number `i = 64·row + column` the sums of rows and columns take care, folded in
/// batches; the rest is a hundred additions.
fn weighted<C: Curve>(buckets: &[Affine<C>]) -> Projective<C> {
    let transposed = (0..BUCKETS).map(|i| buckets[i % SIDE * SIDE + i / SIDE]).collect();
    let (mut columns, mut rows) = (fold(buckets.to_vec()), fold(transposed));
    let mut sum = ascending(&rows[1..]);
    for _ in 0..SIDE.ilog2() {
        sum.double_in_place();
    }
    sum += ascending(&columns);
    columns.zeroize();
    rows.zeroize();
    sum
}

/// Sums of the points with equal `index % 64`.
fn fold<C: Curve>(mut points: Vec<Affine<C>>) -> Vec<Affine<C>> {
    let mut products = Vec::with_capacity(BUCKETS / 2);
    let mut len = points.len();
    while len > SIDE {
        len /= 2;
        let (left, right) = points[..2 * len].split_at_mut(len);
        add_each(left, right, &mut products);
    }
    products.zeroize();
    let sums = points[..SIDE].to_vec();
    points.zeroize();
    sums
}

/// `Σ (i + 1)·pointᵢ`.
fn ascending<C: Curve>(points: &[Affine<C>]) -> Projective<C> {
    let (mut running, mut sum) = (Projective::ZERO, Projective::ZERO);
    for point in points.iter().rev() {
        running += point;
        sum += running;
    }
    sum
}

impl<C: Curve> Batch<C> {
    fn new() -> Self {
        Self { buckets: Vec::with_capacity(BATCH), points: Vec::with_capacity(BATCH) }
    }

    fn empty() -> Self {
        Self { buckets: Vec::new(), points: Vec::new() }
    }

    #[inline]
    fn push(&mut self, bucket: usize, point: Affine<C>) {
        self.buckets.push(bucket);
        self.points.push(point);
    }

    fn clear(&mut self) {
        self.buckets.clear();
        self.points.clear();
    }
}

impl<C: Curve> Drop for Batch<C> {
    fn drop(&mut self) {
        self.buckets.zeroize();
        self.points.zeroize();
    }
}

impl<C: Curve> Drop for Buckets<C> {
    fn drop(&mut self) {
        self.points.zeroize();
        self.sums.zeroize();
        self.products.zeroize();
    }
}
