//! What the program does beyond keys and description, one command a module.

pub(crate) mod ceremony;
pub(crate) mod check_vectors;
pub(crate) mod keys_export;
pub(crate) mod proof;
