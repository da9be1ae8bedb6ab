//! A PostgreSQL server with the roles, schemas and limits of `deploy/postgres/`.

use std::fs;
use std::path::Path;

use lasegue_contracts::Service;
use testcontainers::ImageExt;
use testcontainers::core::WaitFor;

use super::Server;
use crate::wait::eventually;

/// The tag that `deploy/` uses.
const TAG: &str = "15-bookworm";
/// Everybody's password: the server listens to this machine alone and lives as long as one test.
const PASSWORD: &str = "for-tests-only";
/// The database that the server starts with; tests work in copies of it.
const TEMPLATE: &str = "lasegue";

/// A running PostgreSQL server.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
}

impl Postgres {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not start: the message names the script that makes its image.
    pub async fn start() -> Self {
        Self::with(|_| PASSWORD.as_bytes().to_vec()).await
    }

    /// Starts it with the passwords of `secrets`, made by `lasegue secrets`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn guarded(secrets: &Path) -> Self {
        let folder = secrets.join("postgres");
        Self::with(|service| fs::read(folder.join(format!("postgres-{service}"))).expect("the secrets were made")).await
    }

    async fn with(password: impl Fn(Service) -> Vec<u8>) -> Self {
        // The server that runs the script says so on its standard output, the one that listens on its error output.
        let ready = WaitFor::message_on_stderr("database system is ready to accept connections");
        let server = Server::start(("postgres", TAG), 5432, ready, |request| {
            let init = include_bytes!("../../../../deploy/postgres/init.sql").to_vec();
            let limits = include_bytes!("../../../../deploy/postgres/limits.sql").to_vec();
            let request = request
                .with_env_var("POSTGRES_PASSWORD", PASSWORD)
                .with_env_var("POSTGRES_DB", TEMPLATE)
                .with_copy_to("/docker-entrypoint-initdb.d/init.sql", init)
                .with_copy_to("/docker-entrypoint-initdb.d/limits.sql", limits);
            Service::ALL.into_iter().fold(request, |request, service| {
                request.with_copy_to(format!("/run/secrets/postgres-{service}"), password(service))
            })
        });
        Self { server: server.await }
    }

    /// A standby of it, which everything that it acknowledges reaches first.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn standby(&self) -> Self {
        let let_in = "echo 'host replication all all scram-sha-256' >>\"$PGDATA/pg_hba.conf\"";
        self.server.docker(&["exec"], &["sh", "-c", let_in]).await;
        self.set("synchronous_standby_names = '*'").await;
        let copy = format!(
            "pg_basebackup --host={} --username=postgres --checkpoint=fast --write-recovery-conf --pgdata=\"$PGDATA\" \
             && exec docker-entrypoint.sh postgres -c synchronous_standby_names=",
            self.server.inside().await
        );
        let ready = WaitFor::message_on_stderr("database system is ready to accept read-only connections");
        let server = Server::start(("postgres", TAG), 5432, ready, |request| {
            request.with_env_var("PGPASSWORD", PASSWORD).with_cmd(["sh", "-c", &copy])
        });
        let standby = Self { server: server.await };
        let follows = || async { self.query("SELECT sync_state FROM pg_stat_replication").await.trim() == "sync" };
        eventually("the standby follows", follows).await;
        standby
    }

    /// Makes a standby the primary.
    pub async fn promote(&self) {
        self.run(TEMPLATE, "SELECT pg_promote()").await;
    }

    /// Every transaction that begins from now on can only read.
    pub async fn refuse_writes(&self) {
        self.set("default_transaction_read_only = on").await;
    }

    /// Transactions can write again after [`Postgres::refuse_writes`].
    pub async fn take_writes(&self) {
        self.set("default_transaction_read_only = off").await;
    }

    /// Changes a setting of the server.
    async fn set(&self, setting: &str) {
        self.run(TEMPLATE, &format!("ALTER SYSTEM SET {setting}")).await;
        self.run(TEMPLATE, "SELECT pg_reload_conf()").await;
    }

    /// Where `port` leads to it, with the database that every service's schema is in.
    pub fn address_at(port: u16) -> String {
        format!("postgres://127.0.0.1:{port}/{TEMPLATE}")
    }

    /// The port on which it listens.
    pub const fn port(&self) -> u16 {
        self.server.port
    }

    /// Makes an empty `database` with every service's schema.
    pub async fn make(&self, database: &str) {
        self.server.docker(&["exec"], &["createdb", "--username=postgres", "--template", TEMPLATE, database]).await;
    }

    /// Runs `sql` in `database` as the superuser.
    pub async fn run(&self, database: &str, sql: &str) {
        self.server.docker(&["exec"], &["psql", "--username=postgres", "--quiet", database, "--command", sql]).await;
    }

    /// What `sql` finds in the database with every service's schema: a line for each row, `|` between its columns.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn query(&self, sql: &str) -> String {
        let arguments = ["psql", "--username=postgres", "--tuples-only", "--no-align", TEMPLATE, "--command", sql];
        self.server.answer(&arguments).await
    }

    /// Dumps what `service` has in the database with every service's schema, for [`Postgres::restore`].
    pub async fn dump(&self, service: Service) {
        let (schema, file) = (format!("--schema={service}"), format!("--file=/tmp/{service}.dump"));
        let arguments = ["pg_dump", "--username=postgres", "--format=custom", &schema, &file, TEMPLATE];
        self.server.docker(&["exec"], &arguments).await;
    }

    /// Puts what was dumped of `service` in the place of what is there. None of its processes may run.
    pub async fn restore(&self, service: Service) {
        self.run(TEMPLATE, &format!("DROP SCHEMA {service} CASCADE")).await;
        let (database, file) = (format!("--dbname={TEMPLATE}"), format!("/tmp/{service}.dump"));
        let arguments = ["pg_restore", "--username=postgres", "--exit-on-error", &database, &file];
        self.server.docker(&["exec"], &arguments).await;
    }

    /// The address of `database` for `service`'s role.
    pub fn url(&self, service: Service, database: &str) -> String {
        format!("postgres://{service}:{PASSWORD}@127.0.0.1:{}/{database}", self.server.port)
    }

    /// Kills it and starts it again.
    pub async fn restart(&self) {
        self.server.kill().await;
        self.server.start_again().await;
    }
}
