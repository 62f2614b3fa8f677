//! Where everything is in one picture, and the inverse rubber sheet.
//!
//! Three frames of reference, all in pixels, `x` right and `y` down:
//!
//! ```text
//! picture ──(undo offset and head tilt)──► head, origin at the eye's middle: lids, lashes, skin
//!         ──(undo gaze: shift, stretch)──► iris plane, origin at the iris centre: two round boundaries
//! ```
//!
//! The rubber sheet (Daugman 2004, section 3) joins the two boundaries linearly: at radius ρ lies the circle with centre
//! `(1 − ρ)·pupil` and radius `(1 − ρ)·r_pupil + ρ·r_iris`. Its inverse is the root of a quadratic equation.

use std::f32::consts::TAU;

use super::anatomy::{Anatomy, HALF_FISSURE};
use super::conditions::Conditions;
use super::shape::{Point, Turn, lerp};
use super::truth::Ellipse;
use super::{HEIGHT, WIDTH};

/// Distance from the eyeball's centre of rotation to the iris plane over the iris radius: 11 mm / 5.85 mm.
const EYEBALL: f32 = 11.0 / 5.85;
/// Where the shut lids meet, in iris radii under the iris centre.
const SHUT: f32 = 0.6;
/// How far the shut upper lid overlaps the lower, in iris radii, so that no slit remains.
const OVERLAP: f32 = 0.02;

/// The geometry of one picture.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    middle: Point,
    pub(super) tilt: Turn,
    tilt_radians: f32,
    /// Iris centre in the head frame.
    gaze_shift: Point,
    gaze_axis: Turn,
    gaze_axis_radians: f32,
    /// Cosine of the gaze angle: what a disc shrinks to along the axis.
    foreshortening: f32,
    /// Iris radius in pixels.
    pub(super) radius: f32,
    pupil: Point,
    pupil_radius: f32,
    pupil_ellipticity: f32,
    pupil_axis: f32,
    pub(super) lids: Lids,
}

/// A place on the eye's surface in the rubber sheet's coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Polar {
    /// Radians, from the right, clockwise.
    pub(super) angle: f32,
    /// 0 on the pupil's edge, 1 on the rim; negative inside the pupil.
    pub(super) radius: f32,
}

/// The eye's opening between two arcs, in the head frame.
#[derive(Debug, Clone)]
pub(super) struct Lids {
    pub(super) upper: Arc,
    pub(super) lower: Arc,
    /// Half the distance between the corners, in pixels.
    pub(super) half_width: f32,
}

/// A lid's edge: `y = apex + slant·x + curvature·x²`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    apex: f32,
    slant: f32,
    curvature: f32,
}

impl Arc {
    /// The edge's height at `x`.
    pub(super) fn at(self, x: f32) -> f32 {
        self.apex + (self.slant + self.curvature * x) * x
    }
}

impl Lids {
    fn new(anatomy: &Anatomy, radius: f32, openness: f32) -> Self {
        let openness = openness.clamp(0.0, 1.2);
        let half_width = HALF_FISSURE * radius;
        let [nose, temple] = anatomy.corners.map(|depth| depth * radius);
        let arc = |apex: f32| {
            let apex = apex * radius;
            let slant = anatomy.nasal * (nose - temple) / (2.0 * half_width);
            Arc { apex, slant, curvature: (f32::midpoint(nose, temple) - apex) / (half_width * half_width) }
        };
        let [above, below] = anatomy.lids;
        Self {
            upper: arc(lerp(SHUT + OVERLAP, -above, openness)),
            lower: arc(lerp(SHUT, below, openness)),
            half_width,
        }
    }

    /// How far inside the opening a place of the head frame is, in pixels; negative on the lids.
    pub(super) fn depth(&self, [x, y]: Point) -> f32 {
        (y - self.upper.at(x)).min(self.lower.at(x) - y).min(self.half_width - x.abs())
    }
}

impl Scene {
    pub(super) fn new(anatomy: &Anatomy, conditions: &Conditions) -> Self {
        let radius = anatomy.iris_radius * conditions.scale;
        let [right, up] = conditions.gaze.map(f32::to_radians);
        let gaze_axis_radians = (-up).atan2(right);
        let tilt_radians = conditions.rotation.to_radians();
        let [offset_x, offset_y] = conditions.offset;
        Self {
            middle: [WIDTH as f32 / 2.0 + offset_x, HEIGHT as f32 / 2.0 + offset_y],
            tilt: Turn::new(tilt_radians),
            tilt_radians,
            gaze_shift: [EYEBALL * radius * right.sin(), -EYEBALL * radius * up.sin()],
            gaze_axis: Turn::new(gaze_axis_radians),
            gaze_axis_radians,
            foreshortening: right.hypot(up).cos(),
            radius,
            pupil: anatomy.pupil_offset.map(|part| part * radius),
            pupil_radius: conditions.dilation * radius,
            pupil_ellipticity: anatomy.pupil_ellipticity,
            pupil_axis: anatomy.pupil_axis,
            lids: Lids::new(anatomy, radius, conditions.openness),
        }
    }

