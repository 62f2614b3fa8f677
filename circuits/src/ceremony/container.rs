//! The container that snarkjs puts its files in: a magic word, a version, and numbered sections.
//!
//! ```text
//! magic (4) ‖ version (u32) ‖ number of sections (u32) ‖ for each: id (u32) ‖ length (u64) ‖ its bytes
//! ```
//!
//! Numbers are little-endian. Stricter than snarkjs: a section comes once, and nothing follows the last one.

use std::collections::BTreeMap;

use ark_bn254::{G1Affine, G2Affine};

use super::CeremonyError;
use super::montgomery::{self, Identity};

/// The sections of a file that was read.
#[derive(Debug)]
pub(super) struct Sections<'a> {
    file: &'static str,
    sections: BTreeMap<u32, &'a [u8]>,
}

impl<'a> Sections<'a> {
    /// Splits `bytes`, a file of the kind that `file` names: its magic word, "zkey" or "ptau".
    pub(super) fn read(bytes: &'a [u8], file: &'static str) -> Result<Self, CeremonyError> {
        let mut all = Reader { rest: bytes, file, section: "file" };
        if all.bytes(4)? != file.as_bytes() {
            return Err(CeremonyError::Malformed { file, why: "it does not start with the magic word" });
        }
        if all.u32()? != 1 {
            return Err(CeremonyError::Malformed { file, why: "unknown version" });
        }
        let mut sections = BTreeMap::new();
        for _ in 0..all.u32()? {
            let id = all.u32()?;
            let length = usize::try_from(all.u64()?).unwrap_or(usize::MAX); // longer than memory: cut off
            if sections.insert(id, all.bytes(length)?).is_some() {
                return Err(CeremonyError::Malformed { file, why: "a section comes twice" });
            }
        }
        all.end()?;
        Ok(Self { file, sections })
    }

    /// The section `id`, called `section` in errors.
    pub(super) fn open(&self, id: u32, section: &'static str) -> Result<Reader<'a>, CeremonyError> {
        let rest = self
            .bytes(id)
            .ok_or(CeremonyError::Malformed { file: self.file, why: "a section is missing" })?;
        Ok(Reader { rest, file: self.file, section })
    }

    /// The bytes of section `id`, if it is there.
    pub(super) fn bytes(&self, id: u32) -> Option<&'a [u8]> {
        self.sections.get(&id).copied()
    }
}

/// Reads one section from front to end.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    file: &'static str,
    section: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(rest: &'a [u8], file: &'static str, section: &'static str) -> Self {
        Self { rest, file, section }
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], CeremonyError> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| self.malformed("it is cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CeremonyError> {
        Ok(self.bytes(N)?.try_into().expect("as long as asked for"))
    }

    pub(super) fn u32(&mut self) -> Result<u32, CeremonyError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, CeremonyError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number that must be `expected`.
    pub(super) fn expect(&mut self, expected: &[u8], why: &'static str) -> Result<(), CeremonyError> {
        if self.bytes(expected.len())? == expected { Ok(()) } else { Err(self.malformed(why)) }
    }

    /// One point, not the identity.
    pub(super) fn g1(&mut self) -> Result<G1Affine, CeremonyError> {
        Ok(self.g1_list(1, Identity::Refused)?[0])
    }

    /// One point, not the identity.
    pub(super) fn g2(&mut self) -> Result<G2Affine, CeremonyError> {
        Ok(self.g2_list(1, Identity::Refused)?[0])
    }

    pub(super) fn g1_list(
        &mut self,
        count: usize,
        identity: Identity,
    ) -> Result<Vec<G1Affine>, CeremonyError> {
        let bytes = self.bytes(count.saturating_mul(montgomery::G1_LEN))?;
        montgomery::g1_list(bytes, identity).map_err(|index| self.point(index))
    }

    pub(super) fn g2_list(
        &mut self,
        count: usize,
        identity: Identity,
    ) -> Result<Vec<G2Affine>, CeremonyError> {
        let bytes = self.bytes(count.saturating_mul(montgomery::G2_LEN))?;
        montgomery::g2_list(bytes, identity).map_err(|index| self.point(index))
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), CeremonyError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed("it is longer than it should be")) }
    }

    pub(super) fn malformed(&self, why: &'static str) -> CeremonyError {
        CeremonyError::Malformed { file: self.file, why }
    }

    fn point(&self, index: usize) -> CeremonyError {
        CeremonyError::Point { section: self.section, index }
    }
}

/// Puts a file together from sections in the order given.
pub(super) fn write(file: &str, sections: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let length = 12 + sections.iter().map(|(_, bytes)| 12 + bytes.len()).sum::<usize>();
    let mut out = Vec::with_capacity(length);
    out.extend(file.as_bytes());
    out.extend(1_u32.to_le_bytes());
    out.extend((sections.len() as u32).to_le_bytes());
    for (id, bytes) in sections {
        out.extend(id.to_le_bytes());
        out.extend((bytes.len() as u64).to_le_bytes());
        out.extend(bytes);
    }
    out
}
