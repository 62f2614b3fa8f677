//! The coordinator as an enrollment server knows it: somebody who holds segments elsewhere and compares with them.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use enroll_server::matcher::{Holdings, Manifest, People, Scanned, Scanner, Unscanned};
use unum_iris::{Query, Thresholds};

use super::{Coordinator, Prepared, Readiness};
use crate::wire::Refusal;

impl Scanner for Coordinator {
    fn holds_here(&self) -> bool {
        false
    }

    fn prepare(&self, manifest: &Manifest, erased: u64) -> Holdings {
        Coordinator::prepare(self, manifest, erased).into()
    }

    fn is_impaired(&self) -> bool {
        self.cluster.is_impaired.load(Ordering::Relaxed)
    }

    fn scan(
        &self,
        manifest: &Manifest,
        people: &People,
        queries: &[&Query],
        thresholds: Thresholds,
    ) -> Result<Scanned, Unscanned> {
        let scanned = Coordinator::scan(self, manifest, people, queries, thresholds);
        scanned.map_err(|error| Unscanned(error.to_string()))
    }
}

impl From<Prepared> for Holdings {
    fn from(Prepared { workers, missing }: Prepared) -> Self {
        let (mut faulty, mut altered, mut silent) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for (name, readiness) in workers {
            match readiness {
                Readiness::Lost(_) => silent.push(name),
                Readiness::Answered { refused, .. } => {
                    for (first, why) in refused {
                        match why {
                            Refusal::FileAltered => altered.insert(first),
                            Refusal::Outdated => false, // no fault of a file
                            _ => faulty.insert(first),
                        };
                    }
                }
            }
        }
        let [faulty, altered] = [faulty, altered].map(|files| files.into_iter().collect());
        Self { missing, faulty, altered, silent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_workers_say_is_told_once_for_each_segment() {
        let answered =
            |refused: &[(u64, Refusal)]| Readiness::Answered { held: vec![1], refused: refused.to_vec() };
        let workers = [
            answered(&[(17, Refusal::FileMissing), (33, Refusal::FileAltered)]),
            Readiness::Lost("gone".to_owned()),
            answered(&[(17, Refusal::FileStale), (49, Refusal::Outdated)]),
        ];
        let named =
            workers.into_iter().zip(["a", "b", "c"]).map(|(readiness, name)| (name.to_owned(), readiness));
        let holdings = Holdings::from(Prepared { workers: named.collect(), missing: vec![17] });
        let expected =
            Holdings { missing: vec![17], faulty: vec![17], altered: vec![33], silent: vec!["b".to_owned()] };
        assert_eq!(holdings, expected);
        let whole = Prepared { workers: vec![("a".to_owned(), answered(&[]))], missing: vec![] };
        assert!(Holdings::from(whole).is_whole());
    }
}
