//! Iris templates: their byte layout, how far apart two of them are, and when two are one person.
//!
//! ```text
//! template ─► distance (31 rotations) ─► pair (both eyes, upright and mirrored) ─► verdict     two people
//! block (sixteen people side by side) ─► scan ─► verdict                                      everyone
//! ```
//!
//! Knows nothing about cameras, databases or proofs, and does no input or output. Linked by the device,
//! which makes templates, and by the enrollment server, which compares them — and by nobody else.

mod block;
mod distance;
mod measure;
mod memory;
mod pair;
mod scan;
mod template;
#[cfg(test)]
mod vectors;
mod verdict;

pub use block::{BLOCK_BYTES, BLOCK_PEOPLE, Block};
pub use distance::{Distance, DistanceError, MIN_COMPARED, ROTATIONS, closest_rotation, distance};
pub use measure::{Limit, LimitError, Measure};
pub use memory::Blocks;
pub use pair::{EyePair, ORIENTATIONS, PairError};
pub use scan::{Hit, Kernel, Query};
pub use template::{BITS, COLUMNS, PLANES, ROWS, TEMPLATE_BYTES, Template, TemplateError};
pub use verdict::{Thresholds, Verdict, verdict};
