//! A small period with real proofs, as a service tells everybody about it; and ways to lie.
//!
//! Four people; entries: 1 deposit, 2 reserve, 3 to 5 claims (the second with a fee), 6 reserve and 7 claim of another period, 8
//! what nobody claimed. The builder signs whatever it is told to build.

use std::sync::LazyLock;

use circuits::{Private, Prover, ProvingKey, VerifyingKey};
use ed25519_dalek::SigningKey;
use getrandom::SysRng;
use proptest::sample::Index;
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, DeviceId, DeviceSignature, LedgerId, ProgrammeId};
use unum_identity::checkpoint::{Checkpoint, SignedCheckpoint};
use unum_identity::claim::{Amount, Claim, ClaimReceipt, ClaimTerms};
use unum_identity::enrollment::{PublishedLeaf, Snapshot};
use unum_identity::field::{Commitment, ExternalNullifier, Nullifier};
use unum_identity::ledger::Balance;
use unum_identity::programme::{EligibleSet, PeriodStatement, ProgrammeTerms};
use unum_identity::published::{PublishedClaim, PublishedEntry, nullifier_set_hash};
use unum_identity::secret::Identity;
use unum_identity::set::Set;
use unum_identity::signed::{Signed, service_key};
use unum_identity::time::UnixTime;

use crate::audit::{AuditReport, PeriodAudit, PublishedPeriod, Trust};
use crate::ledger::account::Account;
use crate::ledger::entry::{Cause, Draft, Entry, Head};

pub(super) const PEOPLE: usize = 4;
pub(super) const SHARE: u128 = 1000;
pub(super) const STARTS_AT: u64 = 1_700_000_000;
pub(super) const PERIOD_SECONDS: u64 = 3600;
/// Of all claims: an hour before the window ends.
pub(super) const DEADLINE: u64 = STARTS_AT + PERIOD_SECONDS;
const LEDGER: LedgerId = LedgerId([0xab; 16]);
const PERIOD: Period = Period(0);
const ORIGIN: &str = "example.org/set";

pub(super) fn amount(minor: u128) -> Amount {
    Amount::new(minor).unwrap()
}

pub(super) fn minor(minor: i128) -> Balance {
    Balance::new(minor).unwrap()
}

pub(super) fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub(super) fn set_key() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

pub(super) fn stranger() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn terms() -> ProgrammeTerms {
    let text = json!({ "name": "basic", "unit": "UNM", "minor_digits": 2,
        "policy": { "kind": "fixed", "amount": SHARE.to_string() },
        "starts_at": STARTS_AT, "length": { "kind": "seconds", "seconds": PERIOD_SECONDS }, "claim_window": 2 });
    serde_json::from_value(text).unwrap()
}

pub(super) fn programme() -> ProgrammeId {
    terms().id(&LEDGER)
}

static KEYS: LazyLock<(Prover, VerifyingKey)> = LazyLock::new(|| {
    let key = ProvingKey::generate(&mut UnwrapErr(SysRng));
    let verifying = key.verifying_key();
    (Prover::new(key), verifying)
});

/// A valid key that nobody can prove with.
pub(super) fn other_verifying_key() -> VerifyingKey {
    VerifyingKey::from_bytes(include_bytes!("../../../../circuits/keys/development/verifying.key")).unwrap()
}

fn person(number: usize) -> Identity {
    Identity::from_secret(format!("person {number}").as_bytes())
}

fn set(people: usize) -> Set {
    let mut set = Set::default();
    set.extend((0..people).map(|number| person(number).commitment())).unwrap();
    set
}

fn sign(set: &Set, key: &SigningKey) -> SignedCheckpoint {
    Checkpoint { origin: ORIGIN.into(), size: set.len(), root: set.root() }.sign(key)
}

/// Of the first so many people.
pub(super) fn checkpoint(people: usize, key: &SigningKey) -> SignedCheckpoint {
    sign(&set(people), key)
}

/// Of other people, by the set's own key.
pub(super) fn checkpoint_of(leaves: impl IntoIterator<Item = Commitment>) -> SignedCheckpoint {
    let mut set = Set::default();
    set.extend(leaves).unwrap();
    sign(&set, &set_key())
}

fn leaf(commitment: Commitment) -> PublishedLeaf {
    PublishedLeaf { commitment, device: DeviceId([1; 16]), signature: DeviceSignature([0; 64]) }
}

/// Everybody's claim, proved once.
pub(super) fn claims() -> &'static [Claim] {
    static CLAIMS: LazyLock<Vec<Claim>> = LazyLock::new(|| (0..PEOPLE).map(prove).collect());
    &CLAIMS
}

