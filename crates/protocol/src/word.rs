//! Closed vocabularies: enums that are written as fixed words and parse nothing else.

use std::fmt;

/// An enum whose members are written as fixed words in the record.
pub trait Word: Copy + Eq + Ord + fmt::Debug + 'static {
    /// Every member, in the order of its declaration.
    const ALL: &'static [Self];

    /// The word as it stands in the record.
    fn as_str(self) -> &'static str;

    /// The member that this word names.
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|member| member.as_str() == word)
    }
}

/// Declares enums whose members are words; each implements [`Word`], `Display` and serde.
macro_rules! words {
    ($($(#[$doc:meta])* $vis:vis $name:ident { $($member:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $(#[doc = concat!("`", $word, "`")] $member),+
        }

        impl $name {
            /// The word as it stands in the record.
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $word),+
                }
            }
        }

        impl $crate::word::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$member),+];

            fn as_str(self) -> &'static str {
                Self::as_str(self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word: std::borrow::Cow<'de, str> = serde::Deserialize::deserialize(from)?;
                let unknown = || serde::de::Error::custom(format_args!("unknown word {word:?}"));
                $crate::word::Word::from_word(&word).ok_or_else(unknown)
            }
        }
    )+};
}

pub(crate) use words;
