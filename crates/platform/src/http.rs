//! HTTP as every service offers it: guarded routes, problem documents for every failure, limits, drained at the end.

mod address;
pub mod dead_letters;
pub mod extract;
mod failed;
pub mod health;
mod listener;
mod names;
mod peer;
pub mod problem;
mod request;
mod room;
mod routes;
mod server;

pub use self::extract::{Body, EpisodeId, IdempotencyKey, Instant, Query};
pub use self::failed::failed;
pub use self::health::Health;
pub use self::listener::{Rooms, serve};
pub use self::names::{SERVICE, named};
pub use self::peer::{PEER, Peer};
pub use self::problem::Problem;
pub(crate) use self::request::known;
pub use self::request::{REQUEST_ID, RequestId};
pub use self::routes::Routes;
pub use self::server::{Front, Limits};
