//! The front door: the page that greets whoever opens the address in a browser, and the way to every service's part of
//! the interface.

mod front_door;
mod front_page;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use lasegue_platform::http::{Health, Routes};

pub use crate::front_door::{Remote, RemoteError, pass_on};
use crate::front_page::FrontPage;

/// The pages, open to everybody: they hold nothing about anybody.
pub fn routes(health: &Health) -> Routes {
    let style = ([(CONTENT_TYPE, "text/css; charset=utf-8")], front_page::STYLE);
    Routes::new().public("/", get(front).with_state(health.clone())).public("/style.css", get(async move || style))
}

async fn front(State(health): State<Health>) -> Html<String> {
    let (ready, checks) = health.report().await;
    Html(FrontPage { ready, checks }.to_string())
}
