//! `lasegue token list`, `revoke` and `rotate`.

use chrono::{DateTime, SecondsFormat, Utc};
use lasegue_platform::auth::{Issued, Standing};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::random::SystemRandom;
use lasegue_values::Person;
use uuid::Uuid;

use super::{Place, person};

use crate::terminal::{say, tell};

/// List the tokens whose time is not over: id, role, when each was made and ends, whether it is taken, and whose it is.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
}

impl List {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (issuer, now) = (self.place.issuer()?, SystemClock.now());
        for (token, standing) in issuer.list(now)? {
            tell!("{}", line(&token, standing))?;
        }
        if let Some(until) = issuer.symmetric_until(now)? {
            tell!(
                "Tokens of the former symmetric key, of which there is no list, count until {}: end that with `lasegue token rotate`.",
                short(until)
            )?;
        }
        Ok(())
    }
}

/// Take tokens back: every role refuses them within a second.
#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    /// The ids of tokens, as `lasegue token list` shows them; also the claim `jti` of a token.
    #[arg(value_name = "JTI", required_unless_present = "subject")]
    ids: Vec<Uuid>,
    /// Every token of this name that was made until now.
    #[arg(long, value_name = "NAME", value_parser = person)]
    subject: Option<Person>,
    #[command(flatten)]
    place: Place,
}

impl Revoke {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (issuer, now) = (self.place.issuer()?, SystemClock.now());
        for id in self.ids {
            match issuer.revoke(id, now)? {
                Some(token) => say!("{}", line(&token, Standing::Revoked)),
                None => say!("{id} is refused from now on; it is not in the list of tokens."),
            }
        }
        if let Some(subject) = &self.subject {
            let listed = issuer.revoke_all_of(subject, now)?;
            for token in &listed {
                say!("{}", line(token, Standing::Revoked));
            }
            if listed.is_empty() {
                say!("No token in the list is of {subject}: see `lasegue token list` for how the name is written.");
            }
            say!("Every token of {subject} that was made until now is refused.");
        }
        Ok(())
    }
}

/// Replace the key that signs: a new one signs from now on, the old one verifies until its last token ends.
///
/// The symmetric key of a former version does not count any more from then on.
#[derive(Debug, clap::Args)]
pub(super) struct Rotate {
    /// End every token that was made, as after a theft of the key.
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    place: Place,
}

impl Rotate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.place.issuer()?.rotate(self.now, &SystemClock, &SystemRandom).await? {
            Some(end) => say!("A new key signs. The old one verifies its tokens until {}.", short(end)),
            None => say!("A new key signs. No token of the old one is valid."),
        }
        Ok(())
    }
}

fn line(issued: &Issued, standing: Standing) -> String {
    let Issued { jti, subject, role, made_at, ends_at, .. } = issued;
    let standing = match standing {
        Standing::Valid => "valid",
        Standing::Revoked => "revoked",
        Standing::KeyRetired => "key-retired",
    };
    format!("{jti}  {:<14}  {}  {}  {standing:<11}  {subject}", role.name(), short(*made_at), short(*ends_at))
}

fn short(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}
