//! From a camera's frames to a signed, sealed capture.
//!
//! ```text
//! camera ─► quality ─► segment (boundary, visibility, tilt) ─► sheet ─► filter ─► fusion ─► device (sign, seal) ─► client
//! ```
//!
//! Knows nothing about proofs, databases or the set. The only crate that links OpenCV (`imgproc`).

pub mod acquisition;
pub mod boundary;
pub mod camera;
mod chart;
pub mod client;
pub mod decode;
pub mod device;
pub mod evaluate;
pub mod filter;
pub mod frame;
pub mod fusion;
mod gate;
#[cfg(test)]
mod golden;
pub mod inspect;
pub mod manifest;
pub mod memory;
mod page;
pub mod pipeline;
pub mod plane;
pub mod quality;
#[cfg(test)]
mod robustness;
pub mod segment;
pub mod session;
pub mod sheet;
pub mod sweep;
mod tilt;
mod visibility;
