//! A closed curve that is nearly a circle, and how it is laid along an edge in an image.
//!
//! Pupils and irises are not round: the pupil is pulled out of shape by its muscle, the iris is seen from the side when
//! the eye looks away. A short Fourier series of the radius (Daugman 2007, "New methods in iris recognition", section II)
//! follows both and stays smooth where the edge is hidden. Knows nothing about which edge it is.

use std::f32::consts::TAU;

use super::Circle;
use crate::plane::Plane;

/// Waves around the circle beyond its centre and size: 2 makes it oval, 3 and 4 uneven.
const WAVES: usize = 3;

/// A nearly circular closed curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contour {
    /// The circle that fits it best.
    pub circle: Circle,
    /// Cosine and sine parts of the radius for 2, 3 and 4 waves around, as shares of the circle's radius.
    waves: [[f32; 2]; WAVES],
}

impl From<Circle> for Contour {
    fn from(circle: Circle) -> Self {
        Self { circle, waves: [[0.0; 2]; WAVES] }
    }
}

impl Contour {
    /// The point at angle `theta`, from 3 o'clock towards 6 o'clock.
    pub fn at(&self, theta: f32) -> (f32, f32) {
        let (sin, cos) = theta.sin_cos();
        let r = self.circle.r * self.stretch(cos, sin);
        (self.circle.x + r * cos, self.circle.y + r * sin)
    }

    /// Its smallest radius over its largest.
    pub(crate) fn circularity(&self) -> f32 {
        let stretches = (0..DIRECTIONS).map(|i| {
            let (sin, cos) = (TAU * i as f32 / DIRECTIONS as f32).sin_cos();
            self.stretch(cos, sin)
        });
        let (least, most) =
            stretches.fold((f32::MAX, f32::MIN), |(least, most), r| (least.min(r), most.max(r)));
        (least / most).max(0.0)
    }

    /// Radius in the direction `(cos, sin)`, over that of the circle.
    fn stretch(&self, cos: f32, sin: f32) -> f32 {
        let (mut c, mut s) = (cos, sin);
        self.waves.iter().fold(1.0, |sum, [even, odd]| {
            (c, s) = (c * cos - s * sin, s * cos + c * sin); // one wave more
            sum + even * c + odd * s
        })
    }
}

/// Which edge a contour is laid along.
pub(super) struct Edge {
    /// How far from the circle it may lie, as a share of the radius.
    pub(super) reach: f32,
    /// Distance of the two points whose brightness is compared from the edge between them, as a share of the radius.
    pub(super) half: f32,
    /// A step in brightness beyond which an edge does not count for more, in grey levels.
    pub(super) steepest: f32,
    /// Up to how many waves the contour may have, 1 to 4: 1 moves the circle only.
    pub(super) waves: usize,
    /// How much the contour resists being bent, against what the edge says, in directions.
    pub(super) stiffness: f32,
    /// Whether the edge can be seen in a direction, of which the cosine and sine are given.
    pub(super) seen: fn(f32, f32) -> bool,
}

const DIRECTIONS: usize = 96;

/// Residual, as a share of the radius, at which a direction counts half.
const SCATTER: f32 = 0.015;

/// One point of an edge.
struct Point {
    cos: f32,
    sin: f32,
    /// Distance from the circle, as a share of its radius.
    off: f32,
    /// How clear the edge is there, 0 to 1.
    weight: f32,
}

/// The contour that lies along an edge near `start`; `start` itself where too little of the edge is seen.
pub(super) fn fitted(image: &Plane, start: Circle, edge: &Edge) -> Contour {
    let points: Vec<Point> = (0..DIRECTIONS)
        .filter_map(|i| {
            let (sin, cos) = (TAU * i as f32 / DIRECTIONS as f32).sin_cos();
            (edge.seen)(cos, sin).then(|| clearest(image, start, edge, cos, sin)).flatten()
        })
        .collect();
    if points.len() < DIRECTIONS / 4 {
        return start.into();
    }
    let mut series = [0.0; 2 * (WAVES + 1) + 1];
    // Robust regression: a lash or a lid gives a clear edge in the wrong place. Weights settle in a few rounds.
    for round in 0..4 {
        let scatter = if round == 0 { edge.reach } else { SCATTER };
        series = regression(&points, &series, scatter, edge);
    }
    let [size, x, y, ..] = series;
    let r = start.r * (1.0 + size);
    let circle = Circle { x: start.x + start.r * x, y: start.y + start.r * y, r };
    let waves =
        std::array::from_fn(|k| [series[2 * k + 3], series[2 * k + 4]].map(|part| part * start.r / r));
    Contour { circle, waves }
}

