//! `programme create`: what a programme promises, from what was typed.

use std::time::SystemTime;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime, Time};
use unum_identity::claim::Amount;
use unum_identity::programme::{DEFAULT_CLAIM_WINDOW, Length, Policy, ProgrammeTerms};
use unum_identity::time::UnixTime;

const DAY_SECONDS: u64 = 24 * 3600;

/// How it is typed.
pub(crate) const EXAMPLES: &str = "\
Examples:
  1,000.00 EUR for each person, every 30 days:
    distribution programme create --name basic --unit EUR --amount 100000 --period-days 30
  each month 2 % of the pool, shared equally, between 1.00 and 500.00 EUR for each person:
    distribution programme create --name dividend --unit EUR --calendar-months --starts-at 2027-01-01 \\
      --policy pool-share --rate-ppm 20000 --floor 100 --cap 50000
  0.50 EUR an hour, for up to a week, claimed once in each period of 14 days:
    distribution programme create --name hours --unit EUR --period-days 14 --policy accrual --per-hour 50 --cap-days 7";

/// What is asked for.
#[derive(Args, Clone, Debug)]
pub(crate) struct CreateArgs {
    /// What people call it
    #[arg(long)]
    name: String,
    /// What is paid
    #[arg(long)]
    unit: String,
    /// Digits of the unit below the point
    #[arg(long, default_value_t = 2)]
    minor_digits: u8,
    /// How much each person gets
    #[arg(long, value_enum, default_value_t = PolicyName::Fixed)]
    policy: PolicyName,
    /// fixed: each person's share of a period, in minor units
    #[arg(long)]
    amount: Option<Amount>,
    /// pool-share: what all people together get of the pool, in millionths (20000 are 2 %)
    #[arg(long)]
    rate_ppm: Option<u32>,
    /// pool-share: the least that a person gets, in minor units; a pool that cannot pay it opens no period
    #[arg(long)]
    floor: Option<Amount>,
    /// pool-share: the most that a person gets, in minor units
    #[arg(long)]
    cap: Option<Amount>,
    /// accrual: minor units for each whole hour since the period opened
    #[arg(long)]
    per_hour: Option<Amount>,
    /// accrual: days after which a share grows no more
    #[arg(long)]
    cap_days: Option<u32>,
    #[command(flatten)]
    length: LengthArgs,
    /// When period 0 starts: a day such as 2027-01-01 (UTC), or seconds since 1970. If not given: now, or the first second
    /// of this month
    #[arg(long, value_name = "DAY|SECONDS", value_parser = start)]
    starts_at: Option<UnixTime>,
    /// Periods in which a share can be claimed, its own first
    #[arg(long, default_value_t = DEFAULT_CLAIM_WINDOW)]
    claim_window: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PolicyName {
    /// The same amount for everyone, in every period
    Fixed,
    /// A part of what the pool holds when a period starts, the same for everyone
    PoolShare,
    /// A share that grows by the hour
    Accrual,
}

#[derive(Args, Clone, Copy, Debug)]
#[group(required = true, multiple = false)]
struct LengthArgs {
    /// Length of a period in days
    #[arg(long)]
    period_days: Option<u64>,
    /// Length of a period in seconds
    #[arg(long)]
    period_seconds: Option<u64>,
    /// Periods are months of the calendar, in UTC
    #[arg(long)]
    calendar_months: bool,
}

impl CreateArgs {
    /// The terms, as of `now` unless a start is given.
    pub(crate) fn terms(&self, now: SystemTime) -> anyhow::Result<ProgrammeTerms> {
        let length = self.length.length()?;
        let now = UnixTime::from(now);
        let starts_at = match (self.starts_at, length) {
            (Some(given), _) => given,
            (None, Length::CalendarMonth {}) => length.start(now, unum_identity::action::Period(0)),
            (None, _) => now,
        };
        Ok(ProgrammeTerms {
            name: self.name.clone(),
            unit: self.unit.clone(),
            minor_digits: self.minor_digits,
            policy: self.policy()?,
            starts_at,
            length,
            claim_window: self.claim_window,
        })
    }

