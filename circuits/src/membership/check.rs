//! The statement in plain code: the judge of the circuit, and what a wallet asks before it spends time on a proof.

use super::{Private, Public};

/// Which rule of the statement is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The path does not lead from this identity's commitment to the root. Fetch the path again.
    #[error("the path does not lead from this identity to the root")]
    NotUnderRoot,
    /// The nullifier is not this identity's for this external nullifier. Compute it again.
    #[error("the nullifier is not this identity's for this external nullifier")]
    OtherNullifier,
}

/// Whether the statement holds. The signal may be any: it is bound, not restricted.
///
/// # Errors
///
/// The first broken rule.
pub fn check(public: &Public, private: &Private) -> Result<(), CheckError> {
    if private.path.root(private.identity.commitment()) != public.root {
        return Err(CheckError::NotUnderRoot);
    }
    if private.identity.nullifier(public.external_nullifier) != public.nullifier {
        return Err(CheckError::OtherNullifier);
    }
    Ok(())
}
