//! Where the pupil ends and the iris begins, and where the iris ends and the white begins: two closed curves.
//!
//! The pupil is the dark disc with a step in brightness all around, the limbus a softer step on the left and right
//! arcs, where lids seldom reach: Daugman's integro-differential search (1993, eq. 2), in a robust form. Each step along a
//! circle is clamped before it is averaged, so that a glint or a lash counts no more than any other direction, and
//! several pupils are kept until the limbus around each is known: the pair with the best sum of both is the eye.
//!
//! Searched coarsely on an image 160 pixels wide, refined on the frame itself, first as circles, then as curves that are
//! nearly circles. Knows nothing about lids, nor about what makes an eye good enough.

mod contour;
mod limbus;
mod pupil;

use std::f32::consts::TAU;
use std::sync::OnceLock;

pub use contour::Contour;

use crate::plane::Plane;
use contour::Edge;

/// A circle in an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    /// Centre, to the right.
    pub x: f32,
    /// Centre, downwards.
    pub y: f32,
    /// Radius.
    pub r: f32,
}

impl Circle {
    /// The point at angle `theta`, from 3 o'clock towards 6 o'clock.
    pub fn at(&self, theta: f32) -> (f32, f32) {
        (self.x + self.r * theta.cos(), self.y + self.r * theta.sin())
    }

    pub(crate) fn scaled(self, by: f32) -> Self {
        // Pixel (0, 0) of a shrunk image is the mean of several: centres of pixels, not corners, are at integers.
        let middle = |at: f32| (at + 0.5) * by - 0.5;
        Self { x: middle(self.x), y: middle(self.y), r: self.r * by }
    }

    /// Part of the disc that lies inside an image of this size, in percent.
    pub(crate) fn inside_percent(&self, width: usize, height: usize) -> u32 {
        let (mut inside, mut all) = (0, 0);
        for i in -20..=20 {
            for j in -20..=20 {
                if i * i + j * j > 400 {
                    continue;
                }
                let (x, y) = (self.x + self.r * i as f32 / 20.0, self.y + self.r * j as f32 / 20.0);
                all += 1;
                inside += u32::from(x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32);
            }
        }
        inside * 100 / all
    }
}

/// The two edges of an iris, and how clear they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boundaries {
    /// Between pupil and iris.
    pub pupil: Contour,
    /// Between iris and white.
    pub iris: Contour,
    /// Step in brightness across the pupil's edge where it is weak, in grey levels: three quarters of all directions have
    /// more.
    pub pupil_step: f32,
    /// Mean step in brightness across the limbus, mostly of the weaker side, in grey levels, each direction clamped to 18.
    pub iris_step: f32,
    /// How far the pupil's centre moves if only one half of its edge is looked at, the half that moves it farthest, as a
    /// share of its radius. Where a lid or a glint was taken for the edge, one half says something else than the others.
    pub pupil_disagreement: f32,
}

/// Width of the image that is searched coarsely. A pupil of the smallest iris that is of use (radius 50 of 320 pixels) then
/// still measures 8 pixels across.
const COARSE_WIDTH: usize = 160;

/// Directions in which a pupil's edge is looked at.
const DIRECTIONS: usize = 32;

/// Pairs of pupil and limbus that are refined on the frame.
const HYPOTHESES: usize = 3;

/// A step beyond which an edge does not count for more, in grey levels.
const STEEPEST_PUPIL: f32 = 40.0;
const STEEPEST_LIMBUS: f32 = 18.0;

/// The pupil's edge is seen all around.
const PUPIL: Edge =
    Edge { reach: 0.15, half: 0.08, steepest: STEEPEST_PUPIL, waves: 4, stiffness: 0.05, seen: |_, _| true };

/// The limbus is seen left and right, from 40° above the horizontal to 55° below it: upper lids hang lower.
const LIMBUS: Edge = Edge {
    reach: 0.08,
    half: 0.05,
    steepest: STEEPEST_LIMBUS,
    waves: 2,
    stiffness: 1.0,
    seen: |_, sin| sin > -0.64 && sin < 0.82,
};

/// The halves of a circle: right, left, lower, upper. Of each the cosine and sine of a direction are given.
const HALVES: [fn(f32, f32) -> bool; 4] =
    [|cos, _| cos > 0.0, |cos, _| cos < 0.0, |_, sin| sin > 0.0, |_, sin| sin < 0.0];

/// What could be an eye.
struct Hypothesis {
    pupil: Circle,
    iris: Circle,
    /// Step in brightness across the limbus, in grey levels.
    iris_step: f32,
    /// How much it looks like an eye; comparable within one image only.
    clarity: f32,
}

