//! Where the iris is in an image, and what lies over it: the one stage that has more than one way to be done.
//!
//! [`Classical`] looks for edges; with the
//! feature `onnx`, `Network` asks a learned network what every pixel is. Both give the same
//! [`Segmentation`], and everything after it is the same: the sheet, its glints and lashes, the filters, the limits.

#[cfg(any(test, feature = "onnx"))]
mod classes;
#[cfg(feature = "onnx")]
mod network;

use std::fmt;

#[cfg(feature = "onnx")]
pub use network::{Network, NetworkError};

use crate::boundary::{self, Boundaries};
use crate::pipeline::CaptureError;
use crate::plane::Plane;
use crate::visibility;

/// An eye, divided.
#[derive(Debug)]
pub struct Segmentation {
    /// The edges of the iris.
    pub boundaries: Boundaries,
    /// An image of the frame's size: 255 where something lies over the iris, 0 elsewhere. Glints and lashes may be
    /// left out: what is much brighter or darker than the iris is hidden on the sheet.
    pub covered: Plane,
    /// How far the eye is turned, in radians, clockwise in the image; 0 where that is not known. A code is made as if the
    /// eye were upright, so that what the comparison's rotations have to make up for is only what is wrong in this.
    pub tilt: f32,
}

/// Divides an image.
pub trait Segmenter: fmt::Debug + Send + Sync {
    /// The likeliest eye in `image`, or `None` if nothing in it looks like one.
    ///
    /// # Errors
    ///
    /// [`CaptureError`] if the installation, not the image, is at fault.
    fn segment(&self, image: &Plane) -> Result<Option<Segmentation>, CaptureError>;
}

/// By edges: [`boundary`] for pupil and limbus, parabolas for the lids.
#[derive(Debug, Clone, Copy, Default)]
pub struct Classical;

impl Segmenter for Classical {
    fn segment(&self, image: &Plane) -> Result<Option<Segmentation>, CaptureError> {
        let Some(boundaries) = boundary::find(image)? else { return Ok(None) };
        let covered = visibility::lids(image, &boundaries)?;
        Ok(Some(Segmentation { boundaries, covered, tilt: 0.0 }))
    }
}
