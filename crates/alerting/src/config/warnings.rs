//! What a set-up may say and had better not.

use std::net::IpAddr;

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::Url;
use secrecy::ExposeSecret;

use crate::ids::ContactName;
use crate::on_call::{Address, OnCall};

/// The fewest characters of a secret that nobody guesses.
const LONG_ENOUGH: usize = 16;
/// What stands for a secret in the documentation and in deploy/lasegue.toml.
const PLACEHOLDER: &str = "shared-with-the-pager";

impl OnCall {
    /// What is possible and unwise, in sentences that say what to do. Of an address they name the host alone: the rest may
    /// be a secret.
    pub fn warnings(&self) -> Vec<String> {
        let unencrypted = self.webhooks().filter(|(_, url, _)| url.scheme() == "http" && !is_this_machine(url));
        let unencrypted = unencrypted.map(|(name, url, _)| {
            let host = url.host_str().unwrap_or_default();
            format!("pages to \"{name}\" go unencrypted to {host}: give an address that begins with https://")
        });
        let guessed = self.webhooks().filter(|(_, _, secret)| can_be_guessed(secret)).map(|(name, ..)| {
            format!("the secret of \"{name}\" can be guessed: give one of {LONG_ENOUGH} characters or more, such as `openssl rand -hex 32` makes")
        });
        unencrypted.chain(guessed).chain(self.link_leads_nowhere()).collect()
    }

    /// The rotas on which nobody is on call at `now`, each in a sentence.
    pub fn gaps(&self, now: DateTime<Utc>) -> Vec<String> {
        let empty = self.rotas().filter(|(_, rota)| rota.on_call(now).is_none());
        empty
            .map(|(name, rota)| {
                let begins = rota.begins().map(|begins| begins.to_rfc3339_opts(SecondsFormat::Secs, true));
                let before = begins.map(|begins| format!(" before {begins}, when its first turn begins"));
                format!("nobody is on call in the rota {name}{}: look at its `start`", before.unwrap_or_default())
            })
            .collect()
    }

    /// Who is on call at `now`, in one sentence.
    pub fn summary(&self, now: DateTime<Utc>) -> String {
        let turns = self.rotas().map(|(name, rota)| {
            let who = rota.on_call(now).map_or("nobody", |who| &who.0);
            format!("{who} ({name})")
        });
        let turns: Vec<_> = turns.collect();
        let turns = if turns.is_empty() { "nobody by turns".to_owned() } else { turns.join(", ") };
        format!("on call now: {turns}; contacts: {}", self.contacts().count())
    }

    fn webhooks(&self) -> impl Iterator<Item = (&ContactName, &Url, &str)> {
        self.contacts().flat_map(|(name, contact)| {
            contact.channels.iter().map(move |Address::Webhook { url, secret }| (name, url, secret.expose_secret()))
        })
    }

    /// A link to this machine is of no use to a telephone.
    fn link_leads_nowhere(&self) -> Option<String> {
        let away = self.webhooks().any(|(_, url, _)| !is_this_machine(url));
        (away && is_this_machine(self.link_base())).then(|| {
            "the links in pages lead to this machine, which nobody who is paged can open: give `link_base` under [paging] the address at which they sign in".to_owned()
        })
    }
}

fn can_be_guessed(secret: &str) -> bool {
    secret.chars().count() < LONG_ENOUGH || secret == PLACEHOLDER
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
