//! One frame to one template: quality, boundaries, visibility, sheet, filters, in this order.
//!
//! Knows the order of the stages and nothing else.

use unum_iris::Template;

use crate::boundary::{self, Boundaries};
use crate::filter::{self, Fragility};
use crate::frame::Frame;
use crate::plane::Plane;
use crate::quality::{Limits, Quality, Refusal};
use crate::sheet::Sheet;
use crate::visibility;

/// What the stages need to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Config {
    /// What an image must have.
    pub limits: Limits,
    /// Which code bits are not trusted.
    pub fragility: Fragility,
}

/// The template of one frame, with what was measured on the way.
#[derive(Debug)]
pub struct EyeTemplate {
    /// The code and its mask.
    pub template: Template,
    /// Where the iris is.
    pub boundaries: Boundaries,
    /// The measures that were judged.
    pub quality: Quality,
}

/// Why a frame gives no template.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The image is not good enough. Capture again.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An image operation failed: a fault of the installation, not of the image.
    #[error("image operation failed: {0}")]
    Imaging(#[from] opencv::Error),
}

/// The template of the eye in `frame`.
///
/// # Errors
///
/// [`CaptureError::Refused`] if the image is not good enough.
pub fn template(frame: &Frame, config: &Config) -> Result<EyeTemplate, CaptureError> {
    let limits = config.limits;
    let image = Plane::of(frame);
    let brightness = limits.exposure(&image)?;
    let boundaries = boundary::find(&image)?.ok_or(Refusal::NoEye { value: 0, needed: limits.pupil_step })?;
    limits.geometry(&boundaries)?;
    let hidden = visibility::hidden(&image, &boundaries)?;
    let sheet = Sheet::unroll(&image, &hidden, &boundaries);
    let visible_percent = (100.0 * sheet.visible_share()) as u32;
    let encoded = filter::encode(&sheet, config.fragility);
    let usable_bits = encoded.template.usable_bits();
    limits.code(visible_percent, usable_bits, encoded.detail)?;
    let quality = Quality {
        brightness,
        pupil_step: (boundaries.pupil_step * 10.0) as u32,
        iris_step: (boundaries.iris_step * 10.0) as u32,
        pupil_percent: (100.0 * boundaries.pupil.r / boundaries.iris.r) as u32,
        iris_radius: boundaries.iris.r as u32,
        visible_percent,
        usable_bits,
        sharpness: encoded.detail,
    };
    Ok(EyeTemplate { template: encoded.template, boundaries, quality })
}
