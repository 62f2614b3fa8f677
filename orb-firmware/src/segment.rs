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
use crate::tilt;
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

/// By edges: [`boundary`] for pupil and limbus, parabolas for the lids, the direction of all edges around for the tilt.
#[derive(Debug, Clone, Copy, Default)]
pub struct Classical;

impl Segmenter for Classical {
    fn segment(&self, image: &Plane) -> Result<Option<Segmentation>, CaptureError> {
        let Some(boundaries) = boundary::find(image)? else { return Ok(None) };
        let covered = visibility::lids(image, &boundaries)?;
        let tilt = tilt::tilt(image, boundaries.iris.circle)?;
        Ok(Some(Segmentation { boundaries, covered, tilt }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::camera::Eye;
    use crate::camera::render::Subject;
    use crate::pipeline::{Config, template};

    /// Finds what [`Classical`] finds, turned a little.
    #[derive(Debug)]
    struct Turned(f32);

    impl Segmenter for Turned {
        fn segment(&self, image: &Plane) -> Result<Option<Segmentation>, CaptureError> {
            let found = Classical.segment(image)?;
            Ok(found.map(|found| Segmentation { tilt: found.tilt + self.0, ..found }))
        }
    }

    #[test]
    fn everything_after_the_segmenter_is_the_same() {
        let frame = Subject::new(3, Eye::Left).visit(1).shot(0).frame;
        let by = |segmenter: Arc<dyn Segmenter>| {
            template(&frame, &Config { segmenter, ..Config::default() }).unwrap().template
        };
        let classical = by(Arc::new(Classical));
        assert_eq!(by(Arc::new(Turned(0.0))), classical);
        let ten_columns = std::f32::consts::TAU * 10.0 / 256.0;
        let turned =
            unum_iris::distance(&by(Arc::new(Turned(ten_columns))).rotated(10), &classical, 8000).unwrap();
        assert!(turned.fraction() < 0.01, "{turned:?}");
    }
}
