//! What every pixel is, as a network says it, turned into boundaries: silhouettes are images whose edges are clear, so that
//! the same curves are laid along them as along the edges of the eye itself.
//!
//! Knows nothing about networks.

use std::f32::consts::PI;

use super::Segmentation;
use crate::boundary::{self, Circle};
use crate::plane::Plane;

/// Probabilities of four classes for every pixel of an image, 255 for certain. All have the image's size.
pub(super) struct Classes {
    /// The white of the eye.
    pub(super) eyeball: Plane,
    pub(super) iris: Plane,
    pub(super) pupil: Plane,
    pub(super) lashes: Plane,
}

/// From here on a pixel belongs to a class.
const LIKELY: u8 = 128;

/// Smallest pupil that is believed, in pixels.
const LEAST_PUPIL: f32 = 4.0;

/// How much longer than high an eye's opening is, at least, for its direction to say how the eye is turned.
const LEAST_ELONGATION: f32 = 1.3;

impl Classes {
    /// The eye in `image`, or `None` if there is no pupil within an iris.
    pub(super) fn segmentation(&self, image: &Plane) -> opencv::Result<Option<Segmentation>> {
        let disc = pixelwise(&self.iris, &self.pupil, u8::max);
        let Some(pupil) = Shape::of(&self.pupil).map(|shape| shape.circle()) else { return Ok(None) };
        let Some(iris) = around(&disc, pupil) else { return Ok(None) };
        let [pupil_shadow, iris_shadow] = [&self.pupil, &disc].map(|of| pixelwise(of, of, |value, _| !value));
        let boundaries = boundary::traced(image, [(&pupil_shadow, pupil), (&iris_shadow, iris)])?;
        let covered =
            pixelwise(
                &disc,
                &self.lashes,
                |disc, lashes| {
                    if disc < LIKELY || lashes >= LIKELY { u8::MAX } else { 0 }
                },
            );
        let tilt = Shape::of(&pixelwise(&disc, &self.eyeball, u8::max)).map_or(0.0, |opening| opening.tilt());
        Ok(Some(Segmentation { boundaries, covered, tilt }))
    }
}

fn pixelwise(a: &Plane, b: &Plane, of: impl Fn(u8, u8) -> u8) -> Plane {
    let mut made = Plane::filled(a.width(), a.height(), 0);
    for y in 0..a.height() {
        let pixels = a.row(y).iter().zip(b.row(y));
        made.row_mut(y).iter_mut().zip(pixels).for_each(|(to, (&a, &b))| *to = of(a, b));
    }
    made
}

/// Where the iris around `pupil` ends, roughly: the middle one of all rows that cross the middle of the pupil, left and
/// right. Above and below lids would be taken for its end.
fn around(disc: &Plane, pupil: Circle) -> Option<Circle> {
    let half = pupil.r / 2.0;
    let rows = (pupil.y - half).max(0.0) as usize..=((pupil.y + half) as usize).min(disc.height() - 1);
    let middle = (pupil.x as usize).min(disc.width() - 1);
    let (mut left, mut right): (Vec<usize>, Vec<usize>) = rows
        .map(|y| {
            let inside = |&x: &usize| disc.row(y)[x] >= LIKELY;
            let left = (0..middle).rev().take_while(inside).count();
            let right = (middle..disc.width()).take_while(inside).count();
            (middle - left, middle + right)
        })
        .unzip();
    let median = |ends: &mut Vec<usize>| {
        let at = ends.len() / 2;
        *ends.select_nth_unstable(at).1 as f32
    };
    let (left, right) = (median(&mut left), median(&mut right));
    let iris = Circle { x: f32::midpoint(left, right), y: pupil.y, r: (right - left) / 2.0 };
    (iris.r > pupil.r).then_some(iris)
}

/// Area, middle and spread of the pixels of a class.
struct Shape {
    area: f32,
    x: f32,
    y: f32,
    /// Covariance of the pixels' places: xx, xy, yy.
    spread: [f32; 3],
}

