//! The enrollment server, as a device sees it: ask for a session, send an envelope.
//!
//! Blocking HTTP. Plain `http` is spoken to this machine only: the key that templates are sealed to comes from the
//! server, so whoever stands in between could name their own.
//!
//! **Lost answers.** When a connection breaks while an envelope is on its way, or the server has no answer yet, the same
//! envelope is sent again a few times. Once accepted it gets one answer, and the same one each time.
//!
//! Knows nothing about cameras, keys and what the envelope says.

use std::net::IpAddr;
use std::time::Duration;

use serde::de::DeserializeOwned;
use unum_identity::bytes::DeviceId;
use unum_identity::enrollment::{
    ENVELOPE_CONTENT_TYPE, EnrollmentOutcome, EnrollmentReceipt, Session, SessionRequest,
};
use unum_identity::envelope::Purpose;
use unum_identity::field::Commitment;
use unum_identity::problem::Problem;
use unum_identity::signed::Signed;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

/// Time to find the server. Field networks are slow; a person waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a whole request: an exhaustive comparison takes well below a second, the rest is for the network.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Pauses before an envelope is sent again: half a minute with the person there, in which a server restarts.
const PAUSES: &[Duration] = &[
    Duration::ZERO,
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(15),
];
/// Largest answer that is read: a receipt takes less than 1 KB.
const MAX_ANSWER: u64 = 64 * 1024;

/// An enrollment server.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    server: String,
    pauses: &'static [Duration],
}

/// What became of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The person is new, the commitment is in the set.
    Enrolled(Signed<EnrollmentReceipt>),
    /// The person was known; the commitment is in the set in the place of another.
    Recovered {
        /// The server's word.
        receipt: Signed<EnrollmentReceipt>,
        /// What stood there before.
        replaced: Commitment,
    },
    /// The eyes disagree. An operator has to look.
    Review,
    /// Neither enrolled nor recovered; the problem's code says why.
    Refused(Problem),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Not an address of a server, or one that would be reached in the clear. Correct it.
    #[error("{address} is not a usable server address: {reason}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server cannot be reached or cannot work now. Nothing is lost: try again later with a new session.
    #[error("the enrollment server is not available: {0}")]
    Unavailable(String),
    /// The server refuses this device or its request. Look at the code: the device may not be registered.
    #[error("the enrollment server refuses: {0}")]
    Refused(Problem),
    /// The answer is not one of the protocol. Is this an enrollment server, of this version?
    #[error("unexpected answer, status {status}: {reason}")]
    Unexpected {
        /// HTTP status.
        status: u16,
        /// What was expected.
        reason: &'static str,
    },
}

impl Client {
    /// The server at `address`, such as `https://enroll.example.org`.
    ///
    /// # Errors
    ///
    /// [`ClientError::Address`] unless it is `https`, or `http` on this machine.
    pub fn new(address: &str) -> Result<Self, ClientError> {
        let bad = |reason| ClientError::Address { address: address.to_owned(), reason };
        let uri: Uri = address.parse().map_err(|_| bad("not a URL"))?;
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => {}
            (Some("http"), Some(host)) if is_this_machine(host) => {}
            (Some("http"), Some(_)) => return Err(bad("use https: a key is fetched from it")),
            _ => return Err(bad("expected https://host")),
        }
        if uri.query().is_some() {
            return Err(bad("a query has no meaning here"));
        }
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(REQUEST_TIMEOUT))
            .max_redirects(0) // a redirect could leave https, or hand the envelope to another server
            .http_status_as_error(false)
            .build();
        Ok(Self { agent: config.into(), server: address.trim_end_matches('/').to_owned(), pauses: PAUSES })
    }

    /// Opens a session for `device`: its nonce is good for one envelope, until it expires.
    ///
    /// # Errors
    ///
    /// Any [`ClientError`].
    pub fn session(&self, device: DeviceId) -> Result<Session, ClientError> {
        let url = format!("{}/v1/sessions", self.server);
        let answer = self
            .agent
            .post(&url)
            .send_json(SessionRequest { device })
            .map_err(|error| unavailable(&error))?;
        if answer.status().is_success() { read(answer) } else { Err(refusal(answer)?.into()) }
    }

    /// Sends `envelope`, which was signed for that purpose.
    ///
    /// # Errors
    ///
    /// [`ClientError::Unavailable`] if there was no answer for half a minute: there may be one later.
    /// [`ClientError::Unexpected`] for an answer that is none.
    pub fn submit(&self, purpose: Purpose, envelope: &[u8]) -> Result<Outcome, ClientError> {
        let mut pauses = self.pauses.iter();
        loop {
            let result = self.attempt(purpose, envelope);
            match (result, pauses.next()) {
                (Err(ClientError::Unavailable(_)), Some(&pause)) => std::thread::sleep(pause),
                (result, _) => return result,
            }
        }
    }

    fn attempt(&self, purpose: Purpose, envelope: &[u8]) -> Result<Outcome, ClientError> {
        let answer = self.send(purpose, envelope).map_err(|error| unavailable(&error))?;
        if !answer.status().is_success() {
            return refusal(answer).map(Outcome::Refused);
        }
        Ok(match read(answer)? {
            EnrollmentOutcome::Enrolled { receipt } => Outcome::Enrolled(receipt),
            EnrollmentOutcome::Recovered { receipt, replaced } => Outcome::Recovered { receipt, replaced },
            EnrollmentOutcome::Review => Outcome::Review,
        })
    }

    fn send(&self, purpose: Purpose, envelope: &[u8]) -> Result<Response<Body>, ureq::Error> {
        let route = match purpose {
            Purpose::Enroll => "enrollments",
            Purpose::Recover => "recoveries",
        };
        let url = format!("{}/v1/{route}", self.server);
        self.agent.post(&url).content_type(ENVELOPE_CONTENT_TYPE).send(envelope)
    }
}

impl From<Problem> for ClientError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn unavailable(error: &ureq::Error) -> ClientError {
    ClientError::Unavailable(error.to_string())
}

/// The JSON body of a good answer.
fn read<T: DeserializeOwned>(mut answer: Response<Body>) -> Result<T, ClientError> {
    let status = answer.status().as_u16();
    answer.body_mut().with_config().limit(MAX_ANSWER).read_json().map_err(|error| match error {
        ureq::Error::Json(_) => {
            ClientError::Unexpected { status, reason: "the body is not what was asked for" }
        }
        other => unavailable(&other),
    })
}

/// The problem in an answer of 4xx. A server that cannot work now (5xx) is unavailable.
fn refusal(answer: Response<Body>) -> Result<Problem, ClientError> {
    let status = answer.status();
    if status.is_server_error() {
        return Err(ClientError::Unavailable(format!("status {}", status.as_u16())));
    }
    if !status.is_client_error() {
        return Err(ClientError::Unexpected { status: status.as_u16(), reason: "expected 2xx, 4xx or 5xx" });
    }
    read(answer)
}

#[cfg(test)]
mod tests;
