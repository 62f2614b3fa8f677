//! A day of the calendar, in UTC everywhere: people who compare notes must not find two.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use time::{Date, Month, OffsetDateTime};

use crate::time::UnixTime;

/// How long after midnight the day before still counts: who proved before midnight may be slow to send it.
const LATE: Duration = Duration::from_mins(10);

/// A day in UTC, of the years 0 to 9999. Text is exactly `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
pub struct Day(Date);

/// Text is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day is YYYY-MM-DD, and in the calendar")]
pub struct DayError;

impl Day {
    /// The day that a moment lies in; the last of the year 9999 for all that come after it.
    pub fn of(moment: UnixTime) -> Self {
        let moment = i64::try_from(moment.0).ok().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        Self(moment.map_or(Date::MAX, OffsetDateTime::date))
    }

    /// Whether somebody who acts at `now` may act on this day: it is today, or it was ten minutes ago.
    pub fn counts_at(self, now: UnixTime) -> bool {
        self == Self::of(now) || self == Self::of(UnixTime(now.0.saturating_sub(LATE.as_secs())))
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let digits = |from: usize, to: usize| {
            let part = text.get(from..to).filter(|part| part.bytes().all(|c| c.is_ascii_digit()))?;
            part.parse::<u16>().ok()
        };
        let date = || {
            let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
            let dashes = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
            let month = Month::try_from(u8::try_from(month).ok()?).ok().filter(|_| dashes)?;
            Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()
        };
        date().map(Self).ok_or(DayError)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(date) = self;
        write!(f, "{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_text() {
        for text in ["0000-01-01", "2024-02-29", "2026-11-23", "9999-12-31"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026-11-2",
            "2026-11-031",
            "26-11-23",
            "2026-11-31",
            "2025-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-11-00",
            "2026/11/23",
            "+026-11-23",
            "2026-+1-23",
            " 2026-11-23",
            "2026-11-23 ",
            "２026-11-2",
            "10000-01-01",
            "2026-11-2é",
            "é026-11-23",
        ] {
            assert_eq!(text.parse::<Day>(), Err(DayError), "{text:?}");
        }
    }

    #[test]
    fn yesterday_counts_for_ten_minutes() {
        const DAY: u64 = 24 * 3600;
        let day = Day::of(UnixTime(1_800_000_000));
        assert_eq!(day.to_string(), "2027-01-15");
        let midnight = 1_800_000_000 / DAY * DAY;
        let counts = |second| day.counts_at(UnixTime(second));
        assert!(!counts(midnight - 1), "tomorrow does not count yet");
        assert!(counts(midnight) && counts(midnight + DAY - 1));
        assert!(counts(midnight + DAY + 599) && !counts(midnight + DAY + 600));
        assert_eq!(Day::of(UnixTime(0)).to_string(), "1970-01-01");
        assert!(Day::of(UnixTime(0)).counts_at(UnixTime(0)), "there was no time before");
        assert_eq!(Day::of(UnixTime(u64::MAX)).to_string(), "9999-12-31");
    }
}
