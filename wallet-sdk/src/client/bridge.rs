//! A mailbox on a bridge, ours or anybody's: paths and statuses, and nothing of what lies in it.

use super::ClientError;
use super::http::Service;
use crate::bridge::Sealed;

/// Why a mailbox cannot be used.
#[derive(Debug)]
pub(crate) enum MailboxError {
    /// It is not there, or what was in it was fetched.
    Gone,
    /// There is an answer in it.
    Answered,
    /// The bridge does not work.
    Unavailable(ClientError),
}

/// The mailbox of one request.
#[derive(Debug)]
pub(crate) struct Mailbox {
    bridge: Service,
    request_id: String,
}

impl Mailbox {
    pub(crate) fn at(bridge: &str, request_id: &str) -> Self {
        Self { bridge: Service::at(bridge), request_id: request_id.to_owned() }
    }

    /// The request, which is handed out once.
    pub(crate) fn request(&self) -> Result<Sealed, MailboxError> {
        let path = format!("/request/{}", self.request_id);
        let body = judged(self.bridge.get_raw(&path).map_err(MailboxError::Unavailable)?)?;
        serde_json::from_slice(&body)
            .map_err(|_| MailboxError::Unavailable(ClientError::Untrue("this is no sealed request")))
    }

    /// Puts the answer in.
    pub(crate) fn answer(&self, sealed: &Sealed) -> Result<(), MailboxError> {
        let path = format!("/response/{}", self.request_id);
        judged(self.bridge.put_raw(&path, sealed).map_err(MailboxError::Unavailable)?).map(|_| ())
    }
}

/// World's bridge answers 400 to an answer that nobody waits for.
fn judged((status, url, body): (u16, String, Vec<u8>)) -> Result<Vec<u8>, MailboxError> {
    match status {
        200..300 => Ok(body),
        400 | 404 => Err(MailboxError::Gone),
        409 => Err(MailboxError::Answered),
        _ => Err(MailboxError::Unavailable(ClientError::Unavailable {
            url,
            cause: format!("status {status}"),
        })),
    }
}
