//! How long a period is: a number of seconds, or a month of the calendar, in UTC.
//!
//! Which day a month ends on, and in which years February is longer, is the `time` crate's to know. Nothing here looks
//! at a clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::{Date, Month, OffsetDateTime};

use crate::action::Period;
use crate::time::UnixTime;

/// Months of a year.
const YEAR: u64 = 12;
/// A moment that does not come: after the last that the calendar has.
const NEVER: UnixTime = UnixTime(u64::MAX);

/// Length of a programme's periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Length {
    /// Always as many seconds.
    Seconds {
        /// How many, at least 1.
        seconds: u64,
    },
    /// From the first second of a month to the first of the next, in UTC. Ends with the year 9999.
    CalendarMonth {}, // braces, so that a field beside the kind is refused
}

impl Length {
    /// When `period` starts, if period 0 starts at `first`; of months the first second of the month that `first` lies in.
    /// [`u64::MAX`] past the end of time, or of the calendar.
    pub fn start(self, first: UnixTime, period: Period) -> UnixTime {
        match self {
            Self::Seconds { seconds } => first.plus(Duration::from_secs(seconds.saturating_mul(period.0))),
            Self::CalendarMonth {} => month_of(first)
                .and_then(|month| start_of_month(month.checked_add(period.0)?))
                .unwrap_or(NEVER),
        }
    }

    /// The period that runs at `now`, if period 0 starts at `first`; none before that, and none after the calendar ends.
    pub fn period_at(self, first: UnixTime, now: UnixTime) -> Option<Period> {
        let elapsed = now.0.checked_sub(first.0)?;
        match self {
            Self::Seconds { seconds } => elapsed.checked_div(seconds).map(Period),
            Self::CalendarMonth {} => month_of(now)?.checked_sub(month_of(first)?).map(Period),
        }
    }
}

/// Months from the year 0 to the one that `at` lies in; none past the year 9999.
fn month_of(at: UnixTime) -> Option<u64> {
    let date = OffsetDateTime::from_unix_timestamp(at.0.try_into().ok()?).ok()?.date();
    Some(u64::try_from(date.year()).ok()? * YEAR + u64::from(u8::from(date.month()) - 1))
}

/// The first second of a month, counted as [`month_of`] does.
fn start_of_month(months: u64) -> Option<UnixTime> {
    let month = Month::January.nth_next((months % YEAR) as u8);
    let date = Date::from_calendar_date((months / YEAR).try_into().ok()?, month, 1).ok()?;
    date.midnight().assume_utc().unix_timestamp().try_into().ok().map(UnixTime)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const MONTHS: Length = Length::CalendarMonth {};

    fn at(moment: OffsetDateTime) -> UnixTime {
        UnixTime(moment.unix_timestamp().try_into().unwrap())
    }

    #[test]
    fn months_as_calendars_have_them() {
        let first = at(datetime!(2023-11-01 0:00 UTC));
        for (period, expected) in [
            (0, datetime!(2023-11-01 0:00 UTC)),
            (1, datetime!(2023-12-01 0:00 UTC)),
            (2, datetime!(2024-01-01 0:00 UTC)),
            (4, datetime!(2024-03-01 0:00 UTC)),
            (52, datetime!(2028-03-01 0:00 UTC)),
            (12 * 77, datetime!(2100-11-01 0:00 UTC)),
        ] {
            assert_eq!(MONTHS.start(first, Period(period)), at(expected), "{period}");
        }
        // 2024 and 2000 are leap years, 2023 and 2100 are none.
        for (year, last) in [(2023, 28), (2024, 29), (2100, 28)] {
            let date = Date::from_calendar_date(year, Month::February, last).unwrap();
            let second = at(date.with_hms(23, 59, 59).unwrap().assume_utc());
            let running = MONTHS.period_at(first, second);
            let next = MONTHS.period_at(first, UnixTime(second.0 + 1));
            if year == 2023 {
                assert_eq!((running, next), (None, None), "before the programme");
            } else {
                assert_eq!(next.unwrap().0, running.unwrap().0 + 1, "{year}");
            }
        }
    }

    #[test]
    fn time_and_calendars_end() {
        let first = at(datetime!(2024-01-01 0:00 UTC));
        assert_eq!(MONTHS.start(first, Period(u64::MAX)), NEVER);
        assert_eq!(MONTHS.start(NEVER, Period(0)), NEVER);
        assert_eq!(MONTHS.period_at(first, NEVER), None);
        assert_eq!(MONTHS.period_at(first, UnixTime(first.0 - 1)), None);
        let last = at(datetime!(9999-12-31 23:59:59 UTC));
        let period = MONTHS.period_at(first, last).unwrap();
        assert_eq!(MONTHS.start(first, period), at(datetime!(9999-12-01 0:00 UTC)));
        assert_eq!(MONTHS.start(first, Period(period.0 + 1)), NEVER);
        assert_eq!(Length::Seconds { seconds: 2 }.start(first, Period(u64::MAX)), NEVER);
    }

    #[test]
    fn a_month_has_no_seconds() {
        assert_eq!(serde_json::from_str::<Length>(r#"{"kind":"calendar_month"}"#).unwrap(), MONTHS);
        assert_eq!(serde_json::to_string(&MONTHS).unwrap(), r#"{"kind":"calendar_month"}"#);
        for bad in [r#"{"kind":"calendar_month","seconds":5}"#, r#"{"kind":"seconds"}"#, r#"{"kind":"year"}"#]
        {
            assert!(serde_json::from_str::<Length>(bad).is_err(), "{bad}");
        }
    }

    /// Months of 1970 to 2969, of which 2000 and 2400 are leap years and 2100 to 2300 are none.
    fn month() -> impl Strategy<Value = u64> {
        1970 * YEAR..2970 * YEAR
    }

    proptest! {
        #[test]
        fn a_period_runs_from_its_start_to_the_next(first in month(), period in 0..12_000_u64) {
            let (first, period) = (start_of_month(first).unwrap(), Period(period));
            let start = MONTHS.start(first, period);
            prop_assert_eq!(MONTHS.period_at(first, start), Some(period));
            let before = MONTHS.period_at(first, UnixTime(start.0 - 1));
            prop_assert_eq!(before, period.0.checked_sub(1).map(Period));
            let next = MONTHS.start(first, Period(period.0 + 1));
            let seconds = next.0 - start.0;
            prop_assert!((28..=31).contains(&(seconds / 86_400)) && seconds.is_multiple_of(86_400));
        }

        #[test]
        fn seconds_too(first in 0..1_u64 << 40, seconds in 1..1_u64 << 30, period in 0..1_u64 << 20) {
            let (length, first, period) = (Length::Seconds { seconds }, UnixTime(first), Period(period));
            let start = length.start(first, period);
            prop_assert_eq!(length.period_at(first, start), Some(period));
            let before = start.0.checked_sub(1).and_then(|before| length.period_at(first, UnixTime(before)));
            prop_assert_eq!(before, period.0.checked_sub(1).map(Period));
        }
    }
}
