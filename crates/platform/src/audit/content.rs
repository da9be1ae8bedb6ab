//! A row as it is sealed, and as it is shown.

use sea_orm::prelude::Uuid;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::row::Model;

impl Model {
    /// The hash of the row as number `number`, after the one whose hash is `before`.
    pub(super) fn hash_after(&self, before: &[u8], number: i64) -> Vec<u8> {
        let content = serde_json::to_vec(&Content::of(self, number)).expect("texts and numbers are JSON");
        Sha256::new().chain_update(before).chain_update(content).finalize().to_vec()
    }

    /// The row as the command shows it.
    pub fn shown(&self, service: &str) -> Value {
        let change: Option<Value> = self.change.as_deref().and_then(|change| serde_json::from_str(change).ok());
        json!({
            "service": service,
            "number": self.number,
            "at": self.at,
            "subject": self.subject,
            "role": self.role,
            "token": self.token,
            "peer": self.peer,
            "request": self.request,
            "method": self.method,
            "route": self.route,
            "object": self.object,
            "status": self.status,
            "reason": self.reason,
            "times": self.times,
            "change": change,
        })
    }
}

/// What is sealed of a row, in the order that all versions share.
#[derive(Serialize)]
struct Content<'a> {
    number: i64,
    id: i64,
    at_micros: i64,
    subject: Option<&'a str>,
    role: Option<&'a str>,
    token: Option<Uuid>,
    peer: &'a str,
    request: &'a str,
    method: &'a str,
    route: &'a str,
    object: &'a str,
    status: Option<i16>,
    reason: Option<&'a str>,
    times: i32,
    change: Option<&'a str>,
}

impl<'a> Content<'a> {
    fn of(row: &'a Model, number: i64) -> Self {
        Self {
            number,
            id: row.id,
            at_micros: row.at.timestamp_micros(),
            subject: row.subject.as_deref(),
            role: row.role.as_deref(),
            token: row.token,
            peer: &row.peer,
            request: &row.request,
            method: &row.method,
            route: &row.route,
            object: &row.object,
            status: row.status,
            reason: row.reason.as_deref(),
            times: row.times,
            change: row.change.as_deref(),
        }
    }
}
