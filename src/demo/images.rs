//! People from a list of image files: who has which images, and which of them are kept back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use orb_firmware::camera::Eye;
use orb_firmware::manifest::{Manifest, ManifestError};

/// Every third image of an eye is kept back for attempts to enroll the person again.
const KEPT_BACK: usize = 3;

/// Image files of both eyes.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Shots {
    /// Of the left eye, in the order in which they were taken.
    pub(super) left: Vec<PathBuf>,
    /// Of the right eye.
    pub(super) right: Vec<PathBuf>,
}

impl Shots {
    fn of(&mut self, eye: Eye) -> &mut Vec<PathBuf> {
        match eye {
            Eye::Left => &mut self.left,
            Eye::Right => &mut self.right,
        }
    }

    /// Whether both eyes have images.
    pub(super) fn both_eyes(&self) -> bool {
        !self.left.is_empty() && !self.right.is_empty()
    }

    /// Whether neither eye has.
    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty() && self.right.is_empty()
    }
}

/// One person's images. Deliberately without the person's name.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Album {
    /// For enrolling.
    pub(super) enroll: Shots,
    /// One attempt each to enroll again: the n-th image kept back of either eye.
    pub(super) again: Vec<Shots>,
}

/// Everyone in a manifest.
pub(super) struct People {
    /// In the order of the names that they had in the manifest.
    pub(super) albums: Vec<Album>,
    /// Rows that could not be read, in words that name neither file nor person.
    pub(super) unreadable: Vec<String>,
}

/// Reads a manifest.
///
/// # Errors
///
/// [`ManifestError`] if the file is no manifest at all.
pub(super) fn read(path: &std::path::Path) -> Result<People, ManifestError> {
    let manifest = Manifest::read(path)?;
    let unreadable = manifest.errors.iter().map(ToString::to_string).collect();
    let mut rows = manifest.rows;
    rows.sort_by(|a, b| (&a.person, a.eye, a.session, a.shot).cmp(&(&b.person, b.eye, b.session, b.shot)));
    let mut people: BTreeMap<String, (Album, [usize; 2])> = BTreeMap::new();
    for row in rows {
        let (album, seen) = people.entry(row.person).or_default();
        let seen = &mut seen[usize::from(row.eye == Eye::Right)];
        *seen += 1;
        if *seen % KEPT_BACK == 0 {
            let attempt = *seen / KEPT_BACK - 1;
            if album.again.len() <= attempt {
                album.again.push(Shots::default());
            }
            album.again[attempt].of(row.eye).push(row.path);
        } else {
            album.enroll.of(row.eye).push(row.path);
        }
    }
    Ok(People { albums: people.into_values().map(|(album, _)| album).collect(), unreadable })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_third_image_of_an_eye_is_kept_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("eyes.csv");
        let mut text = "path,person,eye,session,shot\n".to_owned();
        for shot in (1..=7).rev() {
            writeln!(text, "l{shot}.png,b,L,1,{shot}").unwrap();
        }
        text.push_str("r1.png,b,R,1,1\nr2.png,b,R,2,1\nr3.png,b,R,2,2\nx.png,a,L,1,1\nbroken\n");
        std::fs::write(&path, text).unwrap();
        let people = read(&path).unwrap();
        assert_eq!(people.unreadable.len(), 1);
        assert_eq!(people.albums.len(), 2);
        let names = |paths: &[PathBuf]| -> Vec<String> {
            paths.iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
        };
        let album = &people.albums[1];
        assert_eq!(names(&album.enroll.left), ["l1", "l2", "l4", "l5", "l7"]);
        assert_eq!(names(&album.enroll.right), ["r1", "r2"]);
        assert_eq!(album.again.len(), 2);
        assert_eq!(
            (names(&album.again[0].left), names(&album.again[0].right)),
            (vec!["l3".into()], vec!["r3".into()])
        );
        assert!(!album.again[1].both_eyes());
        assert!(people.albums[0].again.is_empty());
    }
}
