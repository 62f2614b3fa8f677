//! Whether a proof shows a human, and how often that human has done something.
//!
//! Cheap checks first: limits, the app and its action, the nullifier and the root, in one look; then pairings, together with those
//! of others; then one statement, which alone decides who was in time. Knows nothing of eyes or devices.
//!
//! | module | knows |
//! |---|---|
//! | [`sets`] | whose people can be verified, and with which key |

pub(crate) mod sets;

use std::time::Duration;

use circuits::Public;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use unum_identity::action::Day;
use unum_identity::field::{ExternalNullifier, Nullifier};
use unum_identity::humanness::{ActionName, AppId, Checked, Per, Uses, Verified, VerifyRequest};
use unum_identity::proof::ProofBytes;
use unum_identity::time::UnixTime;

use crate::limits::TooMany;
use crate::server::App;
use crate::store::apps::{self, Asked, Limits};
use crate::store::nullifiers::{self, Used};
use crate::store::roots::{self, KnownRoot};
use crate::store::{StoreError, Tx};
use sets::{KnownSet, Unsaid};

/// Why the answer is no.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    /// Nobody has registered it here: look for the right id, or verify without keeping anything.
    #[error("no app with this id is registered")]
    AppUnknown,
    /// The app has no such action.
    #[error("the app has no such action")]
    ActionUnknown,
    /// Not now.
    #[error("the action is closed")]
    ActionClosed,
    /// The action is counted in another way than the request assumes.
    #[error("{}", match per {
        Per::Day => "the action is counted by the day: send the day",
        Per::Ever => "the action is counted for ever: send no day",
    })]
    DayWrong {
        /// How it is counted.
        per: Per,
    },
    /// Another day than today. Prove again for today.
    #[error("{day} is over, or has not begun: today is {today}, in UTC")]
    DayOver {
        /// The day of the request.
        day: Day,
        /// The server's.
        today: Day,
    },
    /// This human has done this as often as they may.
    #[error("used {} of {max_uses} times, the last time at {}", used.uses, rfc3339(used.last_at))]
    NullifierUsed {
        /// What they did.
        used: Used,
        /// How often they may.
        max_uses: u32,
    },
    /// Of no set that is known here.
    #[error("not a root of a known set")]
    RootUnknown,
    /// Replaced too long ago. Fetch a new path and prove again.
    #[error("this root was replaced too long ago")]
    RootExpired,
    /// The app does not take people of this set.
    #[error("the app does not take people of the set {set}")]
    SetNotAccepted {
        /// Which set.
        set: String,
    },
    /// The proof does not hold.
    #[error("the proof does not hold")]
    Proof,
    /// Too much was asked in a short time.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// Too many proofs are under way. Come again.
    #[error("too many proofs are under way")]
    Busy,
    /// Something is wrong with us; the log says what.
    #[error("checking broke down")]
    BrokenDown,
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unsaid> for VerifyError {
    fn from(unsaid: Unsaid) -> Self {
        match unsaid {
            Unsaid::Busy => Self::Busy,
            Unsaid::BrokenDown => Self::BrokenDown,
        }
    }
}

/// A moment as people and other software read it.
pub(crate) fn rfc3339(at: UnixTime) -> String {
    let time = i64::try_from(at.0).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| at.0.to_string())
}

/// A set, and when the root that stands for it was replaced.
struct Counted<'a> {
    set: &'a KnownSet,
    replaced_at: Option<UnixTime>,
}

/// A use that was counted.
#[derive(Debug)]
pub(crate) struct Consumed {
    pub(crate) set: String,
    pub(crate) used: Used,
    pub(crate) max_uses: u32,
}

/// Which app, and what in it.
pub(crate) struct Target {
    app_id: AppId,
    action: ActionName,
    day: Option<Day>,
}

impl Target {
    /// Names that no app and no action can have are unknown, without a look.
    pub(crate) fn parse(app_id: &str, action: &str, day: Option<Day>) -> Result<Self, VerifyError> {
        let app_id = app_id.parse().map_err(|_| VerifyError::AppUnknown)?;
        let action = action.parse().map_err(|_| VerifyError::ActionUnknown)?;
        Ok(Self { app_id, action, day })
    }

    /// What the action allows, and which sets the app takes, if this may be done now.
    fn may(&self, asked: Option<Asked>, now: UnixTime) -> Result<(Limits, Vec<String>), VerifyError> {
        let Asked { sets, action } = asked.ok_or(VerifyError::AppUnknown)?;
        let limits = action.ok_or(VerifyError::ActionUnknown)?;
        if !limits.open {
            return Err(VerifyError::ActionClosed);
        }
        match (limits.per, self.day) {
            (Per::Ever, None) => {}
            (Per::Day, Some(day)) if day.counts_at(now) => {}
            (Per::Day, Some(day)) => return Err(VerifyError::DayOver { day, today: Day::of(now) }),
            (per, _) => return Err(VerifyError::DayWrong { per }),
        }
        Ok((limits, sets))
    }
}

