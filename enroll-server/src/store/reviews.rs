//! Table `reviews`: cases that an operator has to decide.

use std::time::SystemTime;

use unum_identity::envelope::Payload;
use unum_identity::field::Commitment;
use unum_identity::time::UnixTime;

use super::{StoreError, Tx};
use crate::sealed::Sealed;

/// Adds a case. The same commitment again keeps the first case.
pub(crate) async fn insert(
    tx: &Tx,
    payload: &Payload,
    sealed: &Sealed,
    received_at: UnixTime,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO reviews (commitment, device, leaf_signature, firmware, consent_version, report, \
               received_at, nonce, ciphertext) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
               ON CONFLICT (commitment) DO NOTHING";
    let (commitment, report) = (payload.commitment.to_be_bytes(), payload.report.to_bytes());
    tx.execute(
        sql,
        &[
            &commitment.as_slice(),
            &payload.device.0.as_slice(),
            &payload.leaf_signature.0.as_slice(),
            &payload.firmware.0.as_slice(),
            &(payload.consent_version as i32), // the same 32 bits
            &report,
            &SystemTime::from(received_at),
            &sealed.nonce.as_slice(),
            &sealed.ciphertext,
        ],
    )
    .await
    .map(|_| ())
}

/// Closes the case of a commitment; whether there was one.
pub(crate) async fn delete(tx: &Tx, commitment: Commitment) -> Result<bool, StoreError> {
    let sql = "DELETE FROM reviews WHERE commitment = $1";
    Ok(tx.execute(sql, &[&commitment.to_be_bytes().as_slice()]).await? == 1)
}
