//! How an operator's program talks to the server: blocking calls, one for each request.
//!
//! Every call may be repeated after any failure: nothing is ever done twice.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use service::OperatorToken;
use unum_identity::account::AccountStatement;
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, ProgrammeId};
use unum_identity::ledger::{AccountView, LedgerReport, LedgerView, Reversal, ReversalRequest};
use unum_identity::problem::Problem;
use unum_identity::programme::{
    Deposit, DepositRequest, PeriodStatement, PeriodView, ProgrammeTerms, ProgrammeView,
};
use unum_identity::signed::Signed;

use crate::period::Transition;

/// The server's own longest limit, and a little for the way.
const TIMEOUT: Duration = Duration::from_secs(310);
/// Largest answer: a check of a ledger with a million accounts.
const MAX_ANSWER: u64 = 256 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server refused, and says why. [`Problem::code`] is the contract.
    #[error("{0}")]
    Refused(Problem),
    /// The server cannot be reached, or what answered is not this server.
    #[error("{url}: {reason}")]
    Unreachable {
        /// The address called.
        url: String,
        /// What went wrong.
        reason: String,
    },
}

/// An operator at one server.
pub struct Operator {
    agent: ureq::Agent,
    base: String,
    token: OperatorToken,
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operator({})", self.base)
    }
}

impl Operator {
    /// At the server with the base address `base`, such as `http://127.0.0.1:8090`.
    pub fn new(base: &str, token: impl Into<OperatorToken>) -> Self {
        Self { agent: anyone(), base: base.trim_end_matches('/').to_owned(), token: token.into() }
    }

    /// Makes a programme, or finds the one with these terms.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn create_programme(&self, terms: &ProgrammeTerms) -> Result<ProgrammeView, ClientError> {
        self.post("/v1/programmes", terms)
    }

    /// All programmes.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn programmes(&self) -> Result<Vec<ProgrammeView>, ClientError> {
        self.get("/v1/programmes")
    }

    /// One programme.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn programme(&self, id: ProgrammeId) -> Result<ProgrammeView, ClientError> {
        self.get(&format!("/v1/programmes/{id}"))
    }

    /// Puts money into a programme's pool.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn deposit(&self, id: ProgrammeId, request: &DepositRequest) -> Result<Deposit, ClientError> {
        self.post(&format!("/v1/programmes/{id}/deposits"), request)
    }

    /// Where a period stands.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn period(&self, id: ProgrammeId, period: Period) -> Result<PeriodView, ClientError> {
        self.get(&format!("/v1/programmes/{id}/periods/{period}"))
    }

    /// Periods that can be claimed in, and the newest that have started, newest first; a hundred at most.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn periods(&self, id: ProgrammeId) -> Result<Vec<PeriodView>, ClientError> {
        self.get(&format!("/v1/programmes/{id}/periods"))
    }

    /// Takes a step in a period's life.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn advance(
        &self,
        id: ProgrammeId,
        period: Period,
        step: Transition,
    ) -> Result<PeriodView, ClientError> {
        self.post(&format!("/v1/programmes/{id}/periods/{period}/{}", step.name()), &())
    }

    /// How a sealed period went. Check the signature: [`Signed::verify`].
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn statement(&self, id: ProgrammeId, period: Period) -> Result<Signed<PeriodStatement>, ClientError> {
        self.get(&format!("/v1/programmes/{id}/periods/{period}/statement"))
    }

    /// Has the server recompute its whole ledger. Look at [`LedgerReport::problems`].
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn check_ledger(&self) -> Result<LedgerReport, ClientError> {
        self.get("/v1/ledger/check")
    }

    /// Which ledger it is, and what it counts.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn ledger(&self) -> Result<LedgerView, ClientError> {
        self.get("/v1/ledger")
    }

    /// Takes a deposit back that was a mistake.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn reverse(&self, sequence: u64, request: &ReversalRequest) -> Result<Reversal, ClientError> {
        self.post(&format!("/v1/ledger/{sequence}/reversal"), request)
    }

    /// What a wallet's account holds.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn account(&self, account: AccountId) -> Result<AccountView, ClientError> {
        self.get(&format!("/v1/accounts/{account}"))
    }

    /// What moved it, newest first: `limit` lines, before the place `before`.
    ///
    /// # Errors
    ///
    /// A [`ClientError`].
    pub fn account_statement(
        &self,
        account: AccountId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<AccountStatement, ClientError> {
        let before = before.map(|place| format!("&before={place}")).unwrap_or_default();
        self.get(&format!("/v1/accounts/{account}/statement?limit={limit}{before}"))
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        let answer = self.agent.get(&url).header("authorization", self.bearer()).call();
        read(url, answer)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        let answer = self.agent.post(&url).header("authorization", self.bearer()).send_json(body);
        read(url, answer)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token.expose())
    }
}

/// Asks without a token.
pub(crate) fn anyone() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .new_agent()
}

/// What was called, and how it ended.
type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

/// An answer in JSON.
pub(crate) fn read<T: DeserializeOwned>(url: String, answer: Answer) -> Result<T, ClientError> {
    read_with(url, answer, |mut body| body.with_config().limit(MAX_ANSWER).read_json())
}

/// An answer of bytes.
pub(crate) fn read_bytes(url: String, answer: Answer) -> Result<Vec<u8>, ClientError> {
    read_with(url, answer, |mut body| body.with_config().limit(MAX_ANSWER).read_to_vec())
}

fn read_with<T>(
    url: String,
    answer: Answer,
    read: impl FnOnce(ureq::Body) -> Result<T, ureq::Error>,
) -> Result<T, ClientError> {
    let read = || -> Result<Result<T, Problem>, ureq::Error> {
        let mut answer = answer?;
        if answer.status().is_success() {
            return read(answer.into_body()).map(Ok);
        }
        answer.body_mut().with_config().limit(MAX_ANSWER).read_json().map(Err)
    };
    match read() {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(problem)) => Err(ClientError::Refused(problem)),
        Err(error) => Err(ClientError::Unreachable { url, reason: error.to_string() }),
    }
}
