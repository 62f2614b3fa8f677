//! Numbers, amounts and times as people read them.

use std::fmt;

use maud::Render;
use time::OffsetDateTime;
use time::macros::format_description;
use unum_identity::programme::{Length, RATE_PARTS};
use unum_identity::time::UnixTime;

/// Millionths in one of a hundred.
const PERCENT: u32 = RATE_PARTS / 100;
/// Seconds of a minute, an hour, a day, a week.
const UNITS: [(u64, &str); 4] = [(7 * 86_400, "week"), (86_400, "day"), (3600, "hour"), (60, "minute")];

/// An amount of minor units, with so many of its digits after the point.
pub(super) struct Money {
    pub(super) minor: u128,
    pub(super) digits: u8,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.digits);
        let text = format!("{:0>width$}", self.minor, width = digits + 1);
        let (whole, part) = text.split_at(text.len() - digits);
        f.write_str(&grouped(whole))?;
        if part.is_empty() { Ok(()) } else { write!(f, ".{part}") }
    }
}

impl Render for Money {
    fn render_to(&self, buffer: &mut String) {
        self.to_string().render_to(buffer);
    }
}

/// A moment, to the minute, in UTC.
pub(super) struct Moment(pub(super) UnixTime);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
        let seconds = i64::try_from(self.0.0).ok();
        let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        match time.and_then(|time| time.format(format).ok()) {
            Some(text) => f.write_str(&text),
            None => f.write_str("never"), // beyond the year 9999
        }
    }
}

impl Render for Moment {
    fn render_to(&self, buffer: &mut String) {
        self.to_string().render_to(buffer);
    }
}

/// A number of people.
pub(super) fn count(people: u64) -> String {
    grouped(&people.to_string())
}

/// Millionths, as parts of a hundred.
pub(super) struct Percent(pub(super) u32);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / PERCENT, self.0 % PERCENT);
        let part = format!("{part:04}");
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}\u{a0}%"),
            part => write!(f, "{whole}.{part}\u{a0}%"),
        }
    }
}

impl Render for Percent {
    fn render_to(&self, buffer: &mut String) {
        self.to_string().render_to(buffer);
    }
}

/// So many periods, in the largest unit that they are a whole number of.
pub(super) fn length(length: Length, periods: u64) -> String {
    let (number, unit) = match length {
        Length::Seconds { seconds } => {
            let seconds = seconds.saturating_mul(periods);
            let whole = UNITS.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
            whole.map_or((seconds, "second"), |(unit, name)| (seconds / unit, name))
        }
        Length::CalendarMonth {} => (periods, "month"),
        _ => (periods, "period"),
    };
    if number == 1 { unit.to_owned() } else { format!("{number} {unit}s") }
}

/// The same as something that lasts: `an hour`, `2 hours`.
pub(super) fn lasting(one: Length, periods: u64) -> String {
    let text = length(one, periods);
    match text.as_str() {
        "hour" => "an hour".to_owned(),
        _ if text.starts_with(|first: char| first.is_ascii_digit()) => text,
        _ => format!("a {text}"),
    }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_point() {
        let money = |minor, digits| Money { minor, digits }.to_string();
        assert_eq!(money(0, 0), "0");
        assert_eq!(money(0, 2), "0.00");
        assert_eq!(money(7, 2), "0.07");
        assert_eq!(money(123_456, 2), "1,234.56");
        assert_eq!(money(1_000_000, 0), "1,000,000");
        assert_eq!(money(999, 3), "0.999");
        assert_eq!(money(10_u128.pow(37), 18).len(), 10_u128.pow(19).to_string().len() + 6 + 19);
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(Moment(UnixTime(1_700_000_000)).to_string(), "2023-11-14 22:13 UTC");
        assert_eq!(Moment(UnixTime(u64::MAX)).to_string(), "never");
    }

    #[test]
    fn lengths_are_in_the_largest_whole_unit() {
        let cases = [(1, "second"), (90, "90 seconds"), (3600, "hour"), (7200, "2 hours"), (86_400, "day")];
        for (seconds, expected) in
            cases.into_iter().chain([(14 * 86_400, "2 weeks"), (30 * 86_400, "30 days")])
        {
            assert_eq!(length(Length::Seconds { seconds }, 1), expected);
        }
        assert_eq!(length(Length::Seconds { seconds: 43_200 }, 2), "day");
        assert_eq!(length(Length::CalendarMonth {}, 1), "month");
        assert_eq!(length(Length::CalendarMonth {}, 2), "2 months");
        assert_eq!(lasting(Length::CalendarMonth {}, 1), "a month");
        assert_eq!(lasting(Length::Seconds { seconds: 3600 }, 1), "an hour");
        assert_eq!(lasting(Length::Seconds { seconds: 3600 }, 2), "2 hours");
    }

    #[test]
    fn rates_are_percent() {
        for (parts, expected) in [(1, "0.0001"), (20_000, "2"), (25_500, "2.55"), (1_000_000, "100")] {
            assert_eq!(Percent(parts).to_string(), format!("{expected}\u{a0}%"));
        }
    }
}
