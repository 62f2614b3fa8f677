//! Powers of tau in half the bytes, for the repository: points compressed, no Lagrange bases.
//!
//! ```text
//! "unum-ptau" 0x01 ‖ header section of the .ptau file ‖ τ·G … ‖ τ·H … ‖ α·τ·G … ‖ β·τ·G … ‖ β·H ‖ contributions section
//! ```
//!
//! Points as arkworks compresses them. The `.ptau` file comes back to the bit.

use ark_ec::AffineRepr;
use ark_serialize::{Compress, Validate};
use rayon::prelude::*;

use super::{Powers, contribution, header, take_header};
use crate::ceremony::CeremonyError;
use crate::ceremony::container::Reader;

const MAGIC: &[u8; 10] = b"unum-ptau\x01";
const FILE: &str = "compact powers of tau";
const HEADER: usize = 44;

impl Powers {
    /// Half as long as [`Powers::to_ptau`].
    pub fn to_compact(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(header(self.power, self.ceremony_power));
        put(&mut bytes, &self.tau_g1);
        put(&mut bytes, &self.tau_g2);
        put(&mut bytes, &self.alpha_g1);
        put(&mut bytes, &self.beta_g1);
        put(&mut bytes, &[self.beta_g2]);
        bytes.extend(contribution::list_bytes(&self.contributions));
        bytes
    }

    /// Reads what [`Powers::to_compact`] wrote, with every check of every point.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Malformed`] or [`CeremonyError::Point`].
    pub fn from_compact(bytes: &[u8]) -> Result<Self, CeremonyError> {
        let mut reader = Reader::new(bytes, FILE, "contributions");
        reader.expect(MAGIC, "it does not start with the magic word")?;
        let (power, ceremony_power) = take_header(Reader::new(reader.bytes(HEADER)?, FILE, "header"))?;
        let n = 1 << power;
        Ok(Self {
            power,
            ceremony_power,
            tau_g1: take(&mut reader, "tauG1", 2 * n - 1)?,
            tau_g2: take(&mut reader, "tauG2", n)?,
            alpha_g1: take(&mut reader, "alphaTauG1", n)?,
            beta_g1: take(&mut reader, "betaTauG1", n)?,
            beta_g2: take(&mut reader, "betaG2", 1)?[0],
            contributions: contribution::take_list(reader)?,
            prepared: None,
        })
    }
}

fn put<P: AffineRepr>(bytes: &mut Vec<u8>, points: &[P]) {
    for point in points {
        point.serialize_compressed(&mut *bytes).expect("writing to memory cannot fail");
    }
}

fn take<P: AffineRepr>(
    reader: &mut Reader<'_>,
    section: &'static str,
    count: usize,
) -> Result<Vec<P>, CeremonyError> {
    let length = P::generator().serialized_size(Compress::Yes);
    let bytes = reader.bytes(count * length)?;
    let point = |(index, bytes): (usize, &[u8])| {
        P::deserialize_with_mode(bytes, Compress::Yes, Validate::Yes)
            .ok()
            .filter(|point| !point.is_zero())
            .ok_or(CeremonyError::Point { section, index })
    };
    bytes.par_chunks(length).enumerate().map(point).collect()
}
