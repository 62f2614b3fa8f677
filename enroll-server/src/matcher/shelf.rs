//! Segments on disk: one encrypted file each, in a folder of this server's.
//!
//! ```text
//! file     header (80 bytes) ‖ ciphertext of the blocks, as they lie in memory
//! header   "unum/segment/v1" ‖ 0 ‖ first person (u64) ‖ people (u64) ‖ version (u32) ‖ four zeros ‖ nonce (24) ‖ tag (16)
//! sealed   XChaCha20-Poly1305 with the template key; bound to the header but for the tag. Numbers are big-endian
//! ```
//!
//! A file has to be what the manifest says, so whoever exchanges files, or brings back an old one, is noticed. It is
//! decrypted in the locked memory that is scanned, and nowhere else. The manifest is written first, the file after it:
//! a crash between them leaves a missing file. A file appears under its name whole or not at all.
//!
//! The key is that of the rows that segments are made of: whoever can open one may open the other, and every server
//! of a database can read its segments. Associated data and random nonces of 192 bits keep the two apart.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use unum_iris::{BLOCK_BYTES, Blocks};

use super::segment::{blocks_of, people_in};
use super::{Entry, Seal, Segment};
use crate::sealed::TemplateKey;

const MAGIC: &[u8; 16] = b"unum/segment/v1\0";
/// Bytes of a header that a file is bound to: all but the tag.
const BOUND: usize = 16 + 8 + 8 + 4 + 4 + 24;
const HEADER: usize = BOUND + 16;

/// A folder of segments, and the key that opens them.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    key: TemplateKey,
}

/// A segment, made ready for the disk.
pub struct SealedSegment {
    entry: Entry,
    ciphertext: Vec<u8>,
}

/// Why a file is not the segment that the manifest lists. Make it again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is no such file.
    #[error("its file is missing")]
    Missing,
    /// Shorter, or longer, than this segment is.
    #[error("its file is torn: {found} bytes, not {needed}")]
    Torn {
        /// Bytes in the file.
        found: u64,
        /// Bytes that it should have.
        needed: u64,
    },
    /// Another version.
    #[error("its file is stale: version {found}, not {needed}")]
    Stale {
        /// Version in the file.
        found: u32,
        /// Version listed.
        needed: u32,
    },
    /// Another segment's file.
    #[error("its file is that of segment {found}")]
    Exchanged {
        /// Whose file it is.
        found: u64,
    },
    /// Not what was written.
    #[error("its file was altered")]
    Altered,
    /// The disk gives no answer.
    #[error("its file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

impl Fault {
    /// For metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Torn { .. } => "torn",
            Self::Stale { .. } => "stale",
            Self::Exchanged { .. } => "exchanged",
            Self::Altered => "altered",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl Shelf {
    /// The shelf at `folder`, which is made if it does not exist. What a server that was killed had begun to write
    /// there is removed.
    ///
    /// # Errors
    ///
    /// If the folder cannot be used.
    pub fn open(folder: &Path, key: TemplateKey) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "draft") {
                fs::remove_file(path)?;
            }
        }
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// Where the segment that begins with person `first` lies.
    pub fn path(&self, first: u64) -> PathBuf {
        self.folder.join(format!("{first:012}.segment"))
    }

    /// Seals `blocks` again, as `entry` lists them. `None` if they are others: the ciphertext must then be shown to
    /// nobody, for two different ones under a nonce betray both.
    pub(crate) fn seal_again(&self, entry: &Entry, blocks: &Blocks) -> Option<SealedSegment> {
        let sealed = self.seal(entry.first, entry.version, entry.seal.nonce, blocks);
        (sealed.entry == *entry).then_some(sealed)
    }

    /// Seals `blocks`, in which people from `first` on stand without gaps. `nonce` is random and for them alone.
    pub fn seal(&self, first: u64, version: u32, nonce: [u8; 24], blocks: &Blocks) -> SealedSegment {
        let seal = Seal { nonce, tag: [0; 16] };
        let mut entry = Entry { first, people: people_in(blocks), version, seal };
        let mut ciphertext = vec![0; blocks.as_bytes().len()];
        let bound = &header(&entry)[..BOUND];
        entry.seal.tag = self.key.seal_bytes(blocks.as_bytes(), &mut ciphertext, nonce, bound);
        SealedSegment { entry, ciphertext }
    }

    /// Writes a segment, instead of what its file was before. Returns when it is on the disk. `draft` is random: what the
    /// file is called until it is whole, so that two who write the same one do not meet.
    ///
    /// # Errors
    ///
    /// Whatever the disk says. The file is then what it was before, or this one.
    pub fn write(&self, segment: &SealedSegment, draft: [u8; 8]) -> io::Result<()> {
        let draft = self.folder.join(format!("{:016x}.draft", u64::from_be_bytes(draft)));
        let written =
            segment.write_to(&draft).and_then(|()| fs::rename(&draft, self.path(segment.entry.first)));
        if written.is_err() {
            let _ = fs::remove_file(&draft); // or the next start does
        }
        written?;
        File::open(&self.folder)?.sync_all()
    }

    /// Whether there is a file of this length that says to be the segment that `entry` lists. What is inside is not looked
    /// at.
    ///
    /// # Errors
    ///
    /// A [`Fault`] if not.
    pub(crate) fn check(&self, entry: &Entry) -> Result<(), Fault> {
        self.open_file(entry).map(|_| ())
    }

    /// Reads and decrypts the segment that `entry` lists.
    ///
    /// # Errors
    ///
    /// A [`Fault`] if the file is anything else.
    pub fn read(&self, entry: &Entry) -> Result<Segment, Fault> {
        let (mut file, header) = self.open_file(entry)?;
        let mut blocks = Blocks::empty(blocks_of(entry.people));
        file.read_exact(blocks.as_bytes_mut())?;
        let Seal { nonce, tag } = entry.seal;
        let opened = self.key.open_bytes(blocks.as_bytes_mut(), nonce, tag, &header[..BOUND]);
        opened.map_err(|_| Fault::Altered)?;
        Ok(Segment::new(*entry, blocks))
    }

    /// The file of a segment, read as far as its blocks, and its header.
    fn open_file(&self, entry: &Entry) -> Result<(File, [u8; HEADER]), Fault> {
        let mut file = File::open(self.path(entry.first)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Fault::Missing,
            _ => error.into(),
        })?;
        let needed = (HEADER + blocks_of(entry.people) * BLOCK_BYTES) as u64;
        let found = file.metadata()?.len();
        if found < HEADER as u64 {
            return Err(Fault::Torn { found, needed });
        }
        let mut header = [0; HEADER];
        file.read_exact(&mut header)?;
        check_header(&header, entry)?;
        if found != needed {
            return Err(Fault::Torn { found, needed });
        }
        Ok((file, header))
    }
}

