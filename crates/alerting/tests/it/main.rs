//! Alerting from outside: events in over the real bus and a real database, pages out to a receiver of webhooks.

mod alarm;
mod delivery;
mod down;
mod events;
mod harness;
mod http;
mod overlooked;
mod people;
mod reports;
mod retention;
mod signed;
mod silence;
