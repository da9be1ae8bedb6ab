//! The front door: the page that greets whoever opens the address in a browser, and says how the process is.

mod front_page;

use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use lasegue_platform::http::{Health, Routes};

use crate::front_page::FrontPage;

/// The pages, open to everybody: they hold nothing about anybody.
pub fn routes(health: &Health, protocol_version: String) -> Routes {
    let door = Door { health: health.clone(), protocol_version };
    Routes::new().public("/", get(front).with_state(door))
}

#[derive(Clone)]
struct Door {
    health: Health,
    protocol_version: String,
}

async fn front(State(door): State<Door>) -> Html<String> {
    let (ready, checks) = door.health.report().await;
    Html(FrontPage { ready, checks, protocol_version: door.protocol_version }.to_string())
}
