//! What a token says, and what of it makes it one that is not taken.

use chrono::{DateTime, TimeDelta, Utc};
use lasegue_values::Person;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::known::Revoked;
use super::{Authentication, Identity, Role};

/// How far the clock of whoever made a token may be ahead.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// The claims of a token; instants in seconds of Unix time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    pub(super) role: Role,
    pub(super) iat: i64,
    /// Tokens of former versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nbf: Option<i64>,
    pub(super) exp: i64,
    pub(super) jti: Uuid,
}

impl Claims {
    /// What a token with these claims, whose signature is right, gives at `now` when it may live for `longest`.
    pub(super) fn judge(self, longest: TimeDelta, revoked: &Revoked, now: DateTime<Utc>) -> Authentication {
        let (now, skew, longest) = (now.timestamp(), CLOCK_SKEW.num_seconds(), longest.num_seconds());
        if self.exp <= now {
            return Authentication::Expired;
        }
        let Ok(subject) = Person::parse(&self.sub) else { return Authentication::Unnamed };
        if revoked.has(&self.jti, subject.as_str(), self.iat) {
            return Authentication::Revoked;
        }
        if self.nbf.is_some_and(|begin| begin > now.saturating_add(skew)) {
            return Authentication::Early;
        }
        if self.exp.saturating_sub(self.iat.min(now.saturating_add(skew))) > longest {
            return Authentication::TooLong;
        }
        Authentication::Is(Identity { subject: subject.into(), role: self.role }, self.jti)
    }
}
