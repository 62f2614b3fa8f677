//! What coordinator and workers say to each other: the one codec of orders, replies, entries, rows and findings.
//!
//! ```text
//! order    CBOR (minicbor), inside the engine's plan: hold these segments, or scan them for sealed queries
//! reply    CBOR, one in each row of the engine's record batches: held, covered, or refused with a reason
//! ```
//!
//! Numbers of fields and variants are append-only: whoever reads a number that it does not know refuses the message.
//! Knows no socket, and nothing of what is inside sealed queries.

use enroll_server::matcher::{Coverage, Entry, Finding, Part, Seal};
use minicbor::{CborLen, Decode, Encode};

use crate::queries::SealedQueries;

/// What a coordinator wants of one worker.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub enum Order {
    /// Have these segments in memory and no others: read what is missing, and let go of all else. They are listed after so
    /// many erasures; an order that is older than another one by this is not carried out.
    #[n(0)]
    Hold(#[n(0)] Vec<EntryOnWire>, #[n(1)] u64),
    /// Compare the queries with everyone in these segments, which it holds.
    #[n(1)]
    Scan(#[n(0)] Vec<EntryOnWire>, #[n(1)] SealedQueries),
    /// Nothing.
    #[n(2)]
    Nothing,
}

impl Order {
    /// The segments it is about.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let entries: &[EntryOnWire] = match self {
            Self::Hold(entries, _) | Self::Scan(entries, _) => entries,
            Self::Nothing => &[],
        };
        entries.iter().map(Entry::from)
    }

    /// The bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// # Errors
    ///
    /// [`Garbled`] for anything but an order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Garbled> {
        decode(bytes)
    }
}

/// What a worker says of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is in memory, in this version.
    Held {
        /// Number of its first person.
        first: u64,
        /// Which version.
        version: u32,
    },
    /// It was compared with every query.
    Covered(Coverage),
    /// It was not, and no other segment of the order was.
    Refused {
        /// Number of its first person.
        first: u64,
        /// Why.
        why: Refusal,
    },
}

/// Why a worker does not answer for a segment. Ask another one that holds it, and see to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Encode, Decode, CborLen)]
#[non_exhaustive]
pub enum Refusal {
    /// It was never told to hold it, or could not, or has been started again since.
    #[n(0)]
    #[error("it is not in memory")]
    NotHeld,
    /// Another version, or other people.
    #[n(1)]
    #[error("another one is in memory: version {found}")]
    Stale {
        /// The version in memory.
        #[n(0)]
        found: u32,
    },
    /// There is no such file.
    #[n(2)]
    #[error("its file is missing")]
    FileMissing,
    /// The file is shorter or longer than the segment.
    #[n(3)]
    #[error("its file is torn")]
    FileTorn,
    /// The file is of another version.
    #[n(4)]
    #[error("its file is stale")]
    FileStale,
    /// The file is another segment's.
    #[n(5)]
    #[error("its file is that of another segment")]
    FileExchanged,
    /// The file is not what was written: its tag, or the tag listed, says so.
    #[n(6)]
    #[error("its file was altered")]
    FileAltered,
    /// The disk gives no answer, or one that is new to this version.
    #[n(7)]
    #[error("its file cannot be read")]
    FileUnreadable,
    /// The order was late, or of a server that has not heard of the last erasure. After a database was restored from a
    /// backup that does not know it either, workers have to be started again.
    #[n(8)]
    #[error("the order is older than the last erasure that it knows of")]
    Outdated,
}

/// Bytes that are no order and no reply: of another version of this program, or altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of the cluster cannot be read: do both sides run the same version?")]
pub struct Garbled;

impl Reply {
    /// The segment it is about.
    pub fn first(&self) -> Option<u64> {
        match self {
            Self::Held { first, .. }
            | Self::Refused { first, .. }
            | Self::Covered(Coverage { part: Part::Segment { first, .. }, .. }) => Some(*first),
            Self::Covered(_) => None,
        }
    }

    /// The bytes. Rows of the tail have none: no worker knows the tail.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let on_wire = match self {
            Self::Held { first, version } => ReplyOnWire::Held(*first, *version),
            Self::Refused { first, why } => ReplyOnWire::Refused(*first, *why),
            Self::Covered(Coverage { part: Part::Segment { first, version }, people, findings }) => {
                let findings = findings.iter().map(FindingOnWire::from).collect();
                ReplyOnWire::Covered(*first, *version, *people, findings)
            }
            Self::Covered(_) => return None,
        };
        Some(encode(&on_wire))
    }

    /// # Errors
    ///
    /// [`Garbled`] for anything but a reply.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Garbled> {
        Ok(match decode(bytes)? {
            ReplyOnWire::Held(first, version) => Self::Held { first, version },
            ReplyOnWire::Refused(first, why) => Self::Refused { first, why },
            ReplyOnWire::Covered(first, version, people, findings) => {
                let findings = findings.into_iter().map(Finding::from).collect();
                Self::Covered(Coverage { part: Part::Segment { first, version }, people, findings })
            }
        })
    }
}

/// An [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub struct EntryOnWire {
    #[n(0)]
    first: u64,
    #[n(1)]
    people: u64,
    #[n(2)]
    version: u32,
    #[cbor(n(3), with = "minicbor::bytes")]
    nonce: [u8; 24],
    #[cbor(n(4), with = "minicbor::bytes")]
    tag: [u8; 16],
}

impl From<&Entry> for EntryOnWire {
    fn from(entry: &Entry) -> Self {
        let Entry { first, people, version, seal: Seal { nonce, tag } } = *entry;
        Self { first, people, version, nonce, tag }
    }
}