    /// Picture to head.
    pub(super) fn to_head(&self, [x, y]: Point) -> Point {
        self.tilt.undo([x - self.middle[0], y - self.middle[1]])
    }

    /// Head to picture.
    pub(super) fn to_picture(&self, head: Point) -> Point {
        let [x, y] = self.tilt.apply(head);
        [x + self.middle[0], y + self.middle[1]]
    }

    /// Head to iris plane.
    fn to_iris(&self, [x, y]: Point) -> Point {
        let [along, across] = self.gaze_axis.undo([x - self.gaze_shift[0], y - self.gaze_shift[1]]);
        self.gaze_axis.apply([along / self.foreshortening, across])
    }

    /// Iris plane to head.
    fn iris_to_head(&self, iris: Point) -> Point {
        let [along, across] = self.gaze_axis.undo(iris);
        let [x, y] = self.gaze_axis.apply([along * self.foreshortening, across]);
        [x + self.gaze_shift[0], y + self.gaze_shift[1]]
    }

    /// How far inside the rim a place of the head frame is, in pixels; negative outside.
    pub(super) fn inside_rim(&self, head: Point) -> f32 {
        let [x, y] = self.to_iris(head);
        self.radius - x.hypot(y)
    }

    /// Inverse rubber sheet of a place in the head frame.
    pub(super) fn polar(&self, head: Point) -> Polar {
        let place = self.to_iris(head);
        let round = self.invert(place, self.pupil_radius);
        // The pupil is not quite round: its radius at the angle just found is close enough for a second pass.
        let swing = (2.0 * (round.angle - self.pupil_axis)).cos();
        self.invert(place, self.pupil_radius * (1.0 + self.pupil_ellipticity * swing))
    }

    /// Solves `|q − t·d|² = (r_iris − t·w)²` for `t = 1 − ρ`, with `d` the pupil's centre and `w = r_iris − r_pupil`.
    fn invert(&self, [x, y]: Point, pupil_radius: f32) -> Polar {
        let [dx, dy] = self.pupil;
        let width = self.radius - pupil_radius;
        let a = width * width - (dx * dx + dy * dy);
        let b = self.radius * width - (x * dx + y * dy);
        let c = x * x + y * y - self.radius * self.radius;
        let t = (b - (b * b + a * c).max(0.0).sqrt()) / a;
        Polar { angle: (y - t * dy).atan2(x - t * dx), radius: 1.0 - t }
    }

    /// Pixels from pupil to rim, for soft edges of a width in pixels.
    pub(super) fn width(&self) -> f32 {
        self.radius - self.pupil_radius
    }

    /// The iris centre in the picture.
    pub(super) fn iris_centre(&self) -> Point {
        self.to_picture(self.iris_to_head([0.0; 2]))
    }

    /// The rim in the picture.
    pub(super) fn iris_ellipse(&self) -> Ellipse {
        self.ellipse([0.0; 2], self.radius)
    }

    /// The pupil's edge in the picture, without its slight ellipticity (below 2.5 % of its radius).
    pub(super) fn pupil_ellipse(&self) -> Ellipse {
        self.ellipse(self.pupil, self.pupil_radius)
    }

    fn ellipse(&self, centre: Point, radius: f32) -> Ellipse {
        Ellipse {
            centre: self.to_picture(self.iris_to_head(centre)),
            // The long axis stands across the direction of gaze.
            semi_axes: [radius, radius * self.foreshortening],
            angle: (self.gaze_axis_radians + self.tilt_radians + TAU / 4.0).rem_euclid(TAU / 2.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Eye;
    use crate::camera::render::noise::Noise;
    use proptest::prelude::*;

    proptest! {
        /// The forward map, written from the definition, is the oracle of the inverse.
        #[test]
        fn the_inverse_sheet_inverts(
            seed: u64, angle in -3.1_f32..3.1, radius in 0.0_f32..1.0,
            dilation in 0.25_f32..0.55, rotation in -10.0_f32..10.0, right in -5.0_f32..5.0, up in -5.0_f32..5.0,
        ) {
            let noise = Noise::new(seed);
            let anatomy = Anatomy { pupil_ellipticity: 0.0, ..Anatomy::new(noise, noise, Eye::Left) };
            let conditions = Conditions { dilation, rotation, gaze: [right, up], ..Conditions::good() };
            let scene = Scene::new(&anatomy, &conditions);
            let ring = lerp(scene.pupil_radius, scene.radius, radius);
            let place = [
                (1.0 - radius) * scene.pupil[0] + ring * angle.cos(),
                (1.0 - radius) * scene.pupil[1] + ring * angle.sin(),
            ];
            let picture = scene.to_picture(scene.iris_to_head(place));
            let found = scene.polar(scene.to_head(picture));
            prop_assert!((found.angle - angle).abs() < 1e-3, "{} for {angle}", found.angle);
            prop_assert!((found.radius - radius).abs() < 1e-3, "{} for {radius}", found.radius);
        }
    }
}
