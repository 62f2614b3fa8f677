//! How far an eye is turned in the image, by the direction in which its lids run.
//!
//! Lids and their shadows are the strongest edges around an iris, and most of them run along the eye. Their mean direction is
//! that of the structure tensor (Bigün and Granlund 1987, "Optimal orientation detection of linear symmetry") over a ring
//! around the iris.
//!
//! It is a rough measure: lids of upright eyes run within 20° of the horizontal in nine of ten images of three public sets
//! and within 35° in 49 of 50; of images turned by up to 50° they ran as much farther. So it is used only where it says more
//! than that: an eye within [`SLANT`] counts as upright, one beyond is turned back to there. Two images of one eye are then
//! no farther apart than by how far the head turned, or by how much this differs between them, whichever is more.

use crate::boundary::Circle;
use crate::plane::Plane;

/// Radius of the iris in the image that is looked at, in pixels.
const RADIUS: f32 = 25.0;
/// The ring, in radii of the iris: beyond its edge, and before brows and the borders of most images.
const RING: [f32; 2] = [1.12, 1.5];
/// The smallest outer radius that says anything.
const NARROWEST: f32 = 1.3;
/// Blur of the image, in radii: lashes are thinner, lids are not.
const BLUR: f32 = 0.15;
/// A step in brightness across [`BLUR`] beyond which an edge does not count for more, in grey levels.
const STEEPEST: f32 = 12.0;
/// How much of all edges has to run one way, of 1: the coherence of the structure tensor. Where lashes and shadows run every
/// way, the mean says nothing, and differs from visit to visit.
const SINGLE_MINDED: f32 = 0.3;
/// How far from the horizontal the lids of an upright eye run, in degrees. With less, more images of one eye get apart than
/// come together; with more, heads may turn less.
const SLANT: f32 = 20.0;

/// How far the eye around `iris` is turned, in radians, clockwise in the image; 0 for one that is nearly upright.
pub(crate) fn tilt(image: &Plane, iris: Circle) -> opencv::Result<f32> {
    let scale = RADIUS / iris.r;
    let scaled = |pixels: usize| ((pixels as f32 * scale).round() as usize).max(1);
    let small = image.resized(scaled(image.width()), scaled(image.height()))?;
    let direction = direction(&small.blurred(f64::from(BLUR * RADIUS))?, iris.scaled(scale));
    let beyond = (direction.abs() - SLANT.to_radians()).max(0.0);
    Ok(beyond.copysign(direction))
}

/// The mean direction of the edges around `iris`, −π/2 to π/2; 0 where they have none.
fn direction(image: &Plane, iris: Circle) -> f32 {
    let half = BLUR * iris.r / 2.0;
    // No farther than the nearest border: a ring that is cut off on two sides has a direction of its own.
    let border = [iris.x, iris.y, image.width() as f32 - 1.0 - iris.x, image.height() as f32 - 1.0 - iris.y];
    let outer = border.into_iter().fold(RING[1] * iris.r, |outer, border| outer.min(border - half));
    if outer < NARROWEST * iris.r {
        return 0.0;
    }
    let reach = outer.ceil() as i32;
    let (mut along, mut across, mut all) = (0.0_f32, 0.0, 0.0);
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let (dx, dy) = (dx as f32, dy as f32);
            if !(RING[0] * iris.r..outer).contains(&dx.hypot(dy)) {
                continue;
            }
            let at = |sideways: f32, down: f32| image.sample(iris.x + dx + sideways, iris.y + dy + down);
            let ends = (at(-half, 0.0), at(half, 0.0), at(0.0, -half), at(0.0, half));
            if let (Some(left), Some(right), Some(above), Some(below)) = ends {
                let (gx, gy) = (right - left, below - above);
                let weight = (STEEPEST / gx.hypot(gy).max(STEEPEST)).powi(2);
                along += weight * (gy * gy - gx * gx); // an edge runs across its gradient
                across -= weight * 2.0 * gx * gy;
                all += weight * (gx * gx + gy * gy);
            }
        }
    }
    if along.hypot(across) < SINGLE_MINDED * all {
        return 0.0;
    }
    across.atan2(along) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Eye;
    use crate::camera::render::{Conditions, Subject};

    /// An iris between two straight lids that run `degrees` off the horizontal.
    fn drawn(degrees: f32) -> Plane {
        let mut plane = Plane::filled(320, 240, 0);
        let (sin, cos) = degrees.to_radians().sin_cos();
        for y in 0..240 {
            for (x, pixel) in plane.row_mut(y).iter_mut().enumerate() {
                let (dx, dy) = (x as f32 - 160.0, y as f32 - 120.0);
                let height = dy * cos - dx * sin;
                *pixel = match dx.hypot(dy) {
                    _ if height.abs() > 60.0 => 200,
                    ..70.0 => 90,
                    _ => 150,
                };
            }
        }
        plane
    }

    #[test]
    fn lids_say_how_far_an_eye_is_turned() {
        let iris = Circle { x: 160.0, y: 120.0, r: 70.0 };
        for degrees in [-70.0, -45.0, -30.0, -15.0, 0.0, 10.0, 19.0, 25.0, 60.0_f32] {
            let expected = (degrees.abs() - SLANT).max(0.0).copysign(degrees);
            let found = tilt(&drawn(degrees), iris).unwrap().to_degrees();
            assert!((found - expected).abs() < 3.0, "{degrees}°: {found}° instead of {expected}°");
        }
    }

    /// Ten degrees nearer at least, but for lids that run far off the horizontal the other way.
    #[test]
    fn drawn_people_turn_back_as_they_are_turned() {
        let turned = |person: u64, degrees: f32| {
            let conditions = Conditions { rotation: degrees, ..Conditions::good() };
            let shot = Subject::new(person, Eye::Left).visit_under(1, conditions).shot(0);
            let [x, y] = shot.truth.iris.centre;
            let r = f32::midpoint(shot.truth.iris.semi_axes[0], shot.truth.iris.semi_axes[1]);
            tilt(&Plane::of(&shot.frame), Circle { x, y, r }).unwrap().to_degrees()
        };
        let upright: Vec<f32> = (0..10).map(|person| turned(person, 0.0)).collect();
        for degrees in [-38.0, 38.0_f32] {
            let left: Vec<f32> = (0..10)
                .zip(&upright)
                .map(|(person, upright)| degrees + upright - turned(person, degrees))
                .collect();
            let nearer = left.iter().filter(|left| left.abs() < 28.0).count();
            assert!(nearer >= 8, "{degrees}° leaves {left:?}");
        }
        let as_they_are = upright.iter().filter(|tilt| tilt.abs() < 1.0).count();
        assert!(as_they_are >= 8, "{as_they_are} of 10 upright eyes are taken as they are");
    }

    #[test]
    fn an_image_without_edges_is_upright() {
        let iris = Circle { x: 5.0, y: 5.0, r: 60.0 };
        assert!(tilt(&Plane::filled(320, 240, 90), iris).unwrap().abs() < f32::EPSILON);
    }
}
