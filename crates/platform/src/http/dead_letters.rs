//! A service's dead letters for operators: list, show, handle again, give up. Everything but listing is written down with
//! the name of whoever did it; showing, too, since a body may hold clinical facts.

use std::fmt::Write;

use axum::Json;
use axum::extract::State as Shared;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Body, EpisodeId, Problem, Query, Routes, failed};
use crate::auth::{Identity, Role};
use crate::store::dead_letters::{self, Model, State, actions, list};
use crate::store::{Store, StoreError, timers};

const OPERATORS: &[Role] = &[Role::Operator, Role::System];
/// Letters of one answer when the caller does not say, and at most.
const PAGE: u64 = 50;
const LARGEST_PAGE: u64 = 500;
/// Characters of the reason for giving one up.
const LONGEST_REASON: usize = 1_000;

/// The routes of `store`'s service.
pub fn routes(store: &Store) -> Routes {
    let (base, on) = (format!("/api/v1/dead-letters/{}", store.service()), || store.clone());
    Routes::new()
        .route(&base, OPERATORS, get(list_all).with_state(on()))
        .route(&format!("{base}/{{id}}"), OPERATORS, get(show).with_state(on()))
        .route(&format!("{base}/{{id}}/replay"), OPERATORS, post(replay).with_state(on()))
        .route(&format!("{base}/{{id}}/drop"), OPERATORS, post(give_up).with_state(on()))
}

/// Which letters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    /// Those that are done with, in the place of those that are open.
    settled: bool,
    /// The `next` of the answer before.
    after: Option<String>,
    limit: Option<u64>,
}

async fn list_all(Shared(store): Shared<Store>, Query(wanted): Query<Wanted>) -> Result<Json<Value>, Problem> {
    let states: &[State] = if wanted.settled { &State::SETTLED } else { &State::OPEN };
    let after = wanted.after.as_deref().map(read_cursor).transpose()?;
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let mut lines = list::in_states(store.reader(), states, after, limit + 1).await.map_err(failed)?;
    let more = lines.len() as u64 > limit;
    lines.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = lines.last().filter(|_| more).map(|line| format!("{}_{}", line.created_at.timestamp_micros(), line.id));
    let entries: Vec<_> = lines.into_iter().map(|line| entry(&line.into())).collect();
    Ok(Json(json!({ "dead_letters": entries, "next": next })))
}

async fn show(Shared(store): Shared<Store>, EpisodeId(id): EpisodeId, who: Identity) -> Result<Json<Value>, Problem> {
    let letter = find(&store, id).await?;
    note(&store, id, who, "read", String::new()).await?;
    let actions = actions::of_letter(store.reader(), id).await.map_err(failed)?;
    let mut body = entry(&letter);
    body["headers"] = letter.headers;
    body["payload_hex"] = hex(&letter.payload).into();
    body["actions"] = actions.iter().map(action).collect();
    Ok(Json(body))
}

/// Has it handled in its turn, and says what came of it.
async fn replay(Shared(store): Shared<Store>, EpisodeId(id): EpisodeId, who: Identity) -> Result<Json<Value>, Problem> {
    let letter = open(&store, id).await?;
    let consumer = store.replays().of(&letter.consumer).ok_or_else(|| {
        Problem::conflict("no-consumer", format!("No consumer {} is at work here. What it names is tried again by itself, or belongs to a version before: drop it once it is dealt with.", letter.consumer))
    })?;
    let ending = || Problem::unavailable("The service is ending: try again in a second.");
    match consumer.replay(letter.message()).await.ok_or_else(ending)? {
        Ok(()) => {
            settle(&store, letter, who, State::Replayed, "handled".to_owned()).await?;
            Ok(Json(json!({ "id": id, "state": State::Replayed.word() })))
        }
        Err(error) => {
            let reason = error.chain();
            note(&store, id, who, "replay", reason.clone()).await?;
            Err(Problem::conflict("still-failing", format!("It failed again and stays as it was: {reason}.")))
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GivingUp {
    /// How it was dealt with otherwise.
    reason: String,
}

/// Gives a letter up: it is never handled, not when it comes again either. A timer is tried no more, unless it is set anew.
async fn give_up(
    Shared(store): Shared<Store>,
    EpisodeId(id): EpisodeId,
    who: Identity,
    Body(GivingUp { reason }): Body<GivingUp>,
) -> Result<Json<Value>, Problem> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let reason = format!("must say in 1 to {LONGEST_REASON} characters how it was dealt with otherwise");
        return Err(Problem::refused([super::problem::Fault { pointer: "/reason".to_owned(), reason }]));
    }
    let letter = open(&store, id).await?;
    settle(&store, letter, who, State::Dropped, reason).await?;
    Ok(Json(json!({ "id": id, "state": State::Dropped.word() })))
}

async fn settle(store: &Store, letter: Model, who: Identity, to: State, outcome: String) -> Result<(), Problem> {
    let service = store.service();
    let settled: Result<bool, StoreError> = store
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                let settled = dead_letters::settle(unit.db(), letter.id, State::OPEN, to, now).await?;
                if settled && to == State::Dropped {
                    timers::give_up(unit.db(), service, &letter, now).await?;
                }
                let action = if to == State::Dropped { "drop" } else { "replay" };
                actions::note(unit, letter.id, &who, action, &outcome).await?;
                Ok(settled)
            })
        })
        .await;
    if settled.map_err(failed)? { Ok(()) } else { Err(done_with()) }
}

async fn note(store: &Store, id: Uuid, who: Identity, action: &'static str, outcome: String) -> Result<(), Problem> {
    let noted: Result<(), StoreError> =
        store.commit(move |unit| Box::pin(async move { actions::note(unit, id, &who, action, &outcome).await })).await;
    noted.map_err(failed)
}

async fn find(store: &Store, id: Uuid) -> Result<Model, Problem> {
    let found = dead_letters::find(store.reader(), id).await.map_err(failed)?;
    found.ok_or_else(|| Problem::not_found(format!("There is no dead letter {id} in {}.", store.service())))
}

async fn open(store: &Store, id: Uuid) -> Result<Model, Problem> {
    let letter = find(store, id).await?;
    if letter.state.is_open() { Ok(letter) } else { Err(done_with()) }
}

fn done_with() -> Problem {
    Problem::conflict("settled", "This dead letter is done with already: show it to see how.")
}

fn entry(letter: &Model) -> Value {
    json!({
        "id": letter.id,
        "consumer": letter.consumer,
        "state": letter.state.word(),
        "event_type": letter.event_type(),
        "event_id": letter.event_id(),
        "episode": letter.episode(),
        "subject": letter.subject,
        "reason": letter.reason,
        "tries": letter.tries,
        "created_at": letter.created_at,
        "settled_at": letter.settled_at,
    })
}

fn action(done: &actions::Model) -> Value {
    json!({ "at": done.at, "by": done.by, "role": done.role, "action": done.action, "outcome": done.outcome })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn read_cursor(text: &str) -> Result<list::After, Problem> {
    let read = || {
        let (micros, id) = text.split_once('_')?;
        Some((DateTime::<Utc>::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
    };
    read().ok_or_else(|| Problem::bad_request("`after` must be the `next` of an earlier answer."))
}
