//! A process that is not ready says so once in its log, however often it is asked.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command};

use lasegue_testkit::installation::free_address;
use lasegue_testkit::wait::eventually;
use reqwest::StatusCode;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

/// A front door whose services are all away.
struct Door(Child);

impl Door {
    fn open(folder: &Path, address: &str) -> Self {
        let made = Command::new(BINARY).arg("secrets").arg(folder).output().expect("the binary was built");
        assert!(made.status.success(), "{made:?}");
        let services = ["intake", "assessment", "scheduling", "alerting"];
        let services = services.map(|service| format!("{service} = \"http://{}\"", free_address())).join("\n");
        let config = folder.join("lasegue.toml");
        let servers = "[nats]\nurl = \"nats://127.0.0.1:1\"\n[postgres]\nurl = \"postgres://127.0.0.1:1/lasegue\"";
        fs::write(&config, format!("{servers}\n[services]\n{services}")).expect("the folder takes a file");
        let mut door = Command::new(BINARY);
        door.args(["run", "web", "--listen", address, "--config"]).arg(config);
        door.env("LASEGUE_SECRETS", folder.join("web")).env("LASEGUE_TOKENS", folder.join("tokens"));
        door.stderr(File::create(folder.join("log")).expect("the folder takes a file"));
        Self(door.spawn().expect("the binary was built"))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn readiness(address: &str) -> Option<StatusCode> {
    Some(reqwest::get(format!("http://{address}/readyz")).await.ok()?.status())
}

#[tokio::test]
async fn what_is_not_ready_is_logged_once_and_not_with_every_health_check() {
    lasegue_platform::tls::install();
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let address = free_address();
    let _door = Door::open(folder.path(), &address);
    eventually("it answers", || async { readiness(&address).await.is_some() }).await;
    for _ in 0..3 {
        assert_eq!(readiness(&address).await, Some(StatusCode::SERVICE_UNAVAILABLE));
    }
    let log = fs::read_to_string(folder.path().join("log")).expect("it was made");
    let told: Vec<_> = log.lines().filter(|line| line.contains("not ready")).collect();
    assert!(told.len() == 1 && told[0].contains("intake"), "{log}");
    assert!(!log.contains("a request failed"), "{log}");
}
