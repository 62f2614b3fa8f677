//! The whole of Unum on one machine.

pub mod cluster;
