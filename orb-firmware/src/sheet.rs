//! The rubber sheet: the iris unrolled from the pupil's edge (row 0) to the white of the eye, 128 radii × 512 angles.
//!
//! Stretching between the two boundaries takes out the size of the pupil and of the image (Daugman 1993, "High
//! confidence visual recognition of persons by a test of statistical independence", eq. 7). Angle `j` is
//! `2π · j / 512`, from 3 o'clock towards 6 o'clock, so that the mirrored image gives angle `256 − j`.
//!
//! At the end hidden pixels carry the mean of the visible ones of their row, so that they pull no filter either way. Knows
//! nothing about filters.

use std::f32::consts::TAU;

use crate::boundary::Boundaries;
use crate::plane::Plane;

/// Radii of a sheet.
pub const RADII: usize = 128;
/// Angles of a sheet.
pub const ANGLES: usize = 512;

/// An unrolled iris: brightness, and 255 where the iris is visible (0 where not).
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) texture: Plane,
    pub(crate) visible: Plane,
}

impl Sheet {
    /// Unrolls the iris between `boundaries`. `hidden` is an image of the frame's size that is not 0 where
    /// something lies over the iris. What lies outside the image is hidden.
    pub(crate) fn unroll(image: &Plane, hidden: &Plane, boundaries: &Boundaries) -> Self {
        let mut texture = Plane::filled(ANGLES, RADII, 0);
        let mut visible = Plane::filled(ANGLES, RADII, 0);
        let edges: [_; ANGLES] = std::array::from_fn(|angle| {
            let theta = TAU * angle as f32 / ANGLES as f32;
            (boundaries.pupil.at(theta), boundaries.iris.at(theta))
        });
        for radius in 0..RADII {
            // In the middle of its row: neither the pupil's nor the white's edge itself is sampled.
            let share = (radius as f32 + 0.5) / RADII as f32;
            let row = texture.row_mut(radius).iter_mut().zip(visible.row_mut(radius));
            for ((pixel, visible), (inner, outer)) in row.zip(&edges) {
                let x = inner.0 + (outer.0 - inner.0) * share;
                let y = inner.1 + (outer.1 - inner.1) * share;
                if let (Some(value), Some(0)) = (image.sample(x, y), hidden.nearest(x, y)) {
                    *pixel = (value + 0.5) as u8;
                    *visible = u8::MAX;
                }
            }
        }
        Self { texture, visible }
    }

    /// Visible pixels of all.
    pub(crate) fn visible_share(&self) -> f64 {
        let visible = self.visible.pixels().iter().filter(|&&v| v != 0).count();
        visible as f64 / (RADII * ANGLES) as f64
    }

    /// Gives every hidden pixel the mean of the visible ones of its row.
    pub(crate) fn fill_hidden(&mut self) {
        for radius in 0..RADII {
            let visible = self.visible.row(radius);
            let texture = self.texture.row_mut(radius);
            let seen = visible.iter().filter(|&&v| v != 0).count() as u32;
            let sum: u32 =
                texture.iter().zip(visible).filter(|(_, v)| **v != 0).map(|(&t, _)| u32::from(t)).sum();
            let mean = (sum + seen / 2).checked_div(seen).unwrap_or(0) as u8;
            texture.iter_mut().zip(visible).filter(|(_, v)| **v == 0).for_each(|(pixel, _)| *pixel = mean);
        }
    }
}
