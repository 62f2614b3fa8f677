//! A learned network that says of every pixel what it is, in the ONNX format, run by `tract`.
//!
//! The network is a file that the configuration names; nothing is downloaded. It takes one image of 3 × 480 × 640 numbers
//! (three times the same grey, scaled and shifted as networks that start from ImageNet want it) and gives 4 × 480 × 640
//! probabilities: eyeball, iris, pupil, lashes. What `tract` keeps between two layers is not wiped from memory.
//!
//! Knows nothing about eyes beyond the four names.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tract_onnx::prelude::*;
use zeroize::Zeroizing;

use super::classes::Classes;
use super::{Segmentation, Segmenter};
use crate::pipeline::CaptureError;
use crate::plane::Plane;

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
const PIXELS: usize = WIDTH * HEIGHT;

/// Mean and standard deviation of ImageNet's red, green and blue, of 1: what is taken off, and by what is divided.
const IMAGENET: [(f32, f32); 3] = [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)];

/// Why a network cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// No file, or not a network that this program understands. Correct the path, or export it again.
    #[error("cannot use the network {}: {reason}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It does not give four classes for every pixel. Use a network that was trained for this.
    #[error("the network {} gives {found}, needs [1, 4, {HEIGHT}, {WIDTH}]", .path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What it gives.
        found: String,
    },
    /// It failed on an image.
    #[error("the network failed: {0}")]
    Run(String),
}

/// A network, ready to run. Loading takes seconds, running a share of one.
pub struct Network {
    plan: Arc<TypedRunnableModel>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl Network {
    /// Reads a network from a file.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] if it is none, or none of four classes.
    pub fn load(path: &Path) -> Result<Self, NetworkError> {
        let unusable = |error: TractError| NetworkError::Unusable {
            path: path.to_owned(),
            reason: format!("{error:#}"), // with what caused it
        };
        let input = f32::fact([1, 3, HEIGHT, WIDTH]);
        let model = onnx()
            .model_for_path(path)
            .and_then(|model| model.with_input_fact(0, input.into()))
            .and_then(InferenceModelExt::into_optimized)
            .map_err(unusable)?;
        let found = model.output_fact(0).map_err(unusable)?;
        if found.shape.as_concrete() != Some(&[1, 4, HEIGHT, WIDTH]) || found.datum_type != f32::datum_type()
        {
            return Err(NetworkError::Shape { path: path.to_owned(), found: format!("{found:?}") });
        }
        Ok(Self { plan: model.into_runnable().map_err(unusable)? })
    }

    /// What every pixel of `image` is.
    fn classes(&self, image: &Plane) -> Result<Classes, CaptureError> {
        let small = image.resized(WIDTH, HEIGHT)?;
        let mut input = Zeroizing::new(Vec::with_capacity(3 * PIXELS));
        for (mean, deviation) in IMAGENET {
            input.extend(small.pixels().iter().map(|&grey| (f32::from(grey) / 255.0 - mean) / deviation));
        }
        let probabilities = self
            .run(&input)
            .map_err(|error| CaptureError::Segmenter(Box::new(NetworkError::Run(format!("{error:#}")))))?;
        let class = |number: usize| {
            let mut plane = Plane::filled(WIDTH, HEIGHT, 0);
            for (y, row) in probabilities[number * PIXELS..][..PIXELS].chunks_exact(WIDTH).enumerate() {
                plane.row_mut(y).iter_mut().zip(row).for_each(|(to, p)| *to = (p * 255.0 + 0.5) as u8);
            }
            plane.resized(image.width(), image.height())
        };
        Ok(Classes { eyeball: class(0)?, iris: class(1)?, pupil: class(2)?, lashes: class(3)? })
    }

    fn run(&self, input: &[f32]) -> TractResult<Zeroizing<Vec<f32>>> {
        let input = Tensor::from_shape(&[1, 3, HEIGHT, WIDTH], input)?;
        let output = self.plan.run(tvec!(input.into()))?;
        let view = output[0].to_plain_array_view::<f32>()?;
        Ok(Zeroizing::new(view.iter().copied().collect()))
    }
}

impl Segmenter for Network {
    fn segment(&self, image: &Plane) -> Result<Option<Segmentation>, CaptureError> {
        Ok(self.classes(image)?.segmentation(image)?)
    }
}

#[cfg(test)]
mod tests;
