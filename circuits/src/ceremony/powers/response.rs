//! BLAKE2b-512 (RFC 7693) that can be stopped, written down and resumed: the format of phase 1 stores the state of a
//! hash, and no crate of ours gives its state away. Everything else that is hashed here goes through `blake2`, which is
//! also what the tests compare this with.
//!
//! ```text
//! state: block so far (128) ‖ h (8 × u64) ‖ bytes compressed (u64) ‖ bytes in the block (u64) ‖ unused (8), little-endian
//! ```

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];
/// Which word goes where, by round (RFC 7693, section 2.7).
const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
const BLOCK: usize = 128;

/// A hash in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResumableBlake2b {
    block: [u8; BLOCK],
    h: [u64; 8],
    compressed: u64,
    filled: usize,
    /// Older programs wrote something here. Kept, so that a file comes back to the bit.
    unused: [u8; 8],
}

impl ResumableBlake2b {
    pub(super) fn new() -> Self {
        let mut h = IV;
        h[0] ^= 0x0101_0040; // no key, 64 bytes of output
        Self { block: [0; BLOCK], h, compressed: 0, filled: 0, unused: [0; 8] }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == BLOCK {
                self.compress(false); // not before more comes: the last block is compressed differently
                self.filled = 0;
            }
            let (taken, rest) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            self.block[self.filled..][..taken.len()].copy_from_slice(taken);
            self.filled += taken.len();
            bytes = rest;
        }
    }

    pub(super) fn finish(mut self) -> [u8; 64] {
        self.block[self.filled..].fill(0);
        self.compress(true);
        let mut digest = [0; 64];
        digest
            .chunks_exact_mut(8)
            .zip(self.h)
            .for_each(|(out, word)| out.copy_from_slice(&word.to_le_bytes()));
        digest
    }

    /// What the file stores.
    pub(super) fn state(&self) -> [u8; 216] {
        let mut state = [0; 216];
        state[..BLOCK].copy_from_slice(&self.block);
        let words = self.h.into_iter().chain([self.compressed, self.filled as u64]);
        state[208..].copy_from_slice(&self.unused);
        state[BLOCK..208]
            .chunks_exact_mut(8)
            .zip(words)
            .for_each(|(out, word)| out.copy_from_slice(&word.to_le_bytes()));
        state
    }

    /// None if no hash has this state.
    pub(super) fn from_state(state: &[u8; 216]) -> Option<Self> {
        let (block, words) = state.split_first_chunk::<BLOCK>()?;
        let mut words =
            words.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("chunks of 8")));
        let mut h = [0; 8];
        for word in &mut h {
            *word = words.next()?;
        }
        let compressed = words.next()?;
        let filled = usize::try_from(words.next()?).ok().filter(|filled| *filled <= BLOCK)?;
        (compressed % BLOCK as u64 == 0 && compressed < 1 << 63).then_some(Self {
            block: *block,
            h,
            compressed,
            filled,
            unused: *state.last_chunk()?,
        })
    }

    fn compress(&mut self, last: bool) {
        self.compressed += self.filled as u64;
        let mut m = [0; 16];
        for (word, chunk) in m.iter_mut().zip(self.block.chunks_exact(8)) {
            *word = u64::from_le_bytes(chunk.try_into().expect("chunks of 8"));
        }
        let mut v = [0; 16];
        v[..8].copy_from_slice(&self.h);
        v[8..].copy_from_slice(&IV);
        v[12] ^= self.compressed;
        if last {
            v[14] = !v[14];
        }
        for s in SIGMA.iter().cycle().take(12) {
            for (column, [a, b, c, d]) in
                [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]].iter().enumerate()
            {
                mix(&mut v, [*a, *b, *c, *d], m[s[2 * column]], m[s[2 * column + 1]]);
            }
            for (diagonal, [a, b, c, d]) in
                [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]].iter().enumerate()
            {
                mix(&mut v, [*a, *b, *c, *d], m[s[8 + 2 * diagonal]], m[s[9 + 2 * diagonal]]);
            }
        }
        for i in 0..8 {
            self.h[i] ^= v[i] ^ v[i + 8];
        }
    }
}

/// The function G (RFC 7693, section 3.1).
fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

#[cfg(test)]
mod tests {
    use blake2::{Blake2b512, Digest};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_blake2b_in_pieces_and_across_a_file(pieces in vec(vec(any::<u8>(), 0..300), 0..6), cut in 0_usize..6) {
            let mut hash = ResumableBlake2b::new();
            for (i, piece) in pieces.iter().enumerate() {
                if i == cut {
                    hash = ResumableBlake2b::from_state(&hash.state()).unwrap();
                }
                hash.update(piece);
            }
            let expected: [u8; 64] = Blake2b512::digest(pieces.concat()).into();
            prop_assert_eq!(hash.finish(), expected);
        }
    }

    #[test]
    fn a_state_that_no_hash_has_is_refused() {
        let mut state = ResumableBlake2b::new().state();
        state[200] = 129; // more bytes than a block has
        assert_eq!(ResumableBlake2b::from_state(&state), None);
        let mut state = ResumableBlake2b::new().state();
        state[192] = 1; // not whole blocks
        assert_eq!(ResumableBlake2b::from_state(&state), None);
    }
}