fn prove(number: usize) -> Claim {
    let terms = ClaimTerms {
        ledger: LEDGER,
        recipient: AccountId([number as u8; 32]),
        fee: amount(if number == 1 { 30 } else { 0 }),
        deadline: UnixTime(DEADLINE),
    };
    let path = set(PEOPLE).path_at(number as u64, PEOPLE as u64).unwrap();
    let private = Private { identity: person(number), path };
    let external = ExternalNullifier::of_claim(&programme(), PERIOD);
    let public = private.statement(external, terms.signal_hash());
    let proof = KEYS.0.prove(&public, &private, &mut UnwrapErr(SysRng)).unwrap();
    Claim { programme: programme(), period: PERIOD, nullifier: public.nullifier, terms, proof, relayer: None }
}

/// A service that does what it is told, and signs it.
pub(super) struct Service {
    pub(super) now: UnixTime,
    pub(super) entries: Vec<PublishedEntry>,
    head: Head,
    claims: Vec<PublishedClaim>,
    reserved: i128,
    paid: i128,
    returned: i128,
}

impl Service {
    pub(super) fn new() -> Self {
        let (entries, claims) = (Vec::new(), Vec::new());
        let now = UnixTime(STARTS_AT);
        Self { now, entries, head: Head::GENESIS, claims, reserved: 0, paid: 0, returned: 0 }
    }

    /// With money for two periods, and everybody's share of one put aside.
    pub(super) fn open() -> Self {
        let mut service = Self::new();
        service.deposit("first");
        service.reserve();
        service
    }

    /// Which paid these claims while another period went on.
    pub(super) fn with<'a>(claims: impl IntoIterator<Item = &'a Claim>) -> Self {
        let mut service = Self::open();
        for claim in claims {
            service.pay(claim, SHARE);
        }
        service.post(Draft::reserve(programme(), Period(1), amount(SHARE)));
        let (nullifier, recipient) = (Nullifier(5.into()), AccountId([5; 32]));
        let other = (programme(), Period(1));
        service.post(Draft::claim(other, nullifier, recipient, amount(SHARE), Amount::ZERO, None).unwrap());
        service.close();
        service
    }

    pub(super) fn deposit(&mut self, key: &str) {
        let label = |text: &str| text.parse().unwrap();
        let money = amount(2 * PEOPLE as u128 * SHARE);
        self.post(Draft::deposit(programme(), label("city"), label(key), money));
    }

    pub(super) fn reserve(&mut self) {
        self.post(Draft::reserve(programme(), PERIOD, amount(PEOPLE as u128 * SHARE)));
    }

    pub(super) fn pay(&mut self, claim: &Claim, share: u128) {
        let (recipient, fee) = (claim.terms.recipient, claim.terms.fee);
        let draft = Draft::claim((programme(), PERIOD), claim.nullifier, recipient, amount(share), fee, None);
        self.post(draft.unwrap());
        let receipt = ClaimReceipt {
            programme: programme(),
            period: PERIOD,
            nullifier: claim.nullifier,
            recipient,
            amount: amount(share - fee.minor()),
            ledger_sequence: self.head.sequence,
            entry_hash: self.head.hash,
            paid_at: self.now,
        };
        let receipt = Signed::new(receipt, &signing_key());
        self.claims.push(PublishedClaim { claim: claim.clone(), receipt });
    }

    /// Returns what is left.
    pub(super) fn close(&mut self) {
        let rest = (self.reserved - self.paid) as u128;
        if let Some(draft) = Draft::return_rest(programme(), PERIOD, amount(rest)) {
            self.post(draft);
        }
    }

    fn post(&mut self, draft: Draft) {
        let entry = draft.place(LEDGER, self.head, self.now);
        self.head = entry.head();
        self.count(&entry);
        self.entries.push(PublishedEntry::from(&entry));
    }

    fn count(&mut self, entry: &Entry) {
        let out = -entry.moves(&Account::Reserve(programme(), PERIOD));
        match entry.cause {
            Cause::Reserve { .. } => self.reserved -= out,
            Cause::Claim { .. } => self.paid += out,
            Cause::Return { .. } => self.returned += out,
            Cause::Deposit { .. } | Cause::Payment { .. } | Cause::Reversal { .. } => {}
        }
    }

    /// States what it did.
    pub(super) fn seal(&mut self) -> Told {
        let set = set(PEOPLE);
        let people = PEOPLE as u64;
        let nullifiers = self.claims.iter().map(|published| published.claim.nullifier);
        let statement = PeriodStatement {
            programme: programme(),
            period: PERIOD,
            ledger: LEDGER,
            set: EligibleSet { root: set.root(), size: people, people },
            amount: amount(SHARE),
            claims: self.claims.len() as u64,
            paid: amount(self.paid as u128),
            expired: amount(self.returned as u128),
            nullifiers: nullifier_set_hash(nullifiers),
            ledger_sequence: self.head.sequence,
            chain_head: self.head.hash,
            verifying_key: KEYS.1.hash(),
            sealed_at: UnixTime(STARTS_AT + 3 * PERIOD_SECONDS),
        };
        let checkpoint = sign(&set, &set_key());
        let leaves = set.leaves().map(leaf).collect();
        let published = PublishedPeriod {
            terms: terms(),
            statement: Signed::new(statement, &signing_key()),
            checkpoint: checkpoint.clone(),
            verifying_key: Some(KEYS.1.clone()),
            set: Some(Snapshot { checkpoint, leaves }),
        };
        let trust = Trust {
            keys: vec![service_key(&signing_key())],
            set: Some((ORIGIN.into(), service_key(&set_key()))),
            verifying_key: Some(KEYS.1.clone()),
        };
        Told { published, entries: self.entries.clone(), claims: self.claims.clone(), trust }
    }
}

