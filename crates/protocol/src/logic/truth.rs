//! Kleene's three values. Only [`Truth::Yes`] ever makes a rule fire.

use crate::record::Tri;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    No,
    Unknown,
    Yes,
}

impl Truth {
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }

    pub(crate) fn is_yes(self) -> bool {
        self == Self::Yes
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}

/// An answer; a missing one is unknown.
impl From<Option<Tri>> for Truth {
    fn from(answer: Option<Tri>) -> Self {
        match answer {
            Some(Tri::Yes) => Self::Yes,
            Some(Tri::No) => Self::No,
            Some(Tri::Unknown) | None => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, No, Unknown, Yes};

    #[test]
    fn yes_decides_an_or_and_no_an_and() {
        for any in [No, Unknown, Yes] {
            assert_eq!((Yes.or(any), any.or(Yes)), (Yes, Yes));
            assert_eq!((No.and(any), any.and(No)), (No, No));
        }
        assert_eq!((No.or(No), Yes.and(Yes)), (No, Yes));
    }

    #[test]
    fn otherwise_the_unknown_stays_unknown() {
        for known in [No, Yes] {
            assert_eq!(Unknown.not(), Unknown);
            assert_eq!(Truth::not(known).not(), known);
        }
        assert_eq!((Unknown.or(No), No.or(Unknown)), (Unknown, Unknown));
        assert_eq!((Unknown.and(Yes), Yes.and(Unknown)), (Unknown, Unknown));
    }
}
