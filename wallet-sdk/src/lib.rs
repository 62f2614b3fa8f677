//! A person's side: the secret, the proofs made with it, and clients of the two services.
//!
//! | module | what it knows |
//! |---|---|
//! | [`wallet`] | the secret and the account key |
//! | [`vault`] | how both lie encrypted in a file |
//! | [`outbox`] | the payment that has no answer yet, in a file beside it |
//! | [`prove`] | proofs for an app and for a period's share; works offline |
//! | [`bridge`] | links of apps' pages, and sealed answers to what they ask |
//! | [`client`] | the services' addresses, and every check of what they answer |
//!
//! Knows nothing of irises, and trusts no server: paths must lead to their roots, receipts must be signed. The secret
//! leaves the wallet only as proofs.

pub mod bridge;
pub mod client;
pub mod outbox;
pub mod prove;
pub mod vault;
pub mod wallet;

pub use outbox::{Outbox, OutboxError};
pub use prove::{ProveError, prove_app, prove_claim};
pub use vault::{Passphrase, Vault, VaultError};
pub use wallet::Wallet;
