//! Whether an image is good enough to make a code from: every refusal names the value and the limit.
//!
//! Limits are configuration. The defaults lie where the images of three public sets and rendered eyes put them: see each
//! field. Knows how to judge measures, not how they are made.

use crate::boundary::Boundaries;
use crate::filter::Encoded;
use crate::plane::Plane;

/// What was measured on one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Mean brightness, 0 to 255.
    pub brightness: u32,
    /// Step across the pupil's edge where it is weak, in tenths of a grey level.
    pub pupil_step: u32,
    /// Step across the limbus, in tenths of a grey level.
    pub iris_step: u32,
    /// Pupil radius in percent of the iris radius.
    pub pupil_percent: u32,
    /// Iris radius in pixels.
    pub iris_radius: u32,
    /// Part of the iris inside the image, in percent.
    pub inside_percent: u32,
    /// Part of the iris that is seen, in percent.
    pub visible_percent: u32,
    /// Code bits that can be trusted, of 16,384.
    pub usable_bits: u32,
    /// Strength of coarse texture, in hundredths of a grey level.
    pub contrast: u32,
    /// Strength of fine texture, in thousandths of that of coarse texture.
    pub sharpness: u32,
}

/// What an image must have.
///
/// The defaults lie between what the images of three public sets of living eyes have (CASIA-Iris-Interval's development
/// third, CASIA1 and MMU1, 2,035 images: 7 are refused) and what rendered eyes have that are closed, half-covered or out
/// of focus by 5 pixels (40 of each: all are refused). Own measurement, 2026-11.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Mean brightness, least and most: outside of it most pixels are clipped.
    pub brightness: (u32, u32),
    /// Least step across the pupil's edge where it is weak, in tenths of a grey level. Living eyes have 161 at least,
    /// closed and half-covered ones 93 at most.
    pub pupil_step: u32,
    /// Least step across the limbus, in tenths of a grey level. Living eyes have 77 at least, closed ones 72 at most.
    pub iris_step: u32,
    /// Pupil radius in percent of the iris radius, least and most. Living eyes have 24 to 63.
    pub pupil_percent: (u32, u32),
    /// Smallest iris radius in pixels. The smallest of the living eyes has 46.
    pub iris_radius: u32,
    /// Least part of the iris inside the image, in percent. Living eyes have 84 at least.
    pub inside_percent: u32,
    /// Least part of the iris that is seen, in percent. Living eyes have 54 at least.
    pub visible_percent: u32,
    /// Fewest code bits that can be trusted: a fifth more than must overlap with another code. Living eyes have 6,100 at
    /// least.
    pub usable_bits: u32,
    /// Least strength of coarse texture, in hundredths of a grey level. Living eyes have 3,091 at least.
    pub contrast: u32,
    /// Least strength of fine texture, in thousandths of that of coarse texture. Living eyes have 214 at least, eyes out of
    /// focus by 5 pixels 192 at most.
    pub sharpness: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            brightness: (20, 235),
            pupil_step: 120,
            iris_step: 75,
            pupil_percent: (15, 75),
            iris_radius: 40,
            inside_percent: 75,
            visible_percent: 50,
            usable_bits: unum_iris::MIN_COMPARED * 6 / 5,
            contrast: 2500,
            sharpness: 203,
        }
    }
}

/// Why an image gives no code. Each asks the person or the operator for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// More light.
    #[error("brightness {value}, needs {needed}")]
    TooDark {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Less light.
    #[error("brightness {value}, allowed {allowed}")]
    TooBright {
        /// What the image has.
        value: u32,
        /// What is allowed.
        allowed: u32,
    },
    /// Open the eye and look into the camera.
    #[error("no eye found: pupil edge {value}, needs {needed}")]
    NoEye {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Look straight into the camera.
    #[error("edge of the iris {value}, needs {needed}")]
    NoIris {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Come closer.
    #[error("iris radius {value} pixels, needs {needed}")]
    TooFar {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Move so that the whole iris is in the picture.
    #[error("{value} % of the iris inside the image, needs {needed} %")]
    CutOff {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Change the light on the eye, which opens or narrows the pupil.
    #[error("pupil {value} % of the iris, allowed {least} to {most} %")]
    PupilSize {
        /// What the image has.
        value: u32,
        /// Smallest allowed.
        least: u32,
        /// Largest allowed.
        most: u32,
    },
    /// Open the eye wider, move hair and glasses away.
    #[error("{value} % of the iris visible, needs {needed} %")]
    Covered {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// The same, seen in the code.
    #[error("{value} usable bits, needs {needed}")]
    TooFewBits {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Less stray light.
    #[error("contrast of the iris {value}, needs {needed}")]
    Faint {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
    /// Hold still.
    #[error("sharpness {value}, needs {needed}")]
    Blurred {
        /// What the image has.
        value: u32,
        /// What it needs.
        needed: u32,
    },
}

impl Limits {
    pub(crate) fn exposure(&self, image: &Plane) -> Result<u32, Refusal> {
        let sum: u64 = image.pixels().iter().map(|&v| u64::from(v)).sum();
        let value = (sum / image.pixels().len() as u64) as u32;
        let (needed, allowed) = self.brightness;
        if value < needed {
            return Err(Refusal::TooDark { value, needed });
        }
        if value > allowed {
            return Err(Refusal::TooBright { value, allowed });
        }
        Ok(value)
    }

    pub(crate) fn geometry(&self, found: &Boundaries, inside_percent: u32) -> Result<(), Refusal> {
        let tenths = |step: f32| (step * 10.0).max(0.0) as u32;
        let (value, needed) = (tenths(found.pupil_step), self.pupil_step);
        if value < needed {
            return Err(Refusal::NoEye { value, needed });
        }
        let (value, needed) = (tenths(found.iris_step), self.iris_step);
        if value < needed {
            return Err(Refusal::NoIris { value, needed });
        }
        let (value, needed) = (found.iris.r as u32, self.iris_radius);
        if value < needed {
            return Err(Refusal::TooFar { value, needed });
        }
        let (value, (least, most)) = ((100.0 * found.pupil.r / found.iris.r) as u32, self.pupil_percent);
        if value < least || value > most {
            return Err(Refusal::PupilSize { value, least, most });
        }
        if inside_percent < self.inside_percent {
            return Err(Refusal::CutOff { value: inside_percent, needed: self.inside_percent });
        }
        Ok(())
    }

    pub(crate) fn code(
        &self,
        visible_percent: u32,
        usable_bits: u32,
        encoded: &Encoded,
    ) -> Result<(), Refusal> {
        if visible_percent < self.visible_percent {
            return Err(Refusal::Covered { value: visible_percent, needed: self.visible_percent });
        }
        if encoded.contrast < self.contrast {
            return Err(Refusal::Faint { value: encoded.contrast, needed: self.contrast });
        }
        if encoded.sharpness < self.sharpness {
            return Err(Refusal::Blurred { value: encoded.sharpness, needed: self.sharpness });
        }
        if usable_bits < self.usable_bits {
            return Err(Refusal::TooFewBits { value: usable_bits, needed: self.usable_bits });
        }
        Ok(())
    }
}
