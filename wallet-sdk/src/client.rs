//! Clients of the two services. They block; each call is one request and answers with a noun that was checked.
//!
//! Whoever runs a server may lie, and so may whoever sits between: a path must lead to its root, a checkpoint and a
//! receipt must be signed by the trusted key and say what was asked. What does not is [`ClientError::Untrue`].

pub(crate) mod bridge;
mod distribution;
mod enrollment;
mod http;

pub use distribution::{Claimed, Distribution, Paid};
pub use enrollment::EnrollServer;
pub use http::ClientError;
