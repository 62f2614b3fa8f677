//! The people of a demo: a wallet each, and eyes that a device can look at.

use getrandom::SysRng;
use orb_firmware::camera::Camera;
use orb_firmware::camera::folder::Folder;
use orb_firmware::camera::render::Renderer;
use rand_core::UnwrapErr;
use wallet_sdk::Wallet;

use super::images::{self, Album, Shots};
use super::stage::Stage;
use super::{COME_AGAIN, DemoError, Eyes, Options, Source};

/// One person.
pub(super) struct Person {
    pub(super) wallet: Wallet,
    pub(super) enrolled: bool,
    eyes: PersonalEyes,
}

enum PersonalEyes {
    Rendered { person: u64, comes_again: bool },
    Images(Album),
}

/// A camera in front of a person.
pub(super) type BoxedCamera = Box<dyn Camera + Send>;

impl Person {
    fn new(eyes: PersonalEyes) -> Self {
        Self { wallet: Wallet::generate(&mut UnwrapErr(SysRng)), enrolled: false, eyes }
    }

    /// What a device sees when the person comes for the `attempt`-th time, from 0, to be enrolled.
    pub(super) fn camera(&self, attempt: u64) -> BoxedCamera {
        match &self.eyes {
            PersonalEyes::Rendered { person, .. } => Box::new(Renderer::new(*person, attempt)),
            PersonalEyes::Images(album) => folder(&album.enroll),
        }
    }

    /// How often it makes sense to ask for a new capture: images do not change.
    pub(super) fn attempts(&self) -> u64 {
        match &self.eyes {
            PersonalEyes::Rendered { .. } => 3,
            PersonalEyes::Images(_) => 1,
        }
    }

    /// What devices see when the person comes again, once enrolled.
    pub(super) fn again(&self) -> Vec<BoxedCamera> {
        match &self.eyes {
            // Another visit than any attempt to enroll.
            PersonalEyes::Rendered { person, comes_again: true } => {
                vec![Box::new(Renderer::new(*person, 1000))]
            }
            PersonalEyes::Rendered { .. } => Vec::new(),
            PersonalEyes::Images(album) => album.again.iter().map(folder).collect(),
        }
    }
}

fn folder(shots: &Shots) -> BoxedCamera {
    Box::new(Folder::new(shots.left.clone(), shots.right.clone()))
}

/// Everyone who comes.
pub(super) fn gather(options: &Options, stage: &Stage) -> Result<(Vec<Person>, Source), DemoError> {
    let path = match &options.eyes {
        Eyes::Rendered(count) => {
            let rendered = |person: u32| PersonalEyes::Rendered {
                person: u64::from(person),
                comes_again: (person as usize) < COME_AGAIN,
            };
            return Ok(((0..*count).map(rendered).map(Person::new).collect(), Source::Rendered));
        }
        Eyes::Images(path) => path,
    };
    let images::People { albums, unreadable } = images::read(path)?;
    for row in &unreadable {
        stage.note(row);
    }
    let listed = albums.len();
    let suits =
        |album: &Album| if options.one_eye { !album.enroll.is_empty() } else { album.enroll.both_eyes() };
    let people: Vec<_> =
        albums.into_iter().filter(suits).map(PersonalEyes::Images).map(Person::new).collect();
    if people.len() < listed {
        stage.note(&format!(
            "{} people left out: images of one eye only (allow them with --one-eye)",
            listed - people.len()
        ));
    }
    if people.is_empty() {
        return Err(DemoError::Nobody(if options.one_eye { "an eye" } else { "both eyes" }));
    }
    Ok((people, Source::Images))
}
