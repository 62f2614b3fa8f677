//! What a payment is for, in a few words that two people see and the ledger does not.

use std::fmt;
use std::str::FromStr;

/// 1 to [`Memo::MAX_CHARS`] printable characters, no space at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memo(String);

/// Text is no memo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a memo has 1 to {} printable characters, and no space at either end", Memo::MAX_CHARS)]
pub struct MemoError;

impl Memo {
    /// Most characters: as many as SEPA gives to what a credit transfer is for (EPC125-05, remittance information).
    pub const MAX_CHARS: usize = 140;
}

impl FromStr for Memo {
    type Err = MemoError;

    fn from_str(text: &str) -> Result<Self, MemoError> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.chars().count());
        if !fits || text.trim() != text || !text.chars().all(is_printable) {
            return Err(MemoError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// No control characters, and nothing that is invisible or turns the direction of text: a memo is shown beside an amount
/// and an account, and must not rewrite them. Joiners stay: Persian and emoji need them.
fn is_printable(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_language() {
        for text in ["x", "rent, May 2026", "Miete für Mai", "می‌خواهم", "👨‍👩‍👧 50 %", &"ä".repeat(140)]
        {
            assert_eq!(text.parse::<Memo>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refusals() {
        let too_long = "ä".repeat(141);
        for text in ["", " x", "x ", "a\nb", "a\u{1b}[2Jb", "a\u{202e}b", "a\u{200b}b", &too_long] {
            assert_eq!(text.parse::<Memo>(), Err(MemoError), "{text:?}");
        }
    }
}
