//! Many files in the order in which they were handed in. Each must continue the last good one; a bad one is skipped and
//! named, and the next is again measured against the last good one.

use rand_core::CryptoRng;

use super::{CeremonyError, Chain, Parameters, Powers};
use crate::relation::Relation;

/// What is left of a series of files.
#[derive(Debug)]
pub struct Series {
    /// The last good parameters.
    pub last: Parameters,
    /// Their contributions.
    pub chain: Chain,
    /// The files that did not count.
    pub skipped: Vec<Skipped>,
}

/// A file that did not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What the caller called it.
    pub label: String,
    /// Why.
    pub reason: CeremonyError,
}

impl Series {
    /// Starts from `bytes`, which must be good.
    ///
    /// # Errors
    ///
    /// As [`Parameters::from_zkey`] and [`Parameters::verify`].
    pub fn start(
        bytes: &[u8],
        powers: &Powers,
        relation: &Relation,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, CeremonyError> {
        let last = Parameters::from_zkey(bytes, relation)?;
        let chain = last.verify(powers, relation, rng)?;
        Ok(Self { last, chain, skipped: Vec::new() })
    }

    /// Takes the next file if it is good and adds to the last one; otherwise remembers why not.
    pub fn offer(
        &mut self,
        label: &str,
        bytes: &[u8],
        powers: &Powers,
        relation: &Relation,
        rng: &mut dyn CryptoRng,
    ) {
        match self.judge(bytes, powers, relation, rng) {
            Ok((last, chain)) => (self.last, self.chain) = (last, chain),
            Err(reason) => self.skipped.push(Skipped { label: label.to_owned(), reason }),
        }
    }

    fn judge(
        &self,
        bytes: &[u8],
        powers: &Powers,
        relation: &Relation,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Parameters, Chain), CeremonyError> {
        let next = Parameters::from_zkey(bytes, relation)?;
        let chain = next.verify(powers, relation, rng)?; // first, so that a broken contribution is named
        let (before, after) = (&self.last.contributions, &next.contributions);
        let adds = after.len() > before.len() && after.starts_with(before);
        if adds && next.circuit_hash == self.last.circuit_hash {
            Ok((next, chain))
        } else {
            Err(CeremonyError::NoContinuation)
        }
    }
}
