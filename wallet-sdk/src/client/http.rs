//! One request, one answer, and what can be wrong with it.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use unum_identity::problem::{CONTENT_TYPE, Problem};
use ureq::Agent;
use ureq::http::Response;

/// Longest wait for an answer: the services end a request after 30 s by themselves.
const TIME_LIMIT: Duration = Duration::from_secs(40);
/// Largest answer that is read. The largest noun, a proof of inclusion, has about 3 KiB.
const SIZE_LIMIT: u64 = 1 << 20;

/// Why a service gave no answer to use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The service understood and refuses. The problem's code says why; the same request again will not help,
    /// unless `retry_after` says so.
    #[error("the service refuses: {0}")]
    Refused(Problem),
    /// No answer, or not one of the service's: try again later.
    #[error("{url} cannot be used now: {cause}")]
    Unavailable {
        /// What was asked.
        url: String,
        /// What happened, for people.
        cause: String,
    },
    /// The answer is not true, or not about what was asked. Do not act on it; ask who runs the service.
    #[error("the service's answer is not true: {0}")]
    Untrue(&'static str),
}

/// One service.
#[derive(Clone, Debug)]
pub(super) struct Service {
    agent: Agent,
    base: String,
}

impl Service {
    /// The service at `base`, such as `http://127.0.0.1:8080`.
    pub(super) fn at(base: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false) // the body says more than the status
            .max_redirects(0) // claims and proofs go to the address that was given, or nowhere
            .timeout_global(Some(TIME_LIMIT))
            .build()
            .into();
        Self { agent, base: base.trim_end_matches('/').to_owned() }
    }

    /// The answer to `GET path`.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        json(&read(&url, self.agent.get(&url).call())?.1)
    }

    /// The answer to `GET path` if it is plain text.
    pub(super) fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let url = format!("{}{path}", self.base);
        let (_, body) = read(&url, self.agent.get(&url).call())?;
        String::from_utf8(body).map_err(|_| MALFORMED)
    }

    /// Status, address and body of the answer to `GET path`, for services of others: their refusals are no problems.
    pub(super) fn get_raw(&self, path: &str) -> Result<(u16, String, Vec<u8>), ClientError> {
        let url = format!("{}{path}", self.base);
        let (status, _, body) = receive(&url, self.agent.get(&url).call())?;
        Ok((status, url, body))
    }

    /// The same for `PUT path`.
    pub(super) fn put_raw(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(u16, String, Vec<u8>), ClientError> {
        let url = format!("{}{path}", self.base);
        let (status, _, body) = receive(&url, self.agent.put(&url).send_json(body))?;
        Ok((status, url, body))
    }

    /// Status and answer to `POST path`.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(u16, T), ClientError> {
        let url = format!("{}{path}", self.base);
        let (status, body) = read(&url, self.agent.post(&url).send_json(body))?;
        Ok((status, json(&body)?))
    }
}

const MALFORMED: ClientError = ClientError::Untrue("it cannot be read as what was asked");

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|_| MALFORMED)
}

/// Status and body of a success.
fn read(url: &str, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<(u16, Vec<u8>), ClientError> {
    let (status, is_problem, body) = receive(url, answer)?;
    match fault(status, is_problem, &body) {
        None => Ok((status, body)),
        Some(Fault::Refused(problem)) => Err(ClientError::Refused(problem)),
        Some(Fault::Down(cause)) => Err(ClientError::Unavailable { url: url.to_owned(), cause }),
    }
}

/// Status, whether it says to be a problem, and body of any answer.
fn receive(
    url: &str,
    answer: Result<Response<ureq::Body>, ureq::Error>,
) -> Result<(u16, bool, Vec<u8>), ClientError> {
    let unavailable = |cause: String| ClientError::Unavailable { url: url.to_owned(), cause };
    let mut answer = answer.map_err(|error| unavailable(error.to_string()))?;
    let status = answer.status().as_u16();
    let is_problem = answer.body().mime_type() == Some(CONTENT_TYPE);
    let body = answer
        .body_mut()
        .with_config()
        .limit(SIZE_LIMIT)
        .read_to_vec()
        .map_err(|error| unavailable(error.to_string()))?;
    Ok((status, is_problem, body))
}

/// What an answer is, if not a success.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Refused(Problem),
    Down(String),
}

/// 4xx with a problem is a refusal; everything else but success is no answer of a working service.
fn fault(status: u16, is_problem: bool, body: &[u8]) -> Option<Fault> {
    let problem = is_problem.then(|| serde_json::from_slice::<Problem>(body).ok()).flatten();
    match (status, problem) {
        (200..300, _) => None,
        (400..500, Some(problem)) => Some(Fault::Refused(problem)),
        (_, Some(problem)) => Some(Fault::Down(problem.to_string())),
        (_, None) => Some(Fault::Down(format!("status {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use unum_identity::claim::Amount;

    use super::*;

    #[test]
    fn a_success_is_a_noun_or_untrue() {
        assert_eq!(fault(201, false, b"\"5\""), None);
        assert_eq!(json::<Amount>(b"\"5\"").unwrap(), Amount::new(5).unwrap());
        for body in ["\"05\"", "<html>", ""] {
            assert!(matches!(json::<Amount>(body.as_bytes()), Err(ClientError::Untrue(_))), "{body}");
        }
    }

    #[test]
    fn a_refusal_keeps_its_code() {
        let body = br#"{"status":409,"code":"commitment_pending","retry_after":3}"#;
        let problem = Problem::new(409, "commitment_pending").retry_after(3);
        assert_eq!(fault(409, true, body), Some(Fault::Refused(problem)));
    }

    #[test]
    fn a_service_that_is_down_has_not_refused() {
        let down = fault(503, true, br#"{"status":503,"code":"unavailable"}"#);
        assert_eq!(down, Some(Fault::Down("503 unavailable".into())));
        assert_eq!(fault(404, false, b"not found"), Some(Fault::Down("status 404".into())), "another server");
        assert_eq!(fault(302, false, b""), Some(Fault::Down("status 302".into())));
    }

    #[test]
    fn nobody_there_is_unavailable() {
        // Port 9 of this machine: discard (RFC 863), which nothing offers any more.
        let refused = Service::at("http://127.0.0.1:9/").get::<Amount>("/v1/set");
        assert!(
            matches!(refused, Err(ClientError::Unavailable { url, .. }) if url == "http://127.0.0.1:9/v1/set")
        );
    }
}