    /// The policy, and nothing said that it has no use for.
    fn policy(&self) -> anyhow::Result<Policy> {
        let Self { amount, rate_ppm, floor, cap, per_hour, cap_days, .. } = *self;
        match (self.policy, amount, (rate_ppm, floor, cap), (per_hour, cap_days)) {
            (PolicyName::Fixed, Some(amount), (None, None, None), (None, None)) => {
                Ok(Policy::Fixed { amount })
            }
            (PolicyName::PoolShare, None, (Some(rate_ppm), Some(floor), Some(cap)), (None, None)) => {
                Ok(Policy::PoolShare { rate_ppm, floor, cap })
            }
            (PolicyName::Accrual, None, (None, None, None), (Some(per_hour), Some(cap_days))) => {
                Ok(Policy::Accrual { per_hour, cap_days })
            }
            (PolicyName::Fixed, ..) => {
                bail!("--policy fixed takes --amount, and nothing of the other policies")
            }
            (PolicyName::PoolShare, ..) => {
                bail!(
                    "--policy pool-share takes --rate-ppm, --floor and --cap, and nothing of the other policies"
                )
            }
            (PolicyName::Accrual, ..) => {
                bail!("--policy accrual takes --per-hour and --cap-days, and nothing of the other policies")
            }
        }
    }
}

impl LengthArgs {
    fn length(self) -> anyhow::Result<Length> {
        let seconds = match (self.period_seconds, self.period_days) {
            (Some(seconds), _) => seconds,
            (None, Some(days)) => days.checked_mul(DAY_SECONDS).context("period-days is too large")?,
            (None, None) => return Ok(Length::CalendarMonth {}),
        };
        Ok(Length::Seconds { seconds })
    }
}

/// A day in UTC, or seconds since 1970.
fn start(text: &str) -> anyhow::Result<UnixTime> {
    if let Ok(seconds) = text.parse() {
        return Ok(UnixTime(seconds));
    }
    let day = Date::parse(text, &Iso8601::DATE)
        .context("neither a day such as 2027-01-01 nor a number of seconds")?;
    let moment = OffsetDateTime::new_utc(day, Time::MIDNIGHT);
    Ok(UnixTime(moment.unix_timestamp().try_into().context("a day before 1970")?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        create: CreateArgs,
    }

    /// The terms of what is typed on 2023-11-14, if they can be read.
    fn terms(typed: &str) -> anyhow::Result<ProgrammeTerms> {
        let words =
            ["create", "--name", "basic", "--unit", "EUR"].into_iter().chain(typed.split_whitespace());
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        Typed::try_parse_from(words)?.create.terms(now)
    }

    fn amount(minor: u128) -> Amount {
        Amount::new(minor).unwrap()
    }

    #[test]
    fn the_examples() {
        let fixed = terms("--amount 100000 --period-days 30").unwrap();
        assert_eq!(fixed.policy, Policy::Fixed { amount: amount(100_000) });
        assert_eq!(fixed.length, Length::Seconds { seconds: 30 * 86_400 });
        assert_eq!((fixed.starts_at, fixed.claim_window), (UnixTime(1_700_000_000), 2));

        let shared = "--calendar-months --policy pool-share --rate-ppm 20000 --floor 100 --cap 50000";
        let january = terms(&format!("{shared} --starts-at 2027-01-01")).unwrap();
        assert_eq!(
            january.policy,
            Policy::PoolShare { rate_ppm: 20_000, floor: amount(100), cap: amount(50_000) }
        );
        assert_eq!((january.length, january.starts_at), (Length::CalendarMonth {}, UnixTime(1_798_761_600)));
        assert_eq!(terms(shared).unwrap().starts_at, UnixTime(1_698_796_800), "this month's first second");

        let hours =
            terms("--period-days 14 --policy accrual --per-hour 50 --cap-days 7 --starts-at 5").unwrap();
        assert_eq!(hours.policy, Policy::Accrual { per_hour: amount(50), cap_days: 7 });
        assert_eq!(hours.starts_at, UnixTime(5));
    }

    #[test]
    fn refusals() {
        for typed in [
            "--amount 5",
            "--amount 5 --period-days 1 --period-seconds 5",
            "--amount 5 --period-days 1 --calendar-months",
            "--amount 5.00 --period-days 1",
            "--period-days 1",
            "--amount 5 --cap 5 --period-days 1",
            "--policy pool-share --rate-ppm 5 --floor 5 --period-days 1",
            "--policy accrual --per-hour 5 --cap-days 5 --amount 5 --period-days 1",
            "--amount 5 --period-days 1 --starts-at tomorrow",
            "--amount 5 --period-days 1 --starts-at 1969-12-31",
            "--amount 5 --period-days 999999999999999",
        ] {
            assert!(terms(typed).is_err(), "{typed}");
        }
    }
}
