//! From a camera's frames to a signed, sealed capture.
//!
//! ```text
//! camera ─► quality ─► boundary ─► visibility ─► sheet ─► filter ─► fusion ─► device (sign, seal) ─► client
//! ```
//!
//! Knows nothing about proofs, databases or the set. The only crate that links OpenCV (`imgproc`).

pub mod camera;
pub mod frame;
