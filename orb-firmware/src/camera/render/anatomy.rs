//! What is a person's own about an eye's shape and shade, and does not change from visit to visit.
//!
//! Lengths are in iris radii unless said otherwise. Population means and spreads are read off published anatomy where
//! a source is named, and are our choice where it is not.

use super::noise::Noise;
use crate::camera::Eye;

/// Half of the distance between the corners of the eye: a fissure of 30 mm over an iris of 11.7 mm (Rüfer, Schröder
/// and Erb 2005, white-to-white 11.71 ± 0.42 mm).
pub(super) const HALF_FISSURE: f32 = 30.0 / 11.7;

/// The fixed part of one eye.
#[derive(Debug, Clone)]
pub(super) struct Anatomy {
    /// Iris radius in pixels at the nominal distance.
    pub(super) iris_radius: f32,
    /// Pupil centre off the iris centre: right, down. Pupils sit towards the nose.
    pub(super) pupil_offset: [f32; 2],
    /// The pupil's radius varies by this share, twice around.
    pub(super) pupil_ellipticity: f32,
    /// Where the pupil is longest, in radians.
    pub(super) pupil_axis: f32,
    /// Where the collarette lies between pupil (0) and rim (1).
    pub(super) collarette: f32,
    /// Grey levels at nominal exposure.
    pub(super) shades: Shades,
    /// The open lids' height over and under the iris centre.
    pub(super) lids: [f32; 2],
    /// The corners' depth under the iris centre: at the nose, at the temple.
    pub(super) corners: [f32; 2],
    /// Height of the crease over the upper lid.
    pub(super) crease: f32,
    /// −1 if the nose is on the left of the picture, 1 if on the right.
    pub(super) nasal: f32,
    /// Number of lashes of the upper lid.
    pub(super) lashes: u64,
    /// The stream of the lashes' places and forms.
    pub(super) hair: Noise,
    /// The streams of the skin's folds, grain and pores, and of the sclera.
    pub(super) surfaces: [Noise; 4],
}

/// Near-infrared grey levels. An iris reflects little more than half of what sclera and skin do.
#[derive(Debug, Clone)]
pub(super) struct Shades {
    pub(super) pupil: f32,
    pub(super) iris: f32,
    /// Standard deviation of the iris texture.
    pub(super) contrast: f32,
    pub(super) sclera: f32,
    pub(super) skin: f32,
    pub(super) hair: f32,
}

impl Anatomy {
    /// The anatomy of `eye`. What both eyes of a person share is drawn from `person`, the rest from `own`.
    pub(super) fn new(person: Noise, own: Noise, eye: Eye) -> Self {
        // The camera faces the person: the left eye has the nose on the left of the picture.
        let nasal = if eye == Eye::Left { -1.0 } else { 1.0 };
        let about = |index, mean: f32, spread: f32| mean + spread * person.gaussian(index);
        let own_about = |index, mean: f32, spread: f32| mean + spread * own.gaussian(index);
        Self {
            // 11.71 ± 0.42 mm (Rüfer et al. 2005) at 10.2 pixels/mm.
            iris_radius: about(0, 119.5, 4.3) + own_about(0, 0.0, 0.8),
            pupil_offset: [nasal * own_about(1, 0.035, 0.012), own_about(2, 0.01, 0.012)],
            pupil_ellipticity: own.between(3, 0.0, 0.025),
            pupil_axis: own.between(4, 0.0, std::f32::consts::PI),
            collarette: own_about(5, 0.30, 0.03),
            shades: Shades {
                pupil: about(6, 30.0, 3.0),
                iris: about(7, 104.0, 7.0),
                // With this the fine filter's response is of the size that it has on public sets of real irises.
                contrast: about(8, 8.0, 1.0),
                sclera: about(9, 168.0, 6.0),
                skin: about(10, 172.0, 12.0),
                hair: about(11, 42.0, 5.0),
            },
            lids: [about(12, 0.90, 0.05), about(13, 1.03, 0.03)],
            corners: [own_about(14, 0.34, 0.04), own_about(15, 0.16, 0.04)],
            crease: about(16, 0.42, 0.07),
            nasal,
            lashes: 90 + person.bits(17) % 50,
            hair: own.named("hair"),
            surfaces: [own.named("folds"), own.named("grain"), own.named("pores"), own.named("sclera")],
        }
    }
}
