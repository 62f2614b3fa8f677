//! Which workers hold a segment: rendezvous hashing (Thaler and Ravishankar 1998).
//!
//! Each worker has a number for each segment, a hash of both names; the largest numbers hold it. Whoever knows the names
//! knows the answer, with no table to keep. A worker that leaves gives away only its own segments, evenly, and one that
//! comes takes an even share of everybody's.
//!
//! A worker is hashed by its name and not by its address, so that it may move.

use sha2::{Digest as _, Sha256};

/// The workers that hold the segment which begins with person `first`: places in `names`, the one to ask first in front.
/// All of them, if there are not so many.
pub fn holders<S: AsRef<str>>(first: u64, names: &[S], replicas: usize) -> Vec<usize> {
    let mut ranked: Vec<usize> = (0..names.len()).collect();
    ranked.sort_by_cached_key(|&worker| std::cmp::Reverse(weight(first, names[worker].as_ref())));
    ranked.truncate(replicas);
    ranked
}

fn weight(first: u64, name: &str) -> [u8; 32] {
    let hash = Sha256::new().chain_update(b"unum/cluster/place/v1").chain_update(first.to_be_bytes());
    hash.chain_update(name.as_bytes()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("worker-{i}")).collect()
    }

    /// The first person of each of 4,000 segments.
    fn segments() -> impl Iterator<Item = u64> {
        (0..4000).map(|i| 1 + 4096 * i)
    }

    #[test]
    fn each_segment_has_as_many_different_holders_as_asked() {
        for first in segments() {
            for (workers, replicas, expected) in [(5, 2, 2), (2, 2, 2), (1, 2, 1), (0, 2, 0), (5, 1, 1)] {
                let mut holders = holders(first, &names(workers), replicas);
                holders.sort_unstable();
                holders.dedup();
                assert_eq!(holders.len(), expected);
            }
        }
    }

    #[test]
    fn shares_are_even() {
        let mut shares = [[0_u32; 5]; 2];
        for first in segments() {
            for (rank, worker) in holders(first, &names(5), 2).into_iter().enumerate() {
                shares[rank][worker] += 1;
            }
        }
        // 800 each; five standard deviations of a binomial are 127.
        assert!(shares.as_flattened().iter().all(|share| share.abs_diff(800) < 127), "{shares:?}");
    }

    #[test]
    fn a_worker_that_leaves_moves_only_what_it_held() {
        let (all, without) = (names(5), names(4));
        for first in segments() {
            let (before, after) = (holders(first, &all, 2), holders(first, &without, 2));
            let stay = before.iter().filter(|&&worker| worker != 4);
            assert!(stay.clone().all(|worker| after.contains(worker)), "{before:?} {after:?}");
            if !before.contains(&4) {
                assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn the_order_of_the_list_does_not_matter() {
        let (names, mut turned) = (names(5), names(5));
        turned.reverse();
        for first in segments().take(100) {
            let name = |names: &[String], holders: Vec<usize>| {
                holders.into_iter().map(|worker| names[worker].clone()).collect::<Vec<_>>()
            };
            assert_eq!(name(&names, holders(first, &names, 2)), name(&turned, holders(first, &turned, 2)));
        }
    }
}
