//! The real servers, each in a container of its own that a test may kill, start again, or rob of its data.
//!
//! The images bear the tags of `deploy/`. Where they cannot be pulled, `deploy/local-images.sh` makes them.

mod nats;
mod postgres;

use std::process::Stdio;

use testcontainers::core::{ContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};

pub use self::nats::{NATS_NEWEST, NATS_OLDEST, NATS_TOO_OLD, Nats};
pub use self::postgres::Postgres;
use crate::ports;

/// A container with one port, which stays the same when it is started again.
#[derive(Debug)]
struct Server {
    container: ContainerAsync<GenericImage>,
    port: u16,
}

impl Server {
    async fn start(
        image: (&str, &str),
        port: u16,
        ready: WaitFor,
        with: impl FnOnce(ContainerRequest<GenericImage>) -> ContainerRequest<GenericImage>,
    ) -> Self {
        let outside = ports::free();
        let request = GenericImage::new(image.0, image.1)
            .with_exposed_port(ContainerPort::Tcp(port))
            .with_wait_for(ready)
            .with_mapped_port(outside, ContainerPort::Tcp(port));
        let container = with(request).start().await.unwrap_or_else(|error| {
            panic!(
                "no container of {}:{}: run deploy/local-images.sh, which makes its image ({error})",
                image.0, image.1
            )
        });
        Self { container, port: outside }
    }

    /// Ends the server at once, as a power cut would end it.
    async fn kill(&self) {
        self.docker(&["kill"], &[]).await;
    }

    async fn start_again(&self) {
        self.docker(&["start"], &[]).await;
    }

    /// Its address for other containers.
    async fn inside(&self) -> String {
        self.answer(&["hostname", "-i"]).await.trim().to_owned()
    }

    /// What a command in the container prints.
    async fn answer(&self, arguments: &[&str]) -> String {
        let mut command = tokio::process::Command::new("docker");
        let output = command.args(["exec", self.container.id()]).args(arguments).output().await;
        let output = output.expect("docker is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it prints text")
    }

    /// Runs `docker VERB... CONTAINER REST...`.
    async fn docker(&self, verb: &[&str], rest: &[&str]) {
        let mut command = tokio::process::Command::new("docker");
        let ran = command.args(verb).arg(self.container.id()).args(rest).stdout(Stdio::null()).status().await;
        assert!(ran.is_ok_and(|status| status.success()), "docker {} failed", verb.join(" "));
    }
}