impl Hypothesis {
    fn new(pupil: (Circle, f32), iris: (Circle, f32)) -> Self {
        let clarity = pupil.1 / STEEPEST_PUPIL + iris.1 / STEEPEST_LIMBUS;
        Self { pupil: pupil.0, iris: iris.0, iris_step: iris.1, clarity }
    }
}

/// The boundaries of the likeliest eye in the image, or `None` if nothing in it looks like one.
pub(crate) fn find(image: &Plane) -> opencv::Result<Option<Boundaries>> {
    let scale = image.width() as f32 / COARSE_WIDTH as f32;
    let height = (image.height() as f32 / scale).round().max(1.0) as usize;
    let coarse = image.resized(COARSE_WIDTH, height)?.opened(7)?.blurred(0.8)?;
    let [fine, soft] = smoothed(image)?;
    let dark = quantile(&coarse, 100);
    let mut seen: Vec<Hypothesis> = pupil::candidates(&coarse, dark, quantile(&coarse, 2))
        .into_iter()
        .filter_map(|pupil| Some(Hypothesis::new(pupil, limbus::around(&coarse, pupil.0)?)))
        .collect();
    seen.sort_by(|a, b| b.clarity.total_cmp(&a.clarity));
    let refined = seen.iter().take(HYPOTHESES).map(|coarse| {
        // Selected by clamped steps, placed by full ones: a clamped step is flat on top.
        let pupil = climb(coarse.pupil.scaled(scale), scale, |c| pupil_score(&fine, c, dark, 120.0));
        let iris = climb(coarse.iris.scaled(scale), scale, |c| limbus::step(&soft, c, pupil, 60.0));
        let pupil_clarity = pupil_score(&fine, pupil, dark, STEEPEST_PUPIL);
        Hypothesis::new((pupil, pupil_clarity), (iris, limbus::step(&soft, iris, pupil, STEEPEST_LIMBUS)))
    });
    let best = refined.max_by(|a, b| a.clarity.total_cmp(&b.clarity));
    Ok(best.map(|eye| {
        let pupil = contour::fitted(&fine, eye.pupil, &PUPIL);
        Boundaries {
            pupil,
            iris: contour::fitted(&soft, eye.iris, &LIMBUS),
            pupil_step: weak_step(&fine, eye.pupil),
            iris_step: eye.iris_step,
            pupil_disagreement: disagreement(&fine, pupil.circle),
        }
    }))
}

/// The boundaries along the edges of two silhouettes, dark on bright, of which the circles are known roughly. How clear
/// they are is measured on `image`.
#[cfg(any(test, feature = "onnx"))]
pub(crate) fn traced(image: &Plane, [pupil, iris]: [(&Plane, Circle); 2]) -> opencv::Result<Boundaries> {
    let [fine, soft] = smoothed(image)?;
    let pupil = contour::fitted(pupil.0, pupil.1, &PUPIL);
    let iris = contour::fitted(iris.0, iris.1, &LIMBUS);
    Ok(Boundaries {
        pupil,
        iris,
        pupil_step: weak_step(&fine, pupil.circle),
        iris_step: limbus::step(&soft, iris.circle, pupil.circle, STEEPEST_LIMBUS),
        pupil_disagreement: disagreement(&fine, pupil.circle),
    })
}

/// The frame as the pupil's edge is looked for, and as the limbus is, which is less sharp: blurred by half a pixel and by
/// one pixel of the coarse image.
fn smoothed(image: &Plane) -> opencv::Result<[Plane; 2]> {
    let coarse_pixel = image.width() as f64 / COARSE_WIDTH as f64;
    Ok([image.blurred(0.5 * coarse_pixel)?, image.blurred(coarse_pixel)?])
}

/// The brightness below which one of `part` pixels lies.
fn quantile(image: &Plane, part: usize) -> f32 {
    let mut counts = [0_usize; 256];
    image.pixels().iter().for_each(|&v| counts[usize::from(v)] += 1);
    let wanted = image.pixels().len() / part;
    let below = counts.iter().scan(0, |below, count| {
        *below += count;
        Some(*below)
    });
    below.take_while(|&below| below <= wanted).count() as f32
}

/// How much a circle looks like the edge of a pupil, in grey levels: the mean step across it, each direction clamped to
/// `steepest`, less what the inside is brighter than the `dark`est of the image.
fn pupil_score(image: &Plane, circle: Circle, dark: f32, steepest: f32) -> f32 {
    let d = (circle.r * 0.1).max(1.0);
    let (mut step, mut bright, mut seen) = (0.0, 0.0, 0);
    for &(cos, sin) in directions() {
        let sample = |r: f32| image.sample(circle.x + r * cos, circle.y + r * sin);
        if let (Some(inside), Some(outside)) = (sample(circle.r - d), sample(circle.r + d)) {
            step += (outside - inside).clamp(-10.0, steepest);
            bright += (inside - dark).clamp(0.0, steepest);
            seen += 1;
        }
    }
    if seen * 4 < DIRECTIONS * 3 { f32::MIN } else { (step - 0.5 * bright) / seen as f32 }
}

