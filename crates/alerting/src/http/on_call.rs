//! Who is on call.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use lasegue_platform::http::{Problem, Query};
use serde::{Deserialize, Serialize};

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

fn turn(name: &RotaName, rota: &Rota, at: DateTime<Utc>) -> Turn {
    let shift = rota.shift(at);
    Turn {
        name: name.clone(),
        on_call: shift.as_ref().map(|shift| shift.who.clone()),
        from: shift.as_ref().map(|shift| shift.from),
        to: shift.as_ref().map(|shift| shift.to),
    }
}
