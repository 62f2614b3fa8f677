//! One grey image of an eye, as a camera gives it.
//!
//! Rows top to bottom, pixels left to right, 8 bits each, near-infrared brightness (0 black, 255 white).
//! The buffer is wiped when the frame is dropped, and `Debug` prints nothing of it.

use std::fmt;

use zeroize::Zeroizing;

/// A grey image of at most [`Frame::MAX_SIDE`] pixels a side.
#[derive(Clone)]
pub struct Frame {
    width: u32,
    height: u32,
    pixels: Zeroizing<Vec<u8>>,
}

/// Why pixels do not make a frame.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Smaller than the smallest image in which an iris can have enough pixels. Use a larger one.
    #[error("image is {width}×{height}, needs at least {min}×{min}", min = Frame::MIN_SIDE)]
    TooSmall {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Larger than any camera of ours; refused before memory is spent on it. Scale it down.
    #[error("image is {width}×{height}, allowed are {max}×{max}", max = Frame::MAX_SIDE)]
    TooLarge {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The buffer's length is not `width · height`.
    #[error("{found} pixels, expected {expected}")]
    WrongLength {
        /// Bytes given.
        found: usize,
        /// Bytes that the size asks for.
        expected: usize,
    },
}

impl Frame {
    /// Smallest side in pixels.
    pub const MIN_SIDE: u32 = 120;
    /// Largest side in pixels.
    pub const MAX_SIDE: u32 = 4096;

    /// Takes ownership of `pixels`, row-major, one byte a pixel.
    ///
    /// # Errors
    ///
    /// A [`FrameError`] if a side or the length is out of bounds.
    pub fn new(width: u32, height: u32, pixels: Zeroizing<Vec<u8>>) -> Result<Self, FrameError> {
        Self::check_size(width, height)?;
        let expected = width as usize * height as usize;
        if pixels.len() != expected {
            return Err(FrameError::WrongLength { found: pixels.len(), expected });
        }
        Ok(Self { width, height, pixels })
    }

    /// Whether an image of this size could be a frame; for readers that know the size before the pixels.
    ///
    /// # Errors
    ///
    /// [`FrameError::TooSmall`] or [`FrameError::TooLarge`].
    pub fn check_size(width: u32, height: u32) -> Result<(), FrameError> {
        if width.min(height) < Self::MIN_SIDE {
            return Err(FrameError::TooSmall { width, height });
        }
        if width.max(height) > Self::MAX_SIDE {
            return Err(FrameError::TooLarge { width, height });
        }
        Ok(())
    }

    /// Pixels a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All pixels, row-major.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The frame as a mirror shows it: left and right exchanged.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut pixels = self.pixels.clone();
        pixels.chunks_exact_mut(self.width as usize).for_each(<[u8]>::reverse);
        Self { pixels, ..*self }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Frame")
    }
}
