//! The interfaces of World ID's services, so that an app, a wallet or a portal changes only a base address.
//!
//! | module | speaks as |
//! |---|---|
//! | [`portal`] | the developer portal: `POST /api/v2/verify/{app_id}` |
//! | [`sequencer`] | the signup sequencer: paths and proofs, its read side only |
//! | [`hex`], [`proof`] | their spellings of numbers and proofs, made canonical |
//! | [`shape`] | their errors: what is refused in front of a handler has their shape too |
//!
//! Looser spellings are taken here and nowhere else. They become field elements before anything is looked up, so that one nullifier
//! has one row whatever it was written like. A root's age counts from when it was replaced, not from when it was made. Bodies, answers and
//! codes are those of the public sources (worldcoin/developer-portal, `web/api/v2/verify`; worldcoin/signup-sequencer,
//! `src/server`), as read in November 2026.

pub(crate) mod hex;
pub(crate) mod portal;
mod proof;
pub(crate) mod sequencer;
pub(crate) mod shape;
