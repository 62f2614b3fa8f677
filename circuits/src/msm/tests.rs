//! Against arkworks' sums of the same points and scalars.

use ark_bn254::{g1, g2};
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ec::short_weierstrass::Projective;
use ark_ec::{AdditiveGroup, AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{Field, UniformRand};
use ark_std::rand::Rng;
use proptest::prelude::*;

use super::addition::add_each;
use super::*;

const LAMBDA: Fr = <g1::Config as GLVConfig>::LAMBDA;

fn points<C: Curve>(count: usize, rng: &mut impl Rng) -> Vec<Affine<C>> {
    (0..count).map(|_| Projective::<C>::rand(rng).into_affine()).collect()
}

fn sum<C: Curve>(points: &[Affine<C>], scalars: &[Fr]) -> Affine<C> {
    let mut buckets = Buckets::new();
    buckets.add(&Table::new(points.iter().copied().enumerate()), &Digits::new(scalars));
    buckets.sum().into_affine()
}

#[track_caller]
fn check<C: Curve>(points: &[Affine<C>], scalars: &[Fr]) {
    assert_eq!(sum(points, scalars), Projective::<C>::msm(points, scalars).unwrap().into_affine());
}

fn endomorphism_is_lambda<C: Curve>() {
    for point in points::<C>(8, &mut ark_std::test_rng()) {
        assert_eq!(C::endomorphism(&point), (point * LAMBDA).into_affine());
    }
}

#[test]
fn the_endomorphism_is_the_same_lambda_in_both_groups() {
    endomorphism_is_lambda::<g1::Config>();
    endomorphism_is_lambda::<g2::Config>();
}

/// More additions than a batch takes, and thousands of buckets in use.
#[test]
fn many_points() {
    let rng = &mut ark_std::test_rng();
    let scalars: Vec<_> = (0..700).map(|_| Fr::rand(rng)).collect();
    check(&points::<g1::Config>(700, rng), &scalars);
    check(&points::<g2::Config>(200, rng), &scalars[..200]);
}

fn edges<C: Curve>() {
    let rng = &mut ark_std::test_rng();
    let p = points::<C>(4, rng);
    let k = Fr::rand(rng);
    let zero = Affine::<C>::zero();
    check::<C>(&[], &[]);
    assert_eq!(format!("{:?}", Table::new(p.iter().copied().enumerate())), "Table { points: 4, .. }");
    check(&p, &[Fr::ZERO; 4]);
    check(&p, &[Fr::ONE, -Fr::ONE, LAMBDA, -LAMBDA]);
    check(&[p[0]; 4], &[k; 4]); // equal points meet in a bucket
    check(&[p[0], -p[0], p[0], p[0]], &[k; 4]); // opposite ones too, and others after them
    check(&[p[0], -p[0]], &[k, k]); // nothing is left
    check(&[p[0], zero, p[1]], &[k, k, k]);
    check(&[p[0]].repeat(1500), &[k].repeat(1500)); // all wait for the same twenty buckets
}

#[test]
fn edges_of_both_groups() {
    edges::<g1::Config>();
    edges::<g2::Config>();
}

#[test]
fn a_table_leaves_out_the_identity() {
    let p = points::<g1::Config>(2, &mut ark_std::test_rng());
    let table = Table::new([(3, p[0]), (5, Affine::zero()), (7, p[1])].into_iter());
    assert_eq!(table.rows().map(|(column, _)| column).collect::<Vec<_>>(), [3, 7]);
    let base = Fr::from(1_u64 << WINDOW);
    for (row, point) in table.rows().zip(&p) {
        let mut expected = point.into_group();
        for multiple in row.1 {
            assert_eq!(multiple.into_group(), expected);
            expected *= base;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Small multiples of one point, so that every kind of meeting happens often.
    #[test]
    fn each_addition(pairs in prop::collection::vec((-3_i64..4, -3_i64..4), 0..40)) {
        let g = Affine::<g1::Config>::generator();
        let times = |k: i64| (g * Fr::from(k)).into_affine();
        let mut left: Vec<_> = pairs.iter().map(|(a, _)| times(*a)).collect();
        let right: Vec<_> = pairs.iter().map(|(_, b)| times(*b)).collect();
        add_each(&mut left, &right, &mut Vec::new());
        let expected: Vec<_> = pairs.iter().map(|(a, b)| times(a + b)).collect();
        prop_assert_eq!(left, expected);
    }

    #[test]
    fn small_and_large_scalars_mixed(seeds in prop::collection::vec((0_u8..6, any::<u64>()), 1..60)) {
        let rng = &mut ark_std::test_rng();
        let p = points::<g1::Config>(8, rng);
        let (points, scalars): (Vec<_>, Vec<_>) = seeds
            .iter()
            .map(|(kind, seed)| {
                let point = p[*seed as usize % p.len()];
                let scalar = match kind {
                    0 => Fr::ZERO,
                    1 => Fr::ONE,
                    2 => Fr::from(*seed),
                    3 => -Fr::from(*seed),
                    4 => Fr::from(*seed) * LAMBDA,
                    _ => Fr::rand(rng),
                };
                (if seed & 8 == 0 { point } else { -point }, scalar)
            })
            .unzip();
        check(&points, &scalars);
    }
}