impl From<&EntryOnWire> for Entry {
    fn from(entry: &EntryOnWire) -> Self {
        let EntryOnWire { first, people, version, nonce, tag } = *entry;
        Self { first, people, version, seal: Seal { nonce, tag } }
    }
}

#[derive(Encode, Decode, CborLen)]
enum ReplyOnWire {
    #[n(0)]
    Held(#[n(0)] u64, #[n(1)] u32),
    #[n(1)]
    Covered(#[n(0)] u64, #[n(1)] u32, #[n(2)] u64, #[n(3)] Vec<FindingOnWire>),
    #[n(2)]
    Refused(#[n(0)] u64, #[n(1)] Refusal),
}

#[derive(Encode, Decode, CborLen)]
enum FindingOnWire {
    #[n(0)]
    Unique,
    #[n(1)]
    Review,
    #[n(2)]
    TooLittleOverlap(#[n(0)] u32, #[n(1)] u32),
    #[n(3)]
    Duplicate(#[n(0)] u64),
    #[n(4)]
    Duplicates,
}

impl From<&Finding> for FindingOnWire {
    fn from(finding: &Finding) -> Self {
        match *finding {
            Finding::Unique => Self::Unique,
            Finding::Review => Self::Review,
            Finding::TooLittleOverlap { compared, needed } => Self::TooLittleOverlap(compared, needed),
            Finding::Duplicate { person } => Self::Duplicate(person),
            Finding::Duplicates => Self::Duplicates,
        }
    }
}

impl From<FindingOnWire> for Finding {
    fn from(finding: FindingOnWire) -> Self {
        match finding {
            FindingOnWire::Unique => Self::Unique,
            FindingOnWire::Review => Self::Review,
            FindingOnWire::TooLittleOverlap(compared, needed) => Self::TooLittleOverlap { compared, needed },
            FindingOnWire::Duplicate(person) => Self::Duplicate { person },
            FindingOnWire::Duplicates => Self::Duplicates,
        }
    }
}

fn encode<T: Encode<()> + CborLen<()>>(message: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(minicbor::len(message));
    minicbor::encode(message, &mut bytes).expect("memory takes what is written to it");
    bytes
}

/// The message that fills `bytes`.
fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, Garbled> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let message = decoder.decode().map_err(|_| Garbled)?;
    if decoder.position() == bytes.len() { Ok(message) } else { Err(Garbled) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finding() -> impl Strategy<Value = Finding> {
        prop_oneof![
            Just(Finding::Unique),
            Just(Finding::Review),
            any::<u64>().prop_map(|person| Finding::Duplicate { person }),
            Just(Finding::Duplicates),
            any::<(u32, u32)>().prop_map(|(compared, needed)| Finding::TooLittleOverlap { compared, needed }),
        ]
    }

    fn refusal() -> impl Strategy<Value = Refusal> {
        prop_oneof![
            Just(Refusal::NotHeld),
            any::<u32>().prop_map(|found| Refusal::Stale { found }),
            Just(Refusal::FileMissing),
            Just(Refusal::FileTorn),
            Just(Refusal::FileStale),
            Just(Refusal::FileExchanged),
            Just(Refusal::FileAltered),
            Just(Refusal::FileUnreadable),
            Just(Refusal::Outdated),
        ]
    }

    fn reply() -> impl Strategy<Value = Reply> {
        let covered = (any::<(u64, u32, u64)>(), prop::collection::vec(finding(), 0..9));
        prop_oneof![
            any::<(u64, u32)>().prop_map(|(first, version)| Reply::Held { first, version }),
            (any::<u64>(), refusal()).prop_map(|(first, why)| Reply::Refused { first, why }),
            covered.prop_map(|((first, version, people), findings)| {
                Reply::Covered(Coverage { part: Part::Segment { first, version }, people, findings })
            }),
        ]
    }

    fn entry() -> impl Strategy<Value = Entry> {
        any::<(u64, u64, u32, [u8; 24], [u8; 16])>().prop_map(|(first, people, version, nonce, tag)| Entry {
            first,
            people,
            version,
            seal: Seal { nonce, tag },
        })
    }

    proptest! {
        #[test]
        fn replies_come_back(reply in reply()) {
            prop_assert_eq!(Reply::from_bytes(&reply.to_bytes().unwrap()).unwrap(), reply);
        }

        #[test]
        fn entries_come_back(entries in prop::collection::vec(entry(), 0..9)) {
            let order = Order::Hold(entries.iter().map(EntryOnWire::from).collect(), 7);
            let read = Order::from_bytes(&order.to_bytes()).unwrap();
            prop_assert_eq!(read.entries().collect::<Vec<_>>(), entries);
        }

        #[test]
        fn cut_or_lengthened_replies_are_refused(reply in reply(), cut in any::<prop::sample::Index>()) {
            let bytes = reply.to_bytes().unwrap();
            prop_assert_eq!(Reply::from_bytes(&bytes[..cut.index(bytes.len())]), Err(Garbled));
            prop_assert_eq!(Reply::from_bytes(&[bytes.as_slice(), &[0]].concat()), Err(Garbled));
        }
    }

    #[test]
    fn the_tail_does_not_travel() {
        let row = Coverage { part: Part::Tail { first: 1 }, people: 0, findings: vec![] };
        assert_eq!(Reply::Covered(row).to_bytes(), None);
    }

    #[test]
    fn what_is_unknown_is_refused() {
        assert_eq!(Reply::from_bytes(&encode(&(9_u8, 1_u8))), Err(Garbled));
        assert_eq!(Reply::from_bytes(b""), Err(Garbled));
        assert_eq!(Order::from_bytes(&[0xff; 40]), Err(Garbled));
    }
}