/// The step across a circle that three quarters of all directions exceed.
fn weak_step(image: &Plane, circle: Circle) -> f32 {
    let d = (circle.r * 0.1).max(1.0);
    let mut steps = directions().map(|(cos, sin)| {
        let sample = |r: f32| image.sample(circle.x + r * cos, circle.y + r * sin);
        sample(circle.r + d).zip(sample(circle.r - d)).map_or(0.0, |(outside, inside)| outside - inside)
    });
    steps.sort_unstable_by(f32::total_cmp);
    steps[DIRECTIONS / 4]
}

/// How far apart the centres are that `pupil` and the halves of its edge have, as a share of its radius.
fn disagreement(image: &Plane, pupil: Circle) -> f32 {
    let centres = HALVES.map(|seen| contour::fitted(image, pupil, &Edge { waves: 1, seen, ..PUPIL }).circle);
    centres.iter().map(|half| (half.x - pupil.x).hypot(half.y - pupil.y)).fold(0.0, f32::max) / pupil.r
}

/// Unit vectors all around.
fn directions() -> &'static [(f32, f32); DIRECTIONS] {
    static ALL: OnceLock<[(f32, f32); DIRECTIONS]> = OnceLock::new();
    ALL.get_or_init(|| {
        std::array::from_fn(|i| {
            let (sin, cos) = (TAU * i as f32 / DIRECTIONS as f32).sin_cos();
            (cos, sin)
        })
    })
}

/// Climbs from `start` to the nearest maximum of `score`, in steps from `step` pixels down to an eighth of that.
fn climb(start: Circle, step: f32, score: impl Fn(Circle) -> f32) -> Circle {
    let (mut best, mut best_score) = (start, score(start));
    let mut step = step;
    let last = step / 8.0;
    while step >= last {
        let Circle { x, y, r } = best;
        let moves = [
            (step, 0.0, 0.0),
            (-step, 0.0, 0.0),
            (0.0, step, 0.0),
            (0.0, -step, 0.0),
            (0.0, 0.0, step),
            (0.0, 0.0, -step),
            (step, 0.0, step),
            (-step, 0.0, step),
            (step, 0.0, -step),
            (-step, 0.0, -step),
            (0.0, step, step),
            (0.0, -step, step),
            (0.0, step, -step),
            (0.0, -step, -step),
        ];
        let next = moves
            .map(|(dx, dy, dr)| Circle { x: x + dx, y: y + dy, r: r + dr })
            .map(|circle| (circle, score(circle)))
            .into_iter()
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match next {
            Some((circle, score)) if score > best_score => (best, best_score) = (circle, score),
            _ => step /= 2.0,
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pupil of radius 40 in an iris of radius 90 around (160, 120), under a lid that hangs `hang` pixels into the
    /// pupil.
    fn eye(hang: f32) -> Plane {
        let mut plane = Plane::filled(320, 240, 0);
        for y in 0..240 {
            for (x, pixel) in plane.row_mut(y).iter_mut().enumerate() {
                let from_centre = (x as f32 - 160.0).hypot(y as f32 - 120.0);
                *pixel = match from_centre {
                    _ if (y as f32) < 120.0 - 40.0 + hang => 170,
                    ..40.0 => 30,
                    ..90.0 => 110,
                    _ => 180,
                };
            }
        }
        plane.blurred(1.0).unwrap()
    }

    #[test]
    fn the_halves_of_a_whole_pupil_agree() {
        let found = find(&eye(-30.0)).unwrap().unwrap();
        assert!(found.pupil_disagreement < 0.02, "{found:?}");
        let circle = found.pupil.circle;
        assert!(
            (circle.x - 160.0).hypot(circle.y - 120.0) < 1.0 && (circle.r - 40.0).abs() < 1.0,
            "{circle:?}"
        );
    }

    #[test]
    fn the_halves_of_a_pupil_under_a_lid_disagree() {
        let allowed = crate::quality::Limits::default().pupil_disagreement as f32 / 100.0;
        for hang in [16.0, 24.0, 32.0] {
            let found = find(&eye(hang)).unwrap().unwrap();
            assert!(found.pupil_disagreement > allowed, "{hang} pixels: {found:?}");
        }
    }
}
