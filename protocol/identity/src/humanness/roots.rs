//! The roots that count, for whoever verifies by themselves.

use serde::{Deserialize, Serialize};

use crate::field::Root;
use crate::time::UnixTime;

/// A root of the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedRoot {
    /// The root.
    pub root: Root,
    /// Events of the log under it.
    pub size: u64,
    /// When a newer one took its place; null of the newest. Rounded up to the hour.
    pub replaced_at: Option<UnixTime>,
}

/// Roots that count now: each while it is the newest, and for a while after it was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedRoots {
    /// Newest first; a thousand at most.
    pub roots: Vec<PublishedRoot>,
    /// How long after it was replaced a root counts.
    pub window_seconds: u64,
}
