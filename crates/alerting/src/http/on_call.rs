//! Who is on call, and whether pages reach them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use chrono::{DateTime, Utc};
use lasegue_platform::http::{Instant, Problem, Query, failed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::{ContactName, RotaName};
use crate::rota::Rota;
use crate::service::{Alerting, Tested};
use crate::store::test_pages::TEST_PAGE_EVERY;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// Now, when left out.
    at: Option<Instant>,
}

#[derive(Debug, Serialize)]
pub(super) struct OnCallAt {
    at: DateTime<Utc>,
    rotas: Vec<Turn>,
}

#[derive(Debug, Serialize)]
struct Turn {
    name: RotaName,
    /// Nobody, when the rota has not begun.
    on_call: Option<ContactName>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

/// `GET /api/v1/on-call?at=`
pub(super) async fn on_call(
    State(alerting): State<Arc<Alerting>>,
    Query(when): Query<When>,
) -> Result<Json<OnCallAt>, Problem> {
    let at = when.at.map_or_else(|| alerting.now(), |Instant(at)| at);
    let rotas = alerting.on_call().rotas().map(|(name, rota)| turn(name, rota, at)).collect();
    Ok(Json(OnCallAt { at, rotas }))
}

/// `POST /api/v1/on-call/contacts/{name}/test`: 202 with the page's id; 429 when the contact was sent one just before.
pub(super) async fn test(
    State(alerting): State<Arc<Alerting>>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    match alerting.test_page(ContactName(name)).await.map_err(failed)? {
        Tested::Queued(page) => {
            Ok((StatusCode::ACCEPTED, Json(json!({ "page_id": page, "reference": page.reference() }))))
        }
        Tested::NoContact => Err(Problem::not_found("The on-call set-up has no contact of this name.")),
        Tested::TooSoon(again_at) => Err(too_soon(again_at, alerting.now())),
    }
}

fn too_soon(again_at: DateTime<Utc>, now: DateTime<Utc>) -> Problem {
    let seconds = (again_at - now).num_seconds() + 1;
    let title = "The contact was sent a test page just before";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "test-page-sent", title)
        .detail(format!(
            "A contact gets one test page in {} minutes. Try again after {again_at}.",
            TEST_PAGE_EVERY.num_minutes()
        ))
        .header(RETRY_AFTER, seconds.into())
}

fn turn(name: &RotaName, rota: &Rota, at: DateTime<Utc>) -> Turn {
    let shift = rota.shift(at);
    Turn {
        name: name.clone(),
        on_call: shift.as_ref().map(|shift| shift.who.clone()),
        from: shift.as_ref().map(|shift| shift.from),
        to: shift.as_ref().map(|shift| shift.to),
    }
}
