//! The demo's pager: a webhook receiver in the same process, on a port of its own.

use std::time::Duration;

use anyhow::Context;
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use lasegue_platform::clock::SharedClock;
use lasegue_platform::config;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::settings::Settings;

/// The people of the demo's clinic: who is on call first, who is asked when nobody accepts.
const PEOPLE: [&str; 3] = ["consultant-a", "consultant-b", "spine-lead"];

/// A page as it arrived.
#[derive(Debug)]
pub(crate) struct Page {
    pub(super) at: DateTime<Utc>,
    pub(super) contact: &'static str,
    pub(super) text: PageText,
}

/// All that a page says.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PageText {
    pub(super) severity: String,
    pub(super) reference: String,
    pub(super) reason: String,
    pub(super) link: String,
}

/// The pages of the demo, as they arrive.
#[derive(Debug)]
pub(crate) struct Pager {
    url: String,
    clock: SharedClock,
    arriving: mpsc::UnboundedReceiver<Page>,
}

#[derive(Clone)]
struct Desk {
    clock: SharedClock,
    arrived: mpsc::UnboundedSender<Page>,
}

impl Pager {
    /// Listens on a free port of this machine.
    pub(crate) async fn start(clock: SharedClock) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("the demo's pager found no free port")?;
        let url = format!("http://{}", listener.local_addr()?);
        let (arrived, arriving) = mpsc::unbounded_channel();
        let desk = Desk { clock: clock.clone(), arrived };
        let router = Router::new().route("/{contact}", post(receive)).with_state(desk);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, clock, arriving })
    }

    /// The next page, if one arrives within `limit`.
    pub(super) async fn next(&mut self, limit: Duration) -> Option<Page> {
        self.next_until(self.clock.now() + limit).await
    }

    /// The next page, if one arrives before `end`.
    pub(super) async fn next_until(&mut self, end: DateTime<Utc>) -> Option<Page> {
        let clock = self.clock.clone();
        tokio::select! {
            page = self.arriving.recv() => page,
            () = clock.sleep_until(end) => None,
        }
    }
}

async fn receive(State(desk): State<Desk>, Path(contact): Path<String>, Json(text): Json<PageText>) {
    let at = desk.clock.now();
    if let Some(contact) = PEOPLE.into_iter().find(|person| *person == contact) {
        // Nobody listens any more once the demo ends.
        let _ = desk.arrived.send(Page { at, contact, text });
    }
}

/// The demo's on-call set-up, as it would stand in a configuration file.
pub(crate) fn on_call(pager: &Pager, link_base: &str) -> anyhow::Result<Settings> {
    let contacts = PEOPLE.map(|person| {
        let url = &pager.url;
        format!(
            "[[contact]]\nname = \"{person}\"\n\
             channels = [{{ kind = \"webhook\", url = \"{url}/{person}\", secret = \"known-to-this-demo-alone\" }}]\n"
        )
    });
    let text = format!(
        "paging = {{ link_base = \"{link_base}\" }}\n{}\n[[rota]]\nname = \"spine-on-call\"\ntime_zone = \"Europe/London\"\n\
         members = [\"consultant-a\", \"consultant-b\"]\nhand_over = \"weekly\"\n\
         [[policy]]\nname = \"default\"\n\
         steps = [{{ notify = [\"rota:spine-on-call\"], wait = \"10s\" }}, {{ notify = [\"contact:spine-lead\"], wait = \"30s\" }}]\n",
        contacts.concat()
    );
    config::parse(&text).context("the demo's on-call set-up is not understood")
}
