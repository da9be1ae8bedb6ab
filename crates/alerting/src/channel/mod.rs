//! Ways to reach a person, each one file behind [`Channel`]. Adding one is that file, its address in the set-up and a
//! line in [`Channels::of`].

mod webhook;

use async_trait::async_trait;

pub use webhook::Webhook;

use crate::on_call::Address;
use crate::page::Page;

/// One way to reach one contact.
#[async_trait]
pub trait Channel: Send + Sync {
    /// The word in events and logs.
    fn name(&self) -> &'static str;

    /// What a success of this channel proves.
    fn receipt(&self) -> Receipt;

    /// Tries once, for at most 5 seconds. Trying again is the caller's business.
    async fn send(&self, page: &Page) -> Result<(), Failure>;
}

/// What a success proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The next station took it.
    Accepted,
    /// The person's device has it.
    Delivered,
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nobody listens there. The page has certainly not arrived.
    #[error("the receiver cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the receiver did not answer in time")]
    Timeout,
    /// The connection broke half-way.
    #[error("the connection broke")]
    Broken,
    /// The receiver is overloaded or in trouble.
    #[error("the receiver is in trouble")]
    Trouble,
    /// The receiver will not take it, now or later.
    #[error("the receiver refuses the page; check the contact's address and secret")]
    Refused,
}

impl Failure {
    /// Whether another try on the same channel can help.
    pub const fn is_temporary(self) -> bool {
        !matches!(self, Self::Refused)
    }

    /// Whether the page may have arrived all the same.
    pub const fn may_have_arrived(self) -> bool {
        !matches!(self, Self::Unreachable)
    }

    /// The closed word in events and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Trouble => "server-error",
            Self::Refused => "refused",
        }
    }
}

/// Tries once over `channel`, and counts how that went.
///
/// # Errors
/// Why it failed.
pub async fn attempt(channel: &dyn Channel, page: &Page) -> Result<(), Failure> {
    let outcome = channel.send(page).await;
    let word = outcome.map_or_else(Failure::word, |()| "sent");
    metrics::counter!("page_attempts_total", "channel" => channel.name(), "outcome" => word).increment(1);
    outcome
}

/// What channels share: one pool of HTTP connections.
#[derive(Clone, Debug)]
pub struct Channels {
    http: reqwest::Client,
}

impl Channels {
    /// A pool without connections yet. Redirects are not followed: a page goes where the set-up says.
    ///
    /// # Errors
    /// When the process has no TLS provider installed.
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { http: webhook::client()? })
    }

    /// The channel to this address.
    pub fn of(&self, address: &Address) -> Box<dyn Channel> {
        match address {
            Address::Webhook { url, secret } => Box::new(Webhook::new(self.http.clone(), url.clone(), secret.clone())),
        }
    }
}
