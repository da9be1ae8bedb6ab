//! What a caller may be.

use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// A caller's role. Each route lists the roles that may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Examines, submits, accepts alerts and signs dispositions.
    Clinician,
    /// Keeps the worklist and the patients' data.
    Coordinator,
    /// Changes the protocol.
    ProtocolOwner,
    /// Reads everything, changes nothing.
    Auditor,
    /// Runs the installation.
    Operator,
    /// Another system, such as the record system.
    System,
}

/// A word that names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: use clinician, coordinator, protocol-owner, auditor, operator or system")]
pub struct UnknownRole(String);

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Clinician, Self::Coordinator, Self::ProtocolOwner, Self::Auditor, Self::Operator, Self::System];

    /// Whether people call in it, each under a name of their own.
    pub const fn is_for_people(self) -> bool {
        !matches!(self, Self::System)
    }

    /// How long a token of it may live. People get theirs for a shift; a system's is kept in a configuration.
    pub const fn longest_life(self) -> TimeDelta {
        match self {
            Self::Clinician | Self::Coordinator | Self::ProtocolOwner | Self::Auditor | Self::Operator => {
                TimeDelta::hours(24)
            }
            Self::System => TimeDelta::days(90),
        }
    }

    /// The name in tokens and commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clinician => "clinician",
            Self::Coordinator => "coordinator",
            Self::ProtocolOwner => "protocol-owner",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::System => "system",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_by_its_name_and_spelt_alike_in_tokens() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).expect("a word"), role.name());
        }
    }

    #[test]
    fn an_unknown_role_is_refused_with_those_there_are() {
        let refusal = "nurse".parse::<Role>().expect_err("there is no such role");
        assert!(refusal.to_string().contains("clinician, coordinator"));
    }
}
