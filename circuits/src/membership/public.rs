//! What everyone sees, and the one place that knows in which order the verifier reads it.

use std::convert::Infallible;

use ark_bn254::Fr;
use unum_identity::field::{ExternalNullifier, Nullifier, Root, SignalHash};

/// Public inputs of the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Public {
    /// Root of the set that the person is in.
    pub root: Root,
    /// The person, for this external nullifier only.
    pub nullifier: Nullifier,
    /// What the proof binds.
    pub signal_hash: SignalHash,
    /// What the nullifier is for.
    pub external_nullifier: ExternalNullifier,
}

impl Public {
    /// The public inputs in World ID's order.
    pub fn to_inputs(&self) -> [Fr; 4] {
        let mut inputs = Vec::with_capacity(4);
        let Ok(_) = Inputs::from(self).in_order(|_, value| {
            inputs.push(value);
            Ok::<_, Infallible>(())
        });
        inputs.try_into().expect("there are four inputs")
    }

    /// Their names, in the same order.
    pub fn names() -> [&'static str; 4] {
        let mut names = Vec::with_capacity(4);
        let Ok(_) = Inputs::from(()).in_order(|name, ()| {
            names.push(name);
            Ok::<_, Infallible>(())
        });
        names.try_into().expect("there are four inputs")
    }
}

/// One `T` for each public input: its value, or its wire in the circuit.
#[derive(Clone, Copy)]
pub(super) struct Inputs<T> {
    pub root: T,
    pub nullifier: T,
    pub signal_hash: T,
    pub external_nullifier: T,
}

impl<T> Inputs<T> {
    /// Visits each input in the public order, which is the order of the lines below; nothing else knows it.
    pub(super) fn in_order<U, E>(
        self,
        mut visit: impl FnMut(&'static str, T) -> Result<U, E>,
    ) -> Result<Inputs<U>, E> {
        Ok(Inputs {
            root: visit("root", self.root)?,
            nullifier: visit("nullifier", self.nullifier)?,
            signal_hash: visit("signal_hash", self.signal_hash)?,
            external_nullifier: visit("external_nullifier", self.external_nullifier)?,
        })
    }
}

impl<T: Copy> From<T> for Inputs<T> {
    /// The same everywhere.
    fn from(each: T) -> Self {
        Self { root: each, nullifier: each, signal_hash: each, external_nullifier: each }
    }
}

impl From<&Public> for Inputs<Fr> {
    fn from(public: &Public) -> Self {
        Self {
            root: public.root.0.into(),
            nullifier: public.nullifier.0.into(),
            signal_hash: public.signal_hash.0.into(),
            external_nullifier: public.external_nullifier.0.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_world_id() {
        let public = Public {
            root: Root(1.into()),
            nullifier: Nullifier(2.into()),
            signal_hash: SignalHash(3.into()),
            external_nullifier: ExternalNullifier(4.into()),
        };
        assert_eq!(public.to_inputs(), [1, 2, 3, 4].map(|n: u64| Fr::from(n)));
        assert_eq!(Public::names(), ["root", "nullifier", "signal_hash", "external_nullifier"]);
    }
}