/// Where the step in brightness is clearest along one direction.
fn clearest(image: &Plane, start: Circle, edge: &Edge, cos: f32, sin: f32) -> Option<Point> {
    let half = (edge.half * start.r).max(1.0);
    let reach = edge.reach * start.r;
    let sample = |r: f32| image.sample(start.x + r * cos, start.y + r * sin);
    let places = (reach * 2.0).max(2.0) as i32; // every half pixel
    let off = |place: i32| reach * place as f32 / places as f32;
    let steps: Option<Vec<(f32, f32)>> = (-places..=places)
        .map(off)
        .map(|off| Some((off, sample(start.r + off + half)? - sample(start.r + off - half)?)))
        .collect();
    let steps = steps?;
    // Of two equal edges the nearer one.
    let score =
        |(off, step): (f32, f32)| step.min(edge.steepest) - 0.3 * edge.steepest * (off / reach).powi(2);
    let &(best, highest) = steps.iter().max_by(|a, b| score(**a).total_cmp(&score(**b)))?;
    let clear = score((best, highest));
    // Clamped, a clear edge is flat on top: it lies in the middle of what stands out around it.
    let around = steps.iter().filter(|(off, _)| (off - best).abs() <= 2.0 * half);
    let (sum, weight) = around
        .map(|(off, step)| (off, (step - highest / 2.0).max(0.0)))
        .fold((0.0, 0.0), |(sum, weight), (off, w)| (sum + off * w, weight + w));
    (clear > 0.0).then(|| Point {
        cos,
        sin,
        off: sum / weight / start.r,
        weight: (clear / edge.steepest).min(1.0),
    })
}

/// One round of weighted least squares for the series, with the weights that the last round's residuals give.
fn regression<const N: usize>(points: &[Point], last: &[f32; N], scatter: f32, edge: &Edge) -> [f32; N] {
    let terms = 2 * edge.waves + 1;
    let mut normal = [[0.0_f64; N]; N];
    let mut right = [0.0_f64; N];
    for point in points {
        let basis = basis::<N>(point.cos, point.sin);
        let model: f32 = basis.iter().zip(last).map(|(b, l)| b * l).sum();
        let weight = f64::from(point.weight / (1.0 + ((point.off - model) / scatter).powi(2)));
        for i in 0..terms {
            right[i] += weight * f64::from(basis[i] * point.off);
            for j in 0..terms {
                normal[i][j] += weight * f64::from(basis[i] * basis[j]);
            }
        }
    }
    for (i, row) in normal.iter_mut().enumerate() {
        let waves = i.div_ceil(2);
        // Centre and size hold on a little, so that an arc alone does not carry them away; finer waves more.
        row[i] += f64::from(edge.stiffness) * if waves < 2 { 0.1 } else { (waves * waves) as f64 };
    }
    solved(normal, right).map(|term| term as f32)
}

/// 1, cos, sin, cos 2θ, sin 2θ, …
fn basis<const N: usize>(cos: f32, sin: f32) -> [f32; N] {
    let mut basis = [1.0; N];
    let (mut c, mut s) = (cos, sin);
    for pair in basis[1..].chunks_exact_mut(2) {
        pair.copy_from_slice(&[c, s]);
        (c, s) = (c * cos - s * sin, s * cos + c * sin);
    }
    basis
}

/// Solves a positive definite system by elimination.
fn solved<const N: usize>(mut left: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for i in 0..N {
        for j in i + 1..N {
            let factor = left[j][i] / left[i][i];
            let pivot = left[i];
            left[j].iter_mut().zip(pivot).for_each(|(term, above)| *term -= factor * above);
            right[j] -= factor * right[i];
        }
    }
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|k| left[i][k] * right[k]).sum();
        right[i] = (right[i] - known) / left[i][i];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGE: Edge =
        Edge { reach: 0.15, half: 0.08, steepest: 40.0, waves: 4, stiffness: 0.05, seen: |_, _| true };

    /// Dark inside of an oval around (100, 90), brighter outside.
    fn oval(wide: f32, high: f32) -> Plane {
        let mut plane = Plane::filled(200, 180, 120);
        for y in 0..180 {
            for (x, pixel) in plane.row_mut(y).iter_mut().enumerate() {
                let (x, y) = (x as f32 - 100.0, y as f32 - 90.0);
                if (x / wide).powi(2) + (y / high).powi(2) < 1.0 {
                    *pixel = 40;
                }
            }
        }
        plane.blurred(1.0).unwrap()
    }

    #[track_caller]
    fn assert_on_oval(contour: &Contour, wide: f32, high: f32, tolerance: f32) {
        for i in 0..64 {
            let (x, y) = contour.at(TAU * i as f32 / 64.0);
            let at = ((x - 100.0) / wide).hypot((y - 90.0) / high);
            assert!(
                (at - 1.0).abs() * wide.min(high) < tolerance,
                "direction {i}: {at} of the oval's radius"
            );
        }
    }

    #[test]
    fn follows_an_oval_from_a_circle_beside_it() {
        let start = Circle { x: 101.0, y: 89.0, r: 49.0 };
        assert_on_oval(&fitted(&oval(52.0, 45.0), start, &EDGE), 52.0, 45.0, 1.0);
    }

    #[test]
    fn without_an_edge_it_stays_where_it_was() {
        let start = Circle { x: 100.0, y: 90.0, r: 40.0 };
        assert_eq!(fitted(&Plane::filled(200, 180, 90), start, &EDGE), start.into());
        let outside = Circle { x: 500.0, y: -300.0, r: 40.0 };
        assert_eq!(fitted(&oval(50.0, 48.0), outside, &EDGE), outside.into());
    }

    #[test]
    fn a_waveless_contour_is_its_circle() {
        let circle = Circle { x: 10.0, y: 20.0, r: 5.0 };
        for theta in [0.0, 1.0, 4.0] {
            assert_eq!(Contour::from(circle).at(theta), circle.at(theta));
        }
    }
}
