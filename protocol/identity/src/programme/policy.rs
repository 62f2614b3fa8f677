//! How much each person gets of a period: three policies, and the arithmetic of each.
//!
//! | policy | the most of a period | what a claim is paid |
//! |---|---|---|
//! | `fixed` | the amount | the same |
//! | `pool_share` | pool × rate ÷ 1,000,000 ÷ people, rounded down, between floor and cap | the same |
//! | `accrual` | an hour's worth × 24 × days | an hour's worth × whole hours since the period opened, at most that |
//!
//! The most is fixed once, when the period is funded, and put aside for each person. Knows no period, no clock and no
//! claim: whoever asks says how full the pool is, and how long ago the period opened.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::claim::Amount;
use crate::time::UnixTime;

/// Parts of the pool that a rate counts: millionths.
pub const RATE_PARTS: u32 = 1_000_000;
/// Hours that a day of an accrual has.
const HOURS: u64 = 24;
const HOUR_SECONDS: u64 = 3600;

/// How much each person gets in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Policy {
    /// The same amount for everyone, in every period.
    Fixed {
        /// Minor units a person and period, at least 1.
        amount: Amount,
    },
    /// A part of what the pool holds when the period is funded, the same for everyone.
    PoolShare {
        /// How much of the pool all people together get, in millionths, 1 to [`RATE_PARTS`].
        rate_ppm: u32,
        /// The least that a person gets, at least 1. If the pool cannot pay it to everyone, the period does not open.
        floor: Amount,
        /// The most that a person gets, at least the floor.
        cap: Amount,
    },
    /// A share that grows by the hour while its period can be claimed in.
    Accrual {
        /// Minor units for each whole hour since the period opened, at least 1.
        per_hour: Amount,
        /// Days after which it grows no more, at least 1.
        cap_days: u32,
    },
}

impl Policy {
    /// The most that any period pays a person.
    pub fn most(&self) -> Amount {
        match self {
            Self::Fixed { amount } => *amount,
            Self::PoolShare { cap, .. } => *cap,
            Self::Accrual { per_hour, cap_days } => {
                per_hour.checked_mul(u64::from(*cap_days) * HOURS).unwrap_or(Amount::MAX)
            }
        }
    }

    /// The most that each of `people` gets of a period that is funded while the pool holds `pool`; not above
    /// [`Policy::most`]. A period that cannot put so much aside for each of them does not open.
    pub fn most_of(&self, pool: Amount, people: u64) -> Amount {
        match self {
            Self::PoolShare { rate_ppm, floor, cap } => {
                let (parts, rate) = (u128::from(RATE_PARTS), u128::from(*rate_ppm));
                // pool × rate ÷ parts, rounded down, without the product, which 128 bits do not hold.
                let shared = pool.minor() / parts * rate + pool.minor() % parts * rate / parts;
                let each = Amount::new(shared / u128::from(people.max(1))).unwrap_or(Amount::MAX);
                each.min(*cap).max(*floor)
            }
            Self::Fixed { .. } | Self::Accrual { .. } => self.most(),
        }
    }
}

/// What a claim of one period is paid, from when on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub(super) policy: Policy,
    pub(super) most: Amount,
    pub(super) opens_at: UnixTime,
}

impl Share {
    /// What a claim is paid that is paid at `now`; nothing while nothing has accrued.
    pub fn at(&self, now: UnixTime) -> Amount {
        match &self.policy {
            Policy::Fixed { .. } | Policy::PoolShare { .. } => self.most,
            Policy::Accrual { per_hour, .. } => {
                let hours = now.since(self.opens_at).as_secs() / HOUR_SECONDS;
                per_hour.checked_mul(hours).map_or(self.most, |grown| grown.min(self.most))
            }
        }
    }

    /// The most that a claim can be paid.
    pub fn most(&self) -> Amount {
        self.most
    }

