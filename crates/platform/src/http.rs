//! HTTP as every service offers it: guarded routes, problem documents for every failure, limits, drained at the end.

pub mod extract;
pub mod health;
mod names;
pub mod problem;
mod request;
mod routes;
mod server;

pub use self::extract::{Body, EpisodeId, IdempotencyKey, Query};
pub use self::health::Health;
pub use self::names::{SERVICE, named};
pub use self::problem::Problem;
pub use self::request::{REQUEST_ID, RequestId};
pub use self::routes::Routes;
pub use self::server::{Front, Limits, serve};
