//! Who is on call, and whether pages reach them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lasegue_platform::http::{Problem, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::broken;
use crate::ids::{ContactName, RotaName};
use crate::rota::Rota;
use crate::service::Alerting;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// Now, when left out.
    at: Option<DateTime<Utc>>,
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
    let at = when.at.unwrap_or_else(|| alerting.now());
    let rotas = alerting.on_call().rotas().map(|(name, rota)| turn(name, rota, at)).collect();
    Ok(Json(OnCallAt { at, rotas }))
}

/// `POST /api/v1/on-call/contacts/{name}/test`: 202 with the page's id.
pub(super) async fn test(
    State(alerting): State<Arc<Alerting>>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let page = alerting.test_page(ContactName(name)).await.map_err(broken)?;
    let page = page.ok_or_else(|| Problem::not_found("The on-call set-up has no contact of this name."))?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "page_id": page, "reference": page.reference() }))))
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
