//! Additions of points, many at a time: affine, with one inversion for all of them (Montgomery's trick).

use ark_ec::short_weierstrass::Affine;
use ark_ec::{AdditiveGroup, AffineRepr};
use ark_ff::{Field, One, Zero};

use super::Curve;
use crate::arithmetic::Branchless;

/// `left[i] += right[i]`, for any points: different, equal, opposite, or the identity.
///
/// Six multiplications each, and one inversion. `products` is room to work in; what it holds then is for the caller to
/// wipe.
///
/// # Panics
///
/// If the lengths differ.
pub(super) fn add_each<C: Curve>(
    left: &mut [Affine<C>],
    right: &[Affine<C>],
    products: &mut Vec<C::BaseField>,
) {
    assert_eq!(left.len(), right.len());
    products.clear(); // of all denominators before each one
    let mut product = C::BaseField::one();
    for (p, q) in left.iter().zip(right) {
        products.push(product);
        product = product.times(&denominator(p, q));
    }
    let mut inverse = product.inverse().expect("no denominator is zero");
    for ((p, q), before) in left.iter_mut().zip(right).zip(products.iter()).rev() {
        let denominator = denominator(p, q);
        *p = add(p, q, &inverse.times(before));
        inverse = inverse.times(&denominator);
    }
}

/// What the slope of the line through both points is divided by; 1 where no slope is asked for.
#[inline]
fn denominator<C: Curve>(p: &Affine<C>, q: &Affine<C>) -> C::BaseField {
    let dx = q.x.minus(&p.x);
    if !dx.is_zero() && !p.is_zero() && !q.is_zero() {
        dx
    } else if p == q && !p.is_zero() {
        p.y.double() // not zero: no point of odd order has y = 0
    } else {
        C::BaseField::one()
    }
}

/// `p + q`, with the inverse of their denominator.
#[inline]
fn add<C: Curve>(p: &Affine<C>, q: &Affine<C>, inverse: &C::BaseField) -> Affine<C> {
    if p.is_zero() {
        return *q;
    }
    if q.is_zero() {
        return *p;
    }
    let slope = if p.x != q.x {
        q.y.minus(&p.y).times(inverse)
    } else if p.y == q.y {
        let square = p.x.square();
        (square.double() + square).times(inverse)
    } else {
        return Affine::zero();
    };
    let x = slope.squared().minus(&p.x).minus(&q.x);
    Affine::new_unchecked(x, slope.times(&p.x.minus(&x)).minus(&p.y))
}