impl Shape {
    /// `None` if there are too few pixels to be a pupil.
    fn of(class: &Plane) -> Option<Self> {
        let likely = || {
            (0..class.height()).flat_map(|y| {
                let row = class.row(y).iter().enumerate();
                row.filter(|&(_, &value)| value >= LIKELY).map(move |(x, _)| (x as f64, y as f64))
            })
        };
        let area = likely().count() as f64;
        if area < f64::from(PI * LEAST_PUPIL * LEAST_PUPIL) {
            return None;
        }
        let (x, y) = likely().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x / area, sy + y / area));
        let spread = likely().fold([0.0; 3], |[xx, xy, yy], (px, py)| {
            let (dx, dy) = (px - x, py - y);
            [xx + dx * dx / area, xy + dx * dy / area, yy + dy * dy / area]
        });
        Some(Self { area: area as f32, x: x as f32, y: y as f32, spread: spread.map(|part| part as f32) })
    }

    /// The circle of the same middle and area.
    fn circle(&self) -> Circle {
        Circle { x: self.x, y: self.y, r: (self.area / PI).sqrt() }
    }

    /// Direction of the longer axis in radians, from 3 o'clock towards 6 o'clock; 0 if none is much longer.
    fn tilt(&self) -> f32 {
        let [xx, xy, yy] = self.spread;
        let (mean, half) = (f32::midpoint(xx, yy), ((xx - yy) / 2.0).hypot(xy));
        let elongation = ((mean + half) / (mean - half).max(f32::MIN_POSITIVE)).sqrt();
        if elongation < LEAST_ELONGATION { 0.0 } else { (2.0 * xy).atan2(xx - yy) / 2.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Eye;
    use crate::camera::render::{Conditions, Subject, Truth};

    const SIZE: (usize, usize) = (640, 480);

    fn class(holds: impl Fn(f32, f32) -> bool) -> Plane {
        let mut plane = Plane::filled(SIZE.0, SIZE.1, 0);
        for y in 0..SIZE.1 {
            let row = plane.row_mut(y).iter_mut().enumerate();
            row.filter(|(x, _)| holds(*x as f32, y as f32)).for_each(|(_, pixel)| *pixel = 255);
        }
        plane
    }

    /// What a perfect network would say of a rendered eye.
    fn perfect(truth: &Truth) -> Classes {
        let within = |edge: crate::camera::render::Ellipse, x: f32, y: f32| {
            let (dx, dy) = (x - edge.centre[0], y - edge.centre[1]);
            dx.hypot(dy) < f32::midpoint(edge.semi_axes[0], edge.semi_axes[1])
        };
        let (sin, cos) = truth.rotation.to_radians().sin_cos();
        let [cx, cy] = truth.iris.centre;
        let open = move |x: f32, y: f32| {
            let (along, across) = ((x - cx) * cos + (y - cy) * sin, (y - cy) * cos - (x - cx) * sin);
            (along / 230.0).powi(2) + (across / 100.0).powi(2) < 1.0
        };
        let pupil = truth.pupil;
        let iris = truth.iris;
        Classes {
            eyeball: class(|x, y| open(x, y) && !within(iris, x, y)),
            iris: class(|x, y| open(x, y) && within(iris, x, y) && !within(pupil, x, y)),
            pupil: class(|x, y| within(pupil, x, y)),
            lashes: class(|x, y| (x - cx).abs() < 3.0 && y < cy - 60.0),
        }
    }

    fn turned(degrees: f32) -> (Plane, Truth) {
        let conditions = Conditions { rotation: degrees, ..Conditions::good() };
        let shot = Subject::new(6, Eye::Left).visit_under(1, conditions).shot(0);
        (Plane::of(&shot.frame), shot.truth)
    }

    #[test]
    fn boundaries_and_tilt_are_those_of_the_silhouettes() {
        for degrees in [-25.0, 0.0, 10.0] {
            let (image, truth) = turned(degrees);
            let found = perfect(&truth).segmentation(&image).unwrap().unwrap();
            for (found, truth) in [(found.boundaries.pupil, truth.pupil), (found.boundaries.iris, truth.iris)]
            {
                let circle = found.circle;
                let off = (circle.x - truth.centre[0]).hypot(circle.y - truth.centre[1]);
                let mean = f32::midpoint(truth.semi_axes[0], truth.semi_axes[1]);
                assert!(off < 2.0 && (circle.r - mean).abs() < 2.0, "{circle:?}, truth {truth:?}");
            }
            assert!((found.tilt.to_degrees() - degrees).abs() < 1.5, "{}", found.tilt.to_degrees());
            assert!(found.boundaries.pupil_step > 20.0 && found.boundaries.iris_step > 8.0);
        }
    }

    #[test]
    fn lids_and_lashes_cover() {
        let (image, truth) = turned(0.0);
        let covered = perfect(&truth).segmentation(&image).unwrap().unwrap().covered;
        let [cx, cy] = truth.iris.centre;
        assert_eq!(covered.nearest(cx + 80.0, cy), Some(0), "the iris beside the pupil");
        assert_eq!(covered.nearest(cx, cy - 80.0), Some(255), "a lash");
        assert_eq!(covered.nearest(cx, cy - 105.0), Some(255), "the lid");
    }

    #[test]
    fn no_pupil_and_no_iris_are_no_eye() {
        let (image, truth) = turned(0.0);
        let nothing = || Plane::filled(SIZE.0, SIZE.1, 0);
        let blind = Classes { pupil: nothing(), ..perfect(&truth) };
        assert!(blind.segmentation(&image).unwrap().is_none());
        let everything = Classes { iris: nothing(), ..perfect(&truth) };
        let found = everything.segmentation(&image).unwrap();
        assert!(found.is_none_or(|found| found.boundaries.iris_step < 7.5), "a pupil alone");
    }

    #[test]
    fn a_round_opening_says_nothing_about_the_tilt() {
        let shape = Shape::of(&class(|x, y| (x - 300.0).hypot(y - 200.0) < 90.0)).unwrap();
        assert!(shape.tilt().abs() < 1e-6);
        let circle = shape.circle();
        assert!((circle.r - 90.0).abs() < 0.5 && (circle.x - 300.0).abs() < 0.5, "{circle:?}");
    }
}
