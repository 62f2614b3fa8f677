//! What can be wrong with the files of a ceremony.

/// Why a file of a ceremony is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// Not such a file, or cut off. Fetch it again.
    #[error("this is no {file} file for Groth16 over BN254: {why}")]
    Malformed {
        /// Which kind of file was expected.
        file: &'static str,
        /// What does not fit.
        why: &'static str,
    },
    /// A point is written a second way, lies off its curve or outside its subgroup, or is the identity where no
    /// honest file has it.
    #[error("{section}: point {index} is not valid")]
    Point {
        /// Which part of the file.
        section: &'static str,
        /// Which point of it, from 0.
        index: usize,
    },
    /// Made for another circuit, by an older or newer version of this program. Take part with the version that the
    /// ceremony names.
    #[error("made for another circuit than this program's")]
    OtherCircuit,
    /// The powers of tau end before the circuit does. Take a file of at least the power that is needed.
    #[error("powers of tau up to 2^{power}, but this circuit needs 2^{needed}")]
    TooFewPowers {
        /// What the file has.
        power: u32,
        /// What the circuit needs.
        needed: u32,
    },
    /// The powers of tau are no powers: do not use the file.
    #[error("powers of tau: {section} does not hold the powers it should")]
    NoPowers {
        /// Which part of the file.
        section: &'static str,
    },
    /// The points do not follow from these powers, this circuit and the contributions: wrong powers, or a fraud.
    #[error("{section} does not follow from these powers of tau, this circuit and the contributions")]
    NotDerived {
        /// Which part of the file.
        section: &'static str,
    },
    /// A contribution does not hold.
    #[error("contribution {number}{}: {fault}", name.as_ref().map(|name| format!(" ({name:?})")).unwrap_or_default())]
    Contribution {
        /// Which one, from 1.
        number: usize,
        /// What its maker calls themselves.
        name: Option<String>,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The beacon has been drawn: nothing can be added.
    #[error("the ceremony is finished: nothing can be added after the beacon")]
    Finished,
    /// Keys are made only from a ceremony with a contribution and then a beacon.
    #[error("the ceremony is not finished: it needs at least one contribution, and the beacon last")]
    Unfinished,
    /// The file does not add to the parameters that it should have been made from.
    #[error("does not continue the parameters before it")]
    NoContinuation,
    /// Names are 1 to 64 bytes of text.
    #[error("a name has 1 to 64 bytes, this one has {bytes}")]
    Name {
        /// What was given.
        bytes: usize,
    },
    /// The beacon's description is outside what can be used.
    #[error("a beacon has 2^10 to 2^{most} iterations over 1 to 255 bytes", most = crate::ceremony::step::MOST_ITERATIONS)]
    BeaconSource,
}

/// What is wrong with a contribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It was not made on the contributions before it, or one of those was changed.
    #[error("its transcript is not that of the contributions before it")]
    Transcript,
    /// Its maker did not know the secret.
    #[error("no proof that its maker knew the secret")]
    Knowledge,
    /// The result is not the previous one times the secret.
    #[error("it does not continue the parameters before it")]
    Link,
    /// Secret of one: it adds nothing.
    #[error("it changes nothing")]
    NoChange,
    /// The name is not the one that its maker signed with.
    #[error("its name is not the one that it was made with")]
    Name,
    /// The beacon's secret is not the one that its randomness gives.
    #[error("its secret is not the beacon's")]
    Beacon,
    /// A contribution after the beacon.
    #[error("it comes after the beacon")]
    AfterBeacon,
}