/// Verifies a proof, and counts one use more of its nullifier.
pub(crate) async fn verify(app: &App, request: VerifyRequest) -> Result<Verified, VerifyError> {
    let target = Target::parse(&request.app_id, &request.action, request.day)?;
    let (public, proof) = (statement(&request), request.proof);
    let Consumed { set, used, max_uses } =
        consume(app, &target, public, proof, app.config.root_window()).await?;
    Ok(Verified { nullifier: request.nullifier, set, uses: used.uses, max_uses, used_at: used.last_at })
}

/// Verifies a proof and keeps nothing.
pub(crate) async fn check(app: &App, request: &VerifyRequest) -> Result<Checked, VerifyError> {
    let held = hold(app, statement(request), request.proof, app.config.root_window()).await?;
    Ok(Checked { valid: true, set: held.set.name().to_owned(), root_replaced_at: held.replaced_at })
}

fn statement(request: &VerifyRequest) -> Public {
    Public {
        root: request.root,
        nullifier: request.nullifier,
        signal_hash: request.signal_hash,
        external_nullifier: request.scope(),
    }
}

/// As [`verify`], of a statement about `target`; its root counts for `window` after it was replaced.
pub(crate) async fn consume(
    app: &App,
    target: &Target,
    public: Public,
    proof: ProofBytes,
    window: Duration,
) -> Result<Consumed, VerifyError> {
    app.limits.admit_to_app(target.app_id.as_str())?;
    let now = app.clock.now();
    let (scope, nullifier) = (public.external_nullifier, public.nullifier);
    let look = |tx: std::sync::Arc<Tx>| async move {
        let asked = apps::asked(&tx, &target.app_id, &target.action).await?;
        let used = nullifiers::used(&tx, scope, nullifier).await?;
        Ok((asked, used, roots::get(&tx, public.root).await?))
    };
    let (asked, used, root) = app.store.run_tx("look_at_nullifier", look).await?;
    let (Limits { max_uses, .. }, sets) = target.may(asked, now)?;
    if let Some(used) = used.filter(|used| used.uses >= u64::from(max_uses)) {
        return Err(VerifyError::NullifierUsed { used, max_uses });
    }
    let Counted { set, .. } = counted(app, &public, root, now, window)?;
    if !sets.iter().any(|accepted| accepted == set.name()) {
        return Err(VerifyError::SetNotAccepted { set: set.name().to_owned() });
    }
    if !set.holds(public, proof).await? {
        return Err(VerifyError::Proof);
    }
    let (used, is_new) = app
        .store
        .run_tx("consume_nullifier", |tx| use_once_more(tx, scope, nullifier, max_uses, now))
        .await?;
    if is_new {
        Ok(Consumed { set: set.name().to_owned(), used, max_uses })
    } else {
        Err(VerifyError::NullifierUsed { used, max_uses })
    }
}

/// What was used, and whether that was by us.
async fn use_once_more(
    tx: std::sync::Arc<Tx>,
    scope: ExternalNullifier,
    nullifier: Nullifier,
    max_uses: u32,
    now: UnixTime,
) -> Result<(Used, bool), StoreError> {
    if let Some(used) = nullifiers::consume(&tx, scope, nullifier, max_uses, now).await? {
        return Ok((used, true));
    }
    let used = nullifiers::used(&tx, scope, nullifier).await?;
    Ok((used.ok_or_else(|| StoreError::damaged("a nullifier is used up and unused"))?, false))
}

/// What holds, of a statement that nobody counts.
pub(crate) struct Held<'a> {
    pub(crate) set: &'a KnownSet,
    /// When the root was replaced; none of the current one, and of a set of others.
    pub(crate) replaced_at: Option<UnixTime>,
}

/// Whether a statement holds, and of which set; its root counts for `window` after it was replaced.
pub(crate) async fn hold(
    app: &App,
    public: Public,
    proof: ProofBytes,
    window: Duration,
) -> Result<Held<'_>, VerifyError> {
    let root = app.store.run_tx("look_at_root", |tx| async move { roots::get(&tx, public.root).await });
    let Counted { set, replaced_at } = counted(app, &public, root.await?, app.clock.now(), window)?;
    if !set.holds(public, proof).await? {
        return Err(VerifyError::Proof);
    }
    Ok(Held { set, replaced_at })
}

