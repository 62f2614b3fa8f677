//! The enrollment server, as a wallet and an app see it: paths, checkpoints, and whether a proof holds.

use unum_identity::bytes::ServiceKey;
use unum_identity::checkpoint::{Checkpoint, SignedCheckpoint};
use unum_identity::enrollment::{Erasure, ErasureRequest, InclusionProof, SetIdentity};
use unum_identity::field::Commitment;
use unum_identity::humanness::{App, AppId, Checked, PublishedRoots, Verified, VerifyRequest};

use super::ClientError;
use super::http::Service;

/// An enrollment server.
#[derive(Clone, Debug)]
pub struct EnrollServer(Service);

impl EnrollServer {
    /// The server at `base`, such as `http://127.0.0.1:8080`.
    pub fn at(base: &str) -> Self {
        Self(Service::at(base))
    }

    /// What the server says about itself. It is the server's own word: compare it with what you know from elsewhere.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn set(&self) -> Result<SetIdentity, ClientError> {
        self.0.get("/v1/set")
    }

    /// The newest checkpoint, signed by `trusted`.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn checkpoint(&self, origin: &str, trusted: &ServiceKey) -> Result<Checkpoint, ClientError> {
        SignedCheckpoint(self.0.get_text("/v1/set/checkpoint")?)
            .verify(origin, trusted)
            .map_err(|_| ClientError::Untrue("the checkpoint is not signed by the trusted key"))
    }

    /// The path of `commitment` to the root after the first `size` events of the log, or to the newest root. The path leads
    /// there; whether the root is the right one is for a checkpoint or a period to say.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with `commitment_unknown` or `commitment_pending`, among others.
    pub fn inclusion(
        &self,
        commitment: Commitment,
        size: Option<u64>,
    ) -> Result<InclusionProof, ClientError> {
        let query = size.map(|size| format!("?size={size}")).unwrap_or_default();
        let proof: InclusionProof = self.0.get(&format!("/v1/commitments/{commitment}/proof{query}"))?;
        if proof.commitment != commitment || size.is_some_and(|size| size != proof.size) {
            return Err(ClientError::Untrue("the path is not the one that was asked for"));
        }
        if !proof.holds() {
            return Err(ClientError::Untrue("the path does not lead from the commitment to the root"));
        }
        Ok(proof)
    }

    /// The path of `commitment` to the root of the newest checkpoint, signed by `trusted`.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn signed_inclusion(
        &self,
        commitment: Commitment,
        origin: &str,
        trusted: &ServiceKey,
    ) -> Result<InclusionProof, ClientError> {
        let checkpoint = self.checkpoint(origin, trusted)?;
        let proof = self.inclusion(commitment, Some(checkpoint.size))?;
        if proof.root != checkpoint.root {
            return Err(ClientError::Untrue("the path leads to another root than the signed one"));
        }
        Ok(proof)
    }

    /// Asks to erase the person of a commitment, and waits for some seconds. Ask again as long as it is pending.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with `commitment_unknown` if nobody has it, or it was replaced.
    pub fn erase(&self, request: &ErasureRequest) -> Result<Erasure, ClientError> {
        self.0.post("/v1/erasures", request).map(|(_, erasure)| erasure)
    }

    /// An app that is registered, and what humans do in it.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with `app_unknown` if it is not.
    pub fn app(&self, app_id: &AppId) -> Result<App, ClientError> {
        let app: App = self.0.get(&format!("/v1/apps/{app_id}"))?;
        if app.registration.app_id != *app_id {
            return Err(ClientError::Untrue("it is about another app"));
        }
        Ok(app)
    }

    /// The roots that count now. They are the server's own word: a checkpoint is signed.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn roots(&self) -> Result<PublishedRoots, ClientError> {
        self.0.get("/v1/roots")
    }

    /// Asks whether a proof holds, and uses nothing up.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with `proof_invalid` if it does not, among others.
    pub fn check(&self, request: &VerifyRequest) -> Result<Checked, ClientError> {
        let (_, checked): (_, Checked) = self.0.post("/v1/proofs/check", request)?;
        if !checked.valid {
            return Err(ClientError::Untrue("what does not hold is refused"));
        }
        Ok(checked)
    }

    /// Asks whether a proof shows a human who has not done this too often, and counts one use more.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with `nullifier_used` if it was used as often as allowed, among others.
    pub fn verify(&self, request: &VerifyRequest) -> Result<Verified, ClientError> {
        let (_, verified): (_, Verified) = self.0.post("/v1/verify", request)?;
        if verified.nullifier != request.nullifier {
            return Err(ClientError::Untrue("it is about another nullifier"));
        }
        Ok(verified)
    }
}
