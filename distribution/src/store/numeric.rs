//! `NUMERIC(38, 0)` as Postgres sends it: the only place that knows this encoding.
//!
//! ```text
//! i16 groups   i16 weight   u16 sign (0x0000 +, 0x4000 −)   u16 scale   then the groups, u16 each, most significant first
//! value = ± Σ group[i] · 10000^(weight − i)
//! ```
//! (`numeric_send` and `numeric_recv` in Postgres' `src/backend/utils/adt/numeric.c`.) Trailing zero groups may be left out.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use unum_identity::claim::Amount;
use unum_identity::ledger::Balance;

const BASE: u128 = 10_000;
const NEGATIVE: u16 = 0x4000;

/// Money on its way to or from the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numeric(pub(crate) Balance);

impl From<Amount> for Numeric {
    fn from(amount: Amount) -> Self {
        Self(amount.into())
    }
}

impl ToSql for Numeric {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let minor = self.0.minor();
        let mut groups = Vec::with_capacity(10); // 38 digits
        let mut rest = minor.unsigned_abs();
        while rest > 0 {
            groups.push((rest % BASE) as u16);
            rest /= BASE;
        }
        out.put_i16(groups.len() as i16);
        out.put_i16(groups.len().saturating_sub(1) as i16);
        out.put_u16(if minor < 0 { NEGATIVE } else { 0 });
        out.put_u16(0);
        groups.iter().rev().for_each(|group| out.put_u16(*group));
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Numeric {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let words: Vec<u16> =
            raw.chunks_exact(2).map(|word| u16::from_be_bytes([word[0], word[1]])).collect();
        decode(&words).map(Self).ok_or_else(|| "not a whole number of at most 38 digits".into())
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::NUMERIC
    }
}

fn decode(words: &[u16]) -> Option<Balance> {
    let [len, weight, sign, scale, groups @ ..] = words else { return None };
    let (len, weight) = (usize::from(*len), i32::from(*weight as i16));
    // `scale` is how many digits to show after the point; there are none to show in a whole number.
    if groups.len() != len || *scale != 0 || (*sign != 0 && *sign != NEGATIVE) {
        return None;
    }
    let mut value: u128 = 0;
    for group in groups {
        value = value.checked_mul(BASE)?.checked_add(u128::from(*group))?;
    }
    let left_out = if len == 0 { 0 } else { u32::try_from(weight + 1 - len as i32).ok()? };
    value = value.checked_mul(BASE.checked_pow(left_out)?)?;
    let minor = i128::try_from(value).ok()?;
    Balance::new(if *sign == NEGATIVE { -minor } else { minor }).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(balance: Balance) -> Vec<u8> {
        let mut out = BytesMut::new();
        Numeric(balance).to_sql(&Type::NUMERIC, &mut out).unwrap();
        out.to_vec()
    }

    fn read(raw: &[u8]) -> Option<Balance> {
        Numeric::from_sql(&Type::NUMERIC, raw).ok().map(|numeric| numeric.0)
    }

    #[test]
    fn vectors() {
        // As `numeric_send` writes them: `SELECT encode(numeric_send('…'), 'hex')`.
        for (text, raw) in [
            ("0", "0000000000000000"),
            ("1", "00010000000000000001"),
            ("-1", "00010000400000000001"),
            ("12345", "000200010000000000010929"),
            ("10000", "00010001000000000001"), // the zero group is left out
            ("-300000000", "00010002400000000003"),
        ] {
            assert_eq!(read(&hex::decode(raw).unwrap()), Some(text.parse().unwrap()), "vector {text}");
        }
    }

    #[test]
    fn refusals() {
        for (name, raw) in [
            ("NaN", "00000000c0000000"),
            ("0.5", "0001ffff000000011388"),
            ("1e38", "00010009000000000064"),
            ("cut short", "00020001000000000001"),
        ] {
            assert_eq!(read(&hex::decode(raw).unwrap()), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(minor in -(10_i128.pow(38) - 1)..10_i128.pow(38)) {
            let balance = Balance::new(minor).unwrap();
            prop_assert_eq!(read(&encode(balance)), Some(balance));
        }

        #[test]
        fn nothing_panics(raw in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = read(&raw);
        }
    }
}