impl SealedSegment {
    /// What the manifest has to say of it.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    fn write_to(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&header(&self.entry))?;
        file.write_all(&self.ciphertext)?;
        file.sync_all()
    }
}

impl std::fmt::Debug for SealedSegment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedSegment")
    }
}

fn header(entry: &Entry) -> [u8; HEADER] {
    let Entry { first, people, version, seal: Seal { nonce, tag } } = entry;
    let parts: [&[u8]; 7] =
        [MAGIC, &first.to_be_bytes(), &people.to_be_bytes(), &version.to_be_bytes(), &[0; 4], nonce, tag];
    parts.concat().try_into().expect("the parts of a header are as long as a header")
}

/// Whether this is the header of the file of `entry`; if not, what it is.
fn check_header(found: &[u8; HEADER], entry: &Entry) -> Result<(), Fault> {
    if *found == header(entry) {
        return Ok(());
    }
    let number = |at: usize| u64::from_be_bytes(*found[at..].first_chunk().expect("the header is longer"));
    let (first, version) = (number(16), (number(32) >> 32) as u32);
    match &found[..MAGIC.len()] == MAGIC {
        true if first != entry.first => Err(Fault::Exchanged { found: first }),
        true if version != entry.version => Err(Fault::Stale { found: version, needed: entry.version }),
        _ => Err(Fault::Altered),
    }
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use proptest::prelude::*;
    use rand_core::UnwrapErr;

    use super::*;
    use crate::uniqueness::tests::{eye, pair};

    fn random<const N: usize>() -> [u8; N] {
        let mut bytes = [0; N];
        UnwrapErr(SysRng).fill_bytes(&mut bytes);
        bytes
    }

    /// So many people, the first of whom is made of `seed`.
    fn blocks(people: u64, seed: u64) -> Blocks {
        let mut blocks = Blocks::empty(blocks_of(people));
        for i in 0..people as usize {
            let seed = 2 * (seed + i as u64);
            blocks[i / 16].put(i % 16, &pair(eye(seed), eye(seed + 1)));
        }
        blocks
    }

    /// A shelf with segments of persons 1 to 20, in version 2, and 21 to 40.
    struct Library {
        shelf: Shelf,
        entries: [Entry; 2],
        old: Vec<u8>,
        folder: tempfile::TempDir,
    }

    fn library() -> Library {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(&folder.path().join("segments"), TemplateKey::from_bytes(&[3; 32])).unwrap();
        let put = |first, version, seed| {
            let sealed = shelf.seal(first, version, random(), &blocks(20, seed));
            shelf.write(&sealed, random()).unwrap();
            *sealed.entry()
        };
        put(1, 1, 99);
        let old = fs::read(shelf.path(1)).unwrap();
        let entries = [put(1, 2, 0), put(21, 1, 20)];
        Library { shelf, entries, old, folder }
    }

    impl Library {
        #[track_caller]
        fn fault(&self) -> String {
            let read = |entry| self.shelf.read(entry).map(|_| ());
            assert!(read(&self.entries[1]).is_ok(), "the other segment is as it was");
            let fault = read(&self.entries[0]).unwrap_err().to_string();
            match self.shelf.check(&self.entries[0]) {
                Ok(()) => assert_eq!(fault, "its file was altered", "which cannot be seen from outside"),
                Err(seen) => assert_eq!(seen.to_string(), fault),
            }
            fault
        }
    }

    #[test]
    fn what_is_written_comes_back() {
        let library = library();
        for (entry, seed) in library.entries.iter().zip([0, 20]) {
            let segment = library.shelf.read(entry).unwrap();
            assert!(**segment.blocks() == *blocks(20, seed) && segment.entry() == entry);
            assert_eq!(entry.people, 20);
        }
    }

    #[test]
    fn made_again_a_file_is_the_same() {
        let library = library();
        let before = fs::read(library.shelf.path(1)).unwrap();
        fs::remove_file(library.shelf.path(1)).unwrap();
        let sealed = library.shelf.seal_again(&library.entries[0], &blocks(20, 0)).unwrap();
        library.shelf.write(&sealed, random()).unwrap();
        assert!(fs::read(library.shelf.path(1)).unwrap() == before);
        assert!(library.shelf.seal_again(&library.entries[0], &blocks(20, 1)).is_none(), "of other people");
        assert!(library.shelf.seal_again(&library.entries[0], &blocks(19, 0)).is_none(), "of fewer people");
    }

    #[test]
    fn a_file_that_is_not_the_one_listed_is_told_apart() {
        let library = library();
        let path = library.shelf.path(1);
        let good = fs::read(&path).unwrap();
        let needed = good.len();

        fs::write(&path, &library.old).unwrap();
        assert_eq!(library.fault(), "its file is stale: version 1, not 2");
        fs::copy(library.shelf.path(21), &path).unwrap();
        assert_eq!(library.fault(), "its file is that of segment 21");
        for found in [0, HEADER - 1, HEADER, needed / 2, needed - 1] {
            fs::write(&path, &good[..found]).unwrap();
            assert_eq!(library.fault(), format!("its file is torn: {found} bytes, not {needed}"));
        }
        fs::write(&path, [good.as_slice(), &[0]].concat()).unwrap();
        assert_eq!(library.fault(), format!("its file is torn: {} bytes, not {needed}", needed + 1));
        fs::write(&path, vec![0; needed]).unwrap();
        assert_eq!(library.fault(), "its file was altered");
        fs::remove_file(&path).unwrap();
        assert_eq!(library.fault(), "its file is missing");
        fs::create_dir(&path).unwrap();
        assert!(matches!(
            library.shelf.read(&library.entries[0]),
            Err(Fault::Unreadable(_) | Fault::Torn { .. })
        ));
        fs::remove_dir(&path).unwrap();
        fs::write(&path, &good).unwrap();
        assert!(library.shelf.read(&library.entries[0]).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn one_bit_anywhere_is_noticed(at in prop_oneof![0..HEADER, HEADER..HEADER + 2 * BLOCK_BYTES], bit in 0..8) {
            let library = library();
            let path = library.shelf.path(1);
            let mut bytes = fs::read(&path).unwrap();
            bytes[at] ^= 1_u8 << bit;
            fs::write(&path, bytes).unwrap();
            prop_assert!(library.shelf.read(&library.entries[0]).is_err());
        }
    }

    #[test]
    fn a_file_that_claims_to_be_another_is_not_believed() {
        let library = library();
        // The content of the old version under the header of the new one.
        let mut forged = library.old.clone();
        forged[..HEADER].copy_from_slice(&header(&library.entries[0]));
        fs::write(library.shelf.path(1), forged).unwrap();
        assert_eq!(library.fault(), "its file was altered");
    }

    #[test]
    fn another_key_opens_nothing() {
        let library = library();
        let other =
            Shelf::open(&library.folder.path().join("segments"), TemplateKey::from_bytes(&[4; 32])).unwrap();
        assert!(matches!(other.read(&library.entries[0]), Err(Fault::Altered)));
    }

    #[test]
    fn drafts_are_cleared_away_and_files_show_nothing() {
        let library = library();
        let folder = library.folder.path().join("segments");
        fs::write(folder.join("0000.draft"), b"half of something").unwrap();
        Shelf::open(&folder, TemplateKey::from_bytes(&[3; 32])).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "one file for each segment");
        let bytes = fs::read(library.shelf.path(1)).unwrap();
        for column in eye(0).code() {
            assert!(!bytes.windows(8).any(|window| window == column.to_le_bytes()));
        }
    }
}
