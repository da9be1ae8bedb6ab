//! The front door: passes each call of the interface on to the process of the service that answers it, unchanged.
//!
//! Who may do what is decided there, not here; the door only knows the way. It passes on no answer but that of the
//! service it asked, and asks another replica when one is silent and the call is safe to repeat.

mod body;
mod headers;
mod missed;
mod remote;
mod replicas;
mod way;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use lasegue_contracts::Service;
use lasegue_contracts::routes::ROUTES;
use lasegue_platform::http::{Health, Problem, Routes};

pub use self::remote::{Remote, RemoteError};
use self::replicas::Lookup;
use self::way::{Patience, Way};

/// The services without which a report pages nobody.
const PAGING: [Service; 3] = [Service::Intake, Service::Assessment, Service::Alerting];

/// Routes that pass calls on to `remotes`, by the table of the contracts. `health` shows how each of them is: the door is
/// not ready while paging is away, for an answer of 202 would promise it.
pub fn pass_on(remotes: &BTreeMap<Service, Remote>, health: &Health) -> Routes {
    pass_on_with(remotes, health, &replicas::system(), Patience::default())
}

fn pass_on_with(remotes: &BTreeMap<Service, Remote>, health: &Health, lookup: &Lookup, patience: Patience) -> Routes {
    let way = |(service, remote): (&Service, &Remote)| {
        (*service, Arc::new(Way::new(*service, remote.clone(), lookup.clone(), patience)))
    };
    let ways: BTreeMap<_, _> = remotes.iter().map(way).collect();
    for (service, way) in &ways {
        let way = way.clone();
        let asked = move || {
            let way = way.clone();
            async move { way.is_ready().await.map_err(|missed| missed.to_string()) }
        };
        if PAGING.contains(service) {
            health.check(service.name(), asked);
        } else {
            health.watch(service.name(), asked);
        }
    }
    ROUTES
        .iter()
        .filter_map(|(path, service)| Some((path, ways.get(service)?.clone())))
        .fold(Routes::new(), |routes, (path, way)| routes.elsewhere(path, any(pass).with_state(way)))
}

async fn pass(State(way): State<Arc<Way>>, request: Request) -> Result<Response, Problem> {
    way.pass(request).await
}

#[cfg(test)]
mod tests;