    /// From when on a claim is paid anything.
    pub fn pays_from(&self) -> UnixTime {
        match &self.policy {
            Policy::Fixed { .. } | Policy::PoolShare { .. } => self.opens_at,
            Policy::Accrual { .. } => self.opens_at.plus(Duration::from_secs(HOUR_SECONDS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = HOUR_SECONDS;

    fn amount(minor: u128) -> Amount {
        Amount::new(minor).unwrap()
    }

    fn pool_share(rate_ppm: u32, floor: u128, cap: u128) -> Policy {
        Policy::PoolShare { rate_ppm, floor: amount(floor), cap: amount(cap) }
    }

    fn accrual(per_hour: u128, cap_days: u32) -> Share {
        let policy = Policy::Accrual { per_hour: amount(per_hour), cap_days };
        Share { most: policy.most(), policy, opens_at: UnixTime(1_000) }
    }

    #[test]
    fn shares_of_a_pool() {
        let of = |policy: &Policy, pool, people| policy.most_of(amount(pool), people).minor();
        let tenth = pool_share(100_000, 5, 50);
        assert_eq!(of(&tenth, 1_000, 10), 10);
        assert_eq!(of(&tenth, 1_009, 10), 10, "rounded down");
        assert_eq!(of(&tenth, 100_000, 10), 50, "the cap");
        assert_eq!(of(&tenth, 100, 10), 5, "the floor, which this pool can pay");
        assert_eq!(of(&tenth, 0, 10), 5, "the floor, which this pool cannot");
        let all = pool_share(RATE_PARTS, 1, Amount::MAX.minor());
        assert_eq!(of(&all, Amount::MAX.minor(), 1), Amount::MAX.minor());
    }

    #[test]
    fn an_accrual_pays_whole_hours_up_to_its_cap() {
        let share = accrual(7, 2);
        let after = |seconds| share.at(UnixTime(1_000 + seconds)).minor();
        assert_eq!(share.at(UnixTime(0)), Amount::ZERO, "before it opens");
        for (seconds, expected) in
            [(0, 0), (HOUR - 1, 0), (HOUR, 7), (2 * HOUR - 1, 7), (47 * HOUR, 329), (48 * HOUR, 336)]
        {
            assert_eq!(after(seconds), expected, "{seconds}");
        }
        assert_eq!(after(u64::MAX - 1_000), 336);
        assert_eq!(share.pays_from(), UnixTime(1_000 + HOUR));
    }

    #[test]
    fn unknown_terms_are_no_policy() {
        let good = r#"{"kind":"pool_share","rate_ppm":20000,"floor":"1","cap":"5"}"#;
        assert_eq!(serde_json::from_str::<Policy>(good).unwrap(), pool_share(20_000, 1, 5));
        for bad in [
            good.replace("\"cap\"", "\"top\""),
            good.replace("20000", "\"20000\""),
            good.replace('}', ",\"amount\":\"5\"}"),
            good.replace("pool_share", "quadratic"),
        ] {
            assert!(serde_json::from_str::<Policy>(&bad).is_err(), "{bad}");
        }
    }

    /// Long multiplication and division in decimal digits: slow, and nothing that it could overflow.
    fn by_digits(pool: u128, rate: u32, people: u64) -> u128 {
        let mut carried = 0_u128;
        let mut product = Vec::new(); // of pool × rate, the lowest digit first
        for digit in pool.to_string().bytes().rev() {
            carried += u128::from(digit - b'0') * u128::from(rate);
            product.push(carried % 10);
            carried /= 10;
        }
        while carried > 0 {
            product.push(carried % 10);
            carried /= 10;
        }
        let divisor = u128::from(RATE_PARTS) * u128::from(people);
        let (mut quotient, mut rest) = (0, 0);
        for digit in product.into_iter().rev() {
            rest = rest * 10 + digit;
            quotient = quotient * 10 + rest / divisor;
            rest %= divisor;
        }
        quotient
    }

    proptest! {
        #[test]
        fn a_share_of_the_pool_is_long_division(
            pool in 0..=Amount::MAX.minor(), rate in 1..=RATE_PARTS, people in 1..=1_u64 << 40
        ) {
            let unbounded = pool_share(rate, 0, Amount::MAX.minor());
            prop_assert_eq!(unbounded.most_of(amount(pool), people).minor(), by_digits(pool, rate, people));
        }

        #[test]
        fn what_is_above_the_floor_can_always_be_put_aside(
            pool in 0..=Amount::MAX.minor(), rate in 1..=RATE_PARTS, people in 1..=1_u64 << 40,
            floor in 1..1_000_u128, above in 0..1_000_000_u128
        ) {
            let policy = pool_share(rate, floor, floor + above);
            let each = policy.most_of(amount(pool), people);
            prop_assert!(each >= amount(floor) && each <= policy.most());
            let total = each.checked_mul(people);
            prop_assert!(each == amount(floor) || total.is_some_and(|total| total <= amount(pool)));
        }

        #[test]
        fn an_accrual_never_shrinks_and_never_passes_its_cap(
            per_hour in 1..=Amount::MAX.minor(), days in 1..=3660_u32, a in any::<u64>(), b in any::<u64>()
        ) {
            let share = accrual(per_hour, days);
            let (early, late) = (a.min(b), a.max(b));
            prop_assert!(share.at(UnixTime(early)) <= share.at(UnixTime(late)));
            prop_assert!(share.at(UnixTime(late)) <= share.most());
            prop_assert_eq!(share.at(UnixTime(early)) > Amount::ZERO, UnixTime(early) >= share.pays_from());
        }
    }
}
