//! Where the iris is in an image, and what lies over it: the one stage that has more than one way to be done.
//!
//! [`Classical`] looks for edges; a learned network that names every pixel's class is another way. Both give the same
//! [`Segmentation`], and everything after it is the same: the sheet, its glints and lashes, the filters, the limits.

use std::fmt;

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
        Ok(Some(Segmentation { boundaries, covered }))
    }
}
