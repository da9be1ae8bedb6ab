//! Which service answers where: the one table behind the front door.

use crate::event::Service;

/// Every address of the interface, with `{name}` for one part of it, and the service that answers there.
pub static ROUTES: &[(&str, Service)] = &[
    ("/api/v1/episodes", Service::Intake),
    ("/api/v1/episodes/{id}", Service::Intake),
    ("/api/v1/episodes/{id}/submissions", Service::Intake),
    ("/api/v1/episodes/{id}/refusals", Service::Intake),
    ("/api/v1/episodes/{id}/adjudications", Service::Intake),
    ("/api/v1/imports", Service::Intake),
    ("/api/v1/episodes/{id}/assessment", Service::Assessment),
    ("/api/v1/protocols", Service::Assessment),
    ("/api/v1/protocols/{sha256}", Service::Assessment),
    ("/api/v1/protocols/{sha256}/activate", Service::Assessment),
    ("/api/v1/reviews", Service::Assessment),
    ("/api/v1/episodes/{id}/schedule", Service::Scheduling),
    ("/api/v1/worklist", Service::Scheduling),
    ("/api/v1/alerts", Service::Alerting),
    ("/api/v1/alerts/{id}", Service::Alerting),
    ("/api/v1/alerts/{id}/accept", Service::Alerting),
    ("/api/v1/alerts/{id}/decline", Service::Alerting),
    ("/api/v1/alerts/{id}/hand-over", Service::Alerting),
    ("/api/v1/alerts/{id}/extend", Service::Alerting),
    ("/api/v1/alerts/{id}/dispose", Service::Alerting),
    ("/api/v1/on-call", Service::Alerting),
    ("/api/v1/on-call/contacts/{name}/test", Service::Alerting),
];