/// Whose root it is, if it counts. `root` is what our own set knows of it.
fn counted<'a>(
    app: &'a App,
    public: &Public,
    root: Option<KnownRoot>,
    now: UnixTime,
    window: Duration,
) -> Result<Counted<'a>, VerifyError> {
    match (root, app.sets.foreign(public.root)) {
        (None, Some(set)) => Ok(Counted { set, replaced_at: None }),
        (root, _) => {
            counts(root, now, window).map(|replaced_at| Counted { set: app.sets.own(), replaced_at })
        }
    }
}

/// A root counts while it is current, and for `window` after it was replaced — not after it was made, or a set
/// that nobody joins would shut out everyone in it. Gives when it was replaced.
fn counts(root: Option<KnownRoot>, now: UnixTime, window: Duration) -> Result<Option<UnixTime>, VerifyError> {
    let KnownRoot { replaced_at } = root.ok_or(VerifyError::RootUnknown)?;
    match replaced_at {
        Some(at) if now > at.plus(window) => Err(VerifyError::RootExpired),
        replaced_at => Ok(replaced_at),
    }
}

/// How often a nullifier was used for an action, on a day; of a daily action, today if no day is given.
pub(crate) async fn uses(
    app: &App,
    app_id: &AppId,
    action: &ActionName,
    day: Option<Day>,
    nullifier: Nullifier,
) -> Result<Uses, VerifyError> {
    let today = Day::of(app.clock.now());
    let look = |tx: std::sync::Arc<Tx>| async move {
        let limits = match apps::asked(&tx, app_id, action).await? {
            None => return Ok(Err(VerifyError::AppUnknown)),
            Some(Asked { action: None, .. }) => return Ok(Err(VerifyError::ActionUnknown)),
            Some(Asked { action: Some(limits), .. }) => limits,
        };
        let day = match (limits.per, day) {
            (Per::Day, day) => Some(day.unwrap_or(today)),
            (Per::Ever, None) => None,
            (per @ Per::Ever, Some(_)) => return Ok(Err(VerifyError::DayWrong { per })),
        };
        let (app_id, action) = (app_id.as_str().to_owned(), action.as_str().to_owned());
        let scope = unum_identity::action::Act { app_id, action, day }.scope();
        Ok(Ok((limits, nullifiers::used(&tx, scope, nullifier).await?)))
    };
    let (limits, used) = app.store.run_tx("count_uses", look).await??;
    Ok(Uses {
        uses: used.map_or(0, |used| used.uses),
        max_uses: limits.max_uses,
        last_used_at: used.map(|used| used.last_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_counts_from_when_it_was_replaced() {
        let window = Duration::from_secs(100);
        let root = |replaced_at| Some(KnownRoot { replaced_at });
        let counts = |root, now| counts(root, UnixTime(now), window);
        assert!(matches!(counts(None, 0), Err(VerifyError::RootUnknown)));
        assert!(counts(root(None), u64::MAX).is_ok(), "the current root never expires");
        assert!(counts(root(Some(UnixTime(1000))), 500).is_ok());
        assert!(counts(root(Some(UnixTime(1000))), 1100).is_ok());
        assert!(matches!(counts(root(Some(UnixTime(1000))), 1101), Err(VerifyError::RootExpired)));
    }

    #[test]
    fn the_time_of_the_last_use_is_readable() {
        let at = UnixTime(1_700_000_000);
        let used = Used { uses: 3, first_at: UnixTime(0), last_at: at };
        let error = VerifyError::NullifierUsed { used, max_uses: 3 };
        assert_eq!(error.to_string(), "used 3 of 3 times, the last time at 2023-11-14T22:13:20Z");
    }

    #[test]
    fn what_is_counted_by_the_day_needs_one_that_counts() {
        let may = |per, day: Option<&str>, open| {
            let day = day.map(|day| day.parse().unwrap());
            let target = Target::parse("app", "post", day).unwrap();
            let limits = Limits { max_uses: 3, per, open };
            let asked = Asked { sets: vec!["unum".into()], action: Some(limits) };
            target.may(Some(asked), UnixTime(1_800_000_000)).map(|(limits, _)| limits.max_uses)
        };
        assert!(matches!(may(Per::Ever, None, true), Ok(3)));
        assert!(matches!(may(Per::Day, Some("2027-01-15"), true), Ok(3)));
        assert!(matches!(may(Per::Day, Some("2027-01-14"), true), Err(VerifyError::DayOver { .. })));
        assert!(matches!(may(Per::Day, Some("2027-01-16"), true), Err(VerifyError::DayOver { .. })));
        assert!(matches!(may(Per::Day, None, true), Err(VerifyError::DayWrong { per: Per::Day })));
        assert!(matches!(
            may(Per::Ever, Some("2027-01-15"), true),
            Err(VerifyError::DayWrong { per: Per::Ever })
        ));
        assert!(matches!(may(Per::Ever, None, false), Err(VerifyError::ActionClosed)));
    }
}
