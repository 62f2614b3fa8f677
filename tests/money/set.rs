//! A published set of our own: people whose secrets we know, a signed checkpoint, a server of one address.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use ed25519_dalek::SigningKey;
use unum_identity::bytes::{DeviceId, DeviceSignature, ServiceKey};
use unum_identity::checkpoint::Checkpoint;
use unum_identity::enrollment::{PublishedLeaf, Snapshot};
use unum_identity::secret::Identity;
use unum_identity::set::{Change, MerklePath, Set};
use unum_identity::signed::service_key;

pub(crate) const ORIGIN: &str = "example.org/test-set";

/// Everyone who is enrolled, and what the world is told about it.
pub(crate) struct PublishedSet {
    pub(crate) people: Vec<Identity>,
    set: Set,
    key: SigningKey,
    /// What the server answers: a snapshot, or nothing at all.
    served: Arc<Mutex<Option<String>>>,
    pub(crate) url: String,
}

impl PublishedSet {
    pub(crate) fn of(people: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = Arc::new(Mutex::new(None));
        let answer = Arc::clone(&served);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = serve(&stream.unwrap(), &answer); // a client that hangs up is the client's affair
            }
        });
        let key = SigningKey::from_bytes(&[7; 32]);
        let mut published = Self { people: Vec::new(), set: Set::default(), key, served, url };
        published.enroll(people);
        published
    }

    pub(crate) fn key(&self) -> ServiceKey {
        service_key(&self.key)
    }

    /// Enrolls more people, and publishes the new set.
    pub(crate) fn enroll(&mut self, people: usize) {
        for _ in 0..people {
            let person = Identity::from_secret(format!("person {}", self.people.len()).as_bytes());
            self.set.extend([person.commitment()]).unwrap();
            self.people.push(person);
        }
        self.publish(|_| {});
    }

    /// Gives a person another wallet in the place of theirs, which is returned, and publishes the new set.
    pub(crate) fn recover(&mut self, person: usize) -> Identity {
        let found = Identity::from_secret(format!("person {person}, who lost a wallet").as_bytes());
        let put = Change::Put { index: person as u64, commitment: found.commitment() };
        self.set.apply([put]).unwrap();
        let lost = std::mem::replace(&mut self.people[person], found);
        self.publish(|_| {});
        lost
    }

    /// Publishes the set after `alter` has had its way with it.
    pub(crate) fn publish(&self, alter: impl FnOnce(&mut Snapshot)) {
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: self.set.len(), root: self.set.root() };
        let leaf = |commitment| PublishedLeaf {
            commitment,
            device: DeviceId([1; 16]),
            signature: DeviceSignature([0; 64]), // nobody is configured to look at it
        };
        let mut snapshot = Snapshot {
            checkpoint: checkpoint.sign(&self.key),
            leaves: self.set.leaves().map(leaf).collect(),
        };
        alter(&mut snapshot);
        *self.served.lock().unwrap() = Some(serde_json::to_string(&snapshot).unwrap());
    }

    /// Hangs up on whoever asks.
    pub(crate) fn hide(&self) {
        *self.served.lock().unwrap() = None;
    }

    pub(crate) fn path(&self, person: usize, size: u64) -> MerklePath {
        self.set.path_at(person as u64, size).unwrap()
    }
}

fn serve(stream: &TcpStream, answer: &Mutex<Option<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|header| !header.is_empty()) {}
    let Some(body) = answer.lock().unwrap().clone() else { return Ok(()) };
    assert!(request.starts_with("GET /v1/set/snapshot"), "{request}"); // at its newest size, whichever is asked for
    let mut out = stream;
    write!(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
