//! Where frames of an eye come from.
//!
//! A [`Camera`] hands out one frame at a time; whoever asks decides when there are enough good ones.
//! [`folder`] reads image files, [`render`] draws eyes that nobody has, [`mirror`] flips what another camera sees.
//!
//! Knows nothing about what makes a frame good.

pub mod folder;
pub mod mirror;
pub mod render;

use std::fmt;
use std::str::FromStr;

use crate::decode::DecodeError;
use crate::frame::Frame;

/// One of a person's two eyes, named from the person's own side: the left eye is on the right of a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Eye {
    /// The person's left eye.
    Left,
    /// The person's right eye.
    Right,
}

impl Eye {
    /// Both, in the order in which an operator captures them.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];
}

impl fmt::Display for Eye {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "L",
            Self::Right => "R",
        })
    }
}

/// A text that names no eye.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no eye, expected L or R")]
pub struct NoSuchEye(String);

impl FromStr for Eye {
    type Err = NoSuchEye;

    /// `L`, `R`, `left` or `right`, in any case: what manifests of public data sets use.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "l" | "left" => Ok(Self::Left),
            "r" | "right" => Ok(Self::Right),
            _ => Err(NoSuchEye(text.to_owned())),
        }
    }
}

/// Why a camera gave no frame this time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CameraError {
    /// This picture cannot be read; the next one may be fine, so go on asking.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
}

/// A source of frames.
pub trait Camera {
    /// The next frame of `eye`; `None` when there are no more, now or later.
    ///
    /// # Errors
    ///
    /// [`CameraError::Unreadable`] for a picture that had to be skipped: the caller may ask again.
    fn next_frame(&mut self, eye: Eye) -> Result<Option<Frame>, CameraError>;
}
