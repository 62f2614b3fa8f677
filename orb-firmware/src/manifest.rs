//! A list of eye images: which file shows which eye of which person.
//!
//! ```text
//! path,person,eye,session,shot
//! a/b.png,17,L,1,3                eye is L or R, the person's own; session and shot are numbers from 0 to 65,535
//! ```
//!
//! A row that cannot be read is reported with its number, and the others are read all the same. Row 1 is the first
//! after the header. Knows nothing about what is in the files. `Debug` and errors show neither file nor person.

use std::fmt;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use crate::camera::Eye;

/// The first line that a manifest must have.
pub const HEADER: [&str; 5] = ["path", "person", "eye", "session", "shot"];

/// One image.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1.
    pub number: usize,
    /// The image file; relative paths are relative to the manifest's folder.
    pub path: PathBuf,
    /// Who; any text, equal for the same person.
    pub person: String,
    /// Which eye.
    pub eye: Eye,
    /// Which visit.
    pub session: u16,
    /// Which image of the visit.
    pub shot: u16,
}

/// A row that cannot be read. It is left out and the others stand.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {number}: {reason}")]
pub struct RowError {
    /// Its number, from 1.
    pub number: usize,
    /// What is wrong with it.
    pub reason: RowFault,
}

/// What is wrong with a row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// Not the fields of the header, or not text.
    #[error("has {found} fields, needs {}", HEADER.len())]
    Fields {
        /// Fields found; 0 if the row is not text.
        found: usize,
    },
    /// An empty path or person.
    #[error("{field} is empty")]
    Empty {
        /// Which field.
        field: &'static str,
    },
    /// An eye that is neither.
    #[error("eye is neither L nor R")]
    Eye,
    /// A session or shot that is no number.
    #[error("{field} is no number from 0 to 65535")]
    Number {
        /// Which field.
        field: &'static str,
    },
}

/// Why there is no manifest at all.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file could not be opened.
    #[error("manifest cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// The first line is another one.
    #[error("manifest does not start with {:?}", HEADER.join(","))]
    Header,
}

/// The rows of a manifest, and those that could not be read.
#[derive(Debug, Default)]
pub struct Manifest {
    /// The readable rows, in the file's order.
    pub rows: Vec<Row>,
    /// The others.
    pub errors: Vec<RowError>,
}

impl Manifest {
    /// Reads a manifest file.
    ///
    /// # Errors
    ///
    /// A [`ManifestError`] if the file cannot be read or has another header. Bad rows are no error: see
    /// [`Manifest::errors`].
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let file = std::fs::File::open(path).map_err(|error| ManifestError::Unreadable(error.kind()))?;
        Self::parse(file, path.parent().unwrap_or(Path::new("")))
    }

    fn parse(source: impl std::io::Read, folder: &Path) -> Result<Self, ManifestError> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(source);
        match reader.headers() {
            Ok(header) if header == HEADER[..] => {}
            Ok(_) => return Err(ManifestError::Header),
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(error) => return Err(ManifestError::Unreadable(error.kind())),
                _ => return Err(ManifestError::Header),
            },
        }
        let mut manifest = Self::default();
        for (index, record) in reader.records().enumerate() {
            let number = index + 1;
            let row = match record {
                Ok(record) => row(number, &record, folder),
                Err(error) => match error.into_kind() {
                    csv::ErrorKind::Io(error) => return Err(ManifestError::Unreadable(error.kind())),
                    _ => Err(RowFault::Fields { found: 0 }),
                },
            };
            match row {
                Ok(row) => manifest.rows.push(row),
                Err(reason) => manifest.errors.push(RowError { number, reason }),
            }
        }
        Ok(manifest)
    }
}

fn row(number: usize, record: &StringRecord, folder: &Path) -> Result<Row, RowFault> {
    let fields: [&str; HEADER.len()] =
        record.iter().collect::<Vec<_>>().try_into().map_err(|_| RowFault::Fields { found: record.len() })?;
    let [path, person, eye, session, shot] = fields;
    for (field, value) in [("path", path), ("person", person)] {
        if value.is_empty() {
            return Err(RowFault::Empty { field });
        }
    }
    let eye = match eye {
        "L" => Eye::Left,
        "R" => Eye::Right,
        _ => return Err(RowFault::Eye),
    };
    let count = |field, value: &str| value.parse().map_err(|_| RowFault::Number { field });
    let (session, shot) = (count("session", session)?, count("shot", shot)?);
    Ok(Row { number, path: folder.join(path), person: person.to_owned(), eye, session, shot })
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({})", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_rows_are_read_and_bad_ones_named() {
        let text = "path,person,eye,session,shot\n\
                    a.png,7,L,1,2\n\
                    b.png,7,X,1,2\n\
                    c.png,7,R\n\
                    ,7,R,1,1\n\
                    d.png,,R,1,1\n\
                    e.png,7,R,1,-1\n\
                    \"/x/f, g.png\" , 8 , R , 1 , 1\n";
        let manifest = Manifest::parse(text.as_bytes(), Path::new("eyes")).unwrap();
        let [first, last] = &manifest.rows[..] else { panic!("two rows are good") };
        assert_eq!((first.number, first.eye, first.shot), (1, Eye::Left, 2));
        assert_eq!(first.path, Path::new("eyes/a.png"));
        assert_eq!(
            (last.number, last.path.as_path(), last.person.as_str()),
            (7, Path::new("/x/f, g.png"), "8")
        );
        let errors: Vec<String> = manifest.errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "row 2: eye is neither L nor R",
                "row 3: has 3 fields, needs 5",
                "row 4: path is empty",
                "row 5: person is empty",
                "row 6: shot is no number from 0 to 65535",
            ]
        );
    }

    #[test]
    fn bytes_that_are_no_text_spoil_only_their_row() {
        let text = b"path,person,eye,session,shot\n\xFF\xFE,7,L,1,1\nb.png,7,L,1,1\n";
        let manifest = Manifest::parse(&text[..], Path::new("")).unwrap();
        assert_eq!((manifest.rows.len(), manifest.errors.len()), (1, 1));
    }

    #[test]
    fn another_header_is_refused() {
        for text in ["", "path,person,eye\n", "a.png,7,L,1,1\n"] {
            assert_eq!(Manifest::parse(text.as_bytes(), Path::new("")).unwrap_err(), ManifestError::Header);
        }
        let missing = Manifest::read(Path::new("/nowhere/eyes.csv")).unwrap_err();
        assert_eq!(missing, ManifestError::Unreadable(std::io::ErrorKind::NotFound));
    }
}
