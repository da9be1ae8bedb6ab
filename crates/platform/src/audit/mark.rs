//! A place in the chain, as it is noted outside of the database.

use std::fmt;
use std::str::FromStr;

/// The number and hash of a sealed row.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its number; 0 before the first.
    pub number: i64,
    /// Its hash.
    pub hash: Vec<u8>,
}

/// A text that is no mark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a head as the log tells it: NUMBER:HASH, the hash in 64 hexadecimal digits")]
pub struct NoMark;

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.number)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let (number, hash) = text.split_once(':').ok_or(NoMark)?;
        let digits = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let byte = |at: usize| u8::from_str_radix(&hash[at..at + 2], 16).map_err(|_| NoMark);
        let hash = if digits { (0..64).step_by(2).map(byte).collect() } else { Err(NoMark) };
        Ok(Self { number: number.parse().map_err(|_| NoMark)?, hash: hash? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_is_written() {
        let mark = Mark { number: 7, hash: (0..32).collect() };
        assert_eq!(mark.to_string().parse(), Ok(mark));
        for wrong in ["", "7", "7:", ":00", "x:00", "7:zz", &format!("7:{}", "é".repeat(32))] {
            assert_eq!(wrong.parse::<Mark>(), Err(NoMark), "{wrong}");
        }
    }
}