/// What everybody was told, and whom an auditor trusts.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) published: PublishedPeriod,
    pub(super) entries: Vec<PublishedEntry>,
    pub(super) claims: Vec<PublishedClaim>,
    pub(super) trust: Trust,
}

impl Told {
    pub(super) fn honest() -> Self {
        static HONEST: LazyLock<Told> = LazyLock::new(|| Service::with(&claims()[..3]).seal());
        HONEST.clone()
    }

    /// A statement that says something else, signed by the service.
    pub(super) fn restate(&mut self, change: impl FnOnce(&mut PeriodStatement)) {
        let mut statement = self.published.statement.statement.clone();
        change(&mut statement);
        self.published.statement = Signed::new(statement, &signing_key());
    }

    pub(super) fn claim(&mut self, place: usize) -> &mut PublishedClaim {
        &mut self.claims[place]
    }

    /// Another leaf in this place.
    pub(super) fn leaf(&mut self, place: usize, commitment: u64) {
        self.published.set.as_mut().unwrap().leaves[place].commitment = Commitment(commitment.into());
    }

    pub(super) fn audit(self) -> AuditReport {
        let mut audit = PeriodAudit::new(programme(), PERIOD, self.published, self.trust);
        self.entries.iter().for_each(|entry| audit.entry(entry));
        // In two parts, as a long period comes.
        let (first, second) = self.claims.split_at(self.claims.len() / 2);
        audit.claims(first, &mut UnwrapErr(SysRng));
        audit.claims(second, &mut UnwrapErr(SysRng));
        audit.finish()
    }

    /// What is published, but for the leaves.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "terms": self.published.terms,
            "statement": self.published.statement,
            "checkpoint": self.published.checkpoint,
            "entries": self.entries,
            "claims": self.claims,
        })
    }

    /// With what was published replaced; none if it cannot be read.
    pub(super) fn with_json(mut self, data: &Value) -> Option<Self> {
        fn read<T: serde::de::DeserializeOwned>(data: &Value, name: &str) -> Option<T> {
            serde_json::from_str(&data[name].to_string()).ok()
        }
        self.published.terms = read(data, "terms")?;
        self.published.statement = read(data, "statement")?;
        self.published.checkpoint = read(data, "checkpoint")?;
        self.entries = read(data, "entries")?;
        self.claims = read(data, "claims")?;
        Some(self)
    }
}

/// Every value that has no parts.
pub(super) fn leaves(value: &mut Value) -> Vec<(String, &mut Value)> {
    fn walk<'a>(name: String, value: &'a mut Value, found: &mut Vec<(String, &'a mut Value)>) {
        match value {
            Value::Array(parts) => {
                parts.iter_mut().enumerate().for_each(|(at, part)| walk(format!("{name}/{at}"), part, found));
            }
            Value::Object(parts) => {
                parts.iter_mut().for_each(|(key, part)| walk(format!("{name}/{key}"), part, found));
            }
            leaf => found.push((name, leaf)),
        }
    }
    let mut found = Vec::new();
    walk(String::new(), value, &mut found);
    found
}

/// Another value of the same kind. Its name.
pub(super) fn alter((name, value): &mut (String, &mut Value), digit: Index) -> String {
    **value = match &**value {
        Value::String(text) if text.is_empty() => Value::from("0"),
        Value::String(text) => {
            let mut chars: Vec<char> = text.chars().collect();
            let place = digit.index(chars.len());
            chars[place] = if chars[place] == '1' { '2' } else { '1' };
            Value::from(chars.into_iter().collect::<String>())
        }
        Value::Number(number) => Value::from(number.as_u64().unwrap() ^ 1),
        _ => Value::from(1), // a deposit has no period
    };
    name.clone()
}
