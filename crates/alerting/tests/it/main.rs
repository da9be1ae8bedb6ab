//! Alerting from outside: events in over the real bus and a real database, pages out to a receiver of webhooks.

mod delivery;
mod events;
mod harness;
mod http;
mod overlooked;
mod reports;
