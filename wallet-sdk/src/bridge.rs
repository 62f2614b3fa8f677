//! The wallet's side of a bridge: opens the link that an app's page shows, tells what is asked, answers. In the forms of `IDKit` 3.
//!
//! | module | what it knows |
//! |---|---|
//! | `link` | how a link names a request, its key and its bridge |
//! | `sealed` | AES-256-GCM under that key |
//! | `messages` | what is asked, what is answered, and why not |
//!
//! A bridge hands a request out once: whoever opens a link has it, and nobody else. It cannot read it, nor the answer; it can lose both.
//!
//! Whoever makes a link can ask anything in anyone's name: nothing here proves which app it is. A nullifier for the app's id is all that
//! an impostor would get, and a proof of what was asked. So show app, action and signal before you prove.

mod link;
mod messages;
mod sealed;

use rand_core::CryptoRng;
use serde::Serialize;
use unum_identity::humanness::VerifyRequest;

pub use link::{BridgeLink, LinkError};
pub use messages::{Question, Refusal};
pub(crate) use sealed::Sealed;

use crate::client::ClientError;
use crate::client::bridge::{Mailbox, MailboxError};

/// Why a request over a bridge goes no further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// Not a link to a request. Copy it again, whole.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Its time is over, or a wallet has opened it before. Have the app ask again.
    #[error("the bridge does not have this request: its time is over, or a wallet has opened it already")]
    Gone,
    /// Somebody else has answered. If that was not you, have the app ask again.
    #[error("this request has an answer already")]
    Answered,
    /// No answer, or not one of a bridge. Before the request was fetched it can be tried again; afterwards the same answer can.
    #[error("the bridge does not work: {0}")]
    Unavailable(ClientError),
    /// The key in the link is another one, or what came was changed. The request was handed out and is lost: have the app ask again.
    #[error("the request does not open with the key in the link")]
    Key,
    /// It opens, and asks nothing that this wallet can prove. The app was told so.
    #[error("the request asks nothing that this wallet knows")]
    Question,
}

impl From<MailboxError> for BridgeError {
    fn from(error: MailboxError) -> Self {
        match error {
            MailboxError::Gone => Self::Gone,
            MailboxError::Answered => Self::Answered,
            MailboxError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

/// A request that this wallet has fetched. It waits for one answer.
#[derive(Debug)]
pub struct Asked {
    link: BridgeLink,
    mailbox: Mailbox,
    question: Question,
}

impl Asked {
    /// Fetches the request that a link leads to. The bridge hands it out once: look after everything else before.
    ///
    /// # Errors
    ///
    /// A [`BridgeError`].
    pub fn fetch(link: BridgeLink, rng: &mut impl CryptoRng) -> Result<Self, BridgeError> {
        let mailbox = Mailbox::at(link.bridge(), link.request_id());
        let plain = sealed::open(link.key(), &mailbox.request()?).ok_or(BridgeError::Key)?;
        let Ok(question) = serde_json::from_slice(&plain) else {
            let refusal = messages::Refused { error_code: Refusal::MalformedRequest };
            put(&link, &mailbox, &refusal, rng).ok(); // a courtesy: what is wrong is the question
            return Err(BridgeError::Question);
        };
        Ok(Self { link, mailbox, question })
    }

    /// What is asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Over which bridge.
    pub fn bridge(&self) -> &str {
        self.link.bridge()
    }

    /// Answers with a proof, made for [`Question::act`] and the question's signal.
    ///
    /// # Errors
    ///
    /// [`BridgeError::Gone`], [`BridgeError::Answered`], or [`BridgeError::Unavailable`]: send it again.
    pub fn answer(&self, proved: &VerifyRequest, rng: &mut impl CryptoRng) -> Result<(), BridgeError> {
        put(&self.link, &self.mailbox, &messages::Proved::of(proved), rng)
    }

    /// Tells the page that there will be no proof.
    ///
    /// # Errors
    ///
    /// As [`Asked::answer`].
    pub fn refuse(&self, why: Refusal, rng: &mut impl CryptoRng) -> Result<(), BridgeError> {
        put(&self.link, &self.mailbox, &messages::Refused { error_code: why }, rng)
    }
}

fn put(
    link: &BridgeLink,
    mailbox: &Mailbox,
    message: &impl Serialize,
    rng: &mut impl CryptoRng,
) -> Result<(), BridgeError> {
    let plain = serde_json::to_vec(message).expect("a message is text");
    // A fresh one: request and answer share a key, and one IV used twice would give both away.
    let mut iv = [0; sealed::IV_LEN];
    rng.fill_bytes(&mut iv);
    Ok(mailbox.answer(&sealed::seal(link.key(), iv, &plain))?)
}

#[cfg(test)]
mod tests;
