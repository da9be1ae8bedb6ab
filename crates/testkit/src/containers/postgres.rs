//! A PostgreSQL server with durable commits.

use testcontainers::ImageExt;
use testcontainers::core::WaitFor;
use testcontainers::core::wait::LogWaitStrategy;

use super::Server;

/// The tag that `deploy/` uses.
const TAG: &str = "15-bookworm";
/// The superuser's password: the server listens to this machine alone and lives as long as one test.
const PASSWORD: &str = "for-tests-only";

/// A running PostgreSQL server.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
}

impl Postgres {
    /// Starts it, with `init` run once as the superuser.
    ///
    /// # Panics
    /// When it does not start: the message names the script that makes its image.
    pub async fn start(init: &str) -> Self {
        // The server that runs `init` says so first, then the one that listens.
        let ready = LogWaitStrategy::stderr("database system is ready to accept connections").with_times(2);
        let server = Server::start(("postgres", TAG), 5432, WaitFor::log(ready), |request| {
            request
                .with_env_var("POSTGRES_PASSWORD", PASSWORD)
                .with_env_var("POSTGRES_DB", "lasegue")
                .with_copy_to("/docker-entrypoint-initdb.d/init.sql", init.as_bytes().to_vec())
        });
        Self { server: server.await }
    }

    /// The address of `database` for the superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_as("postgres", PASSWORD, database)
    }

    /// The address of `database` for `role`.
    pub fn url_as(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}", self.server.port)
    }

    /// Kills it and starts it again.
    pub async fn restart(&self) {
        self.server.kill().await;
        self.server.start_again().await;
    }
}
