//! A running `lasegue up` in a folder of its own, with a pager at the other end, that a test may kill and start again.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lasegue_testkit::pager::Pager;
use lasegue_testkit::wait::pause;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The secret that the pager and the configuration share.
const SECRET: &str = "an-end-to-end-secret";

/// A clinic: the binary, its data folder, its pager.
pub(crate) struct Clinic {
    folder: TempDir,
    pub(crate) pager: Pager,
    url: String,
    child: Child,
    http: reqwest::Client,
    token: String,
}

impl Clinic {
    /// A clinic in an empty folder, ready to be used.
    pub(crate) async fn open() -> Self {
        lasegue_platform::tls::install();
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let pager = Pager::start(SECRET).await;
        std::fs::write(config_path(folder.path()), configuration(&pager)).expect("the folder takes a file");
        let address = free_address();
        let child = spawn(folder.path(), &address);
        let token = token(folder.path(), "clinician");
        let clinic = Self { folder, pager, url: format!("http://{address}"), child, http: client(), token };
        clinic.ready().await;
        clinic
    }

    /// The process dies at once, as if the power went.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the process runs");
        self.child.wait().expect("a killed process ends");
    }

    /// The process starts again on the same folder.
    pub(crate) async fn start_again(&mut self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        self.child = spawn(self.folder.path(), &address);
        self.ready().await;
    }

    async fn ready(&self) {
        for _ in 0..600 {
            if let Ok(answer) = self.http.get(format!("{}/readyz", self.url)).send().await
                && answer.status() == StatusCode::OK
            {
                return;
            }
            pause(Duration::from_millis(10)).await;
        }
        panic!("the process never became ready");
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller { url: self.url.clone(), http: self.http.clone(), token: self.token.clone() }
    }

    pub(crate) fn token_for(&self, role: &str) -> String {
        token(self.folder.path(), role)
    }

    pub(crate) fn data(&self) -> PathBuf {
        data_path(self.folder.path())
    }
}

impl Drop for Clinic {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whoever calls the HTTP interface.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    token: String,
}

impl Caller {
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}/api/v1{path}", self.url)).bearer_auth(&self.token)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}/api/v1{path}", self.url)).bearer_auth(&self.token).json(body)
    }

    /// Registers a synthetic patient and gives the episode's id.
    pub(crate) async fn register(&self) -> Result<String, reqwest::Error> {
        let answer = self.post("/episodes", &registration()).send().await?;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let body: Value = answer.json().await?;
        Ok(body["id"].as_str().expect("an id").to_owned())
    }

    pub(crate) async fn submit(&self, episode: &str, key: &str, body: &Value) -> Result<Response, reqwest::Error> {
        self.post(&format!("/episodes/{episode}/submissions"), body).header("idempotency-key", key).send().await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).send().await.expect("the process answers");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.expect("a JSON body")
    }
}

/// A body for registering a synthetic patient.
pub(crate) fn registration() -> Value {
    let record = case();
    json!({ "patient": record["patient"], "episode": record["episode"], "contact": { "name": "Testa Syntheta" } })
}

/// A visit at which nothing is wrong.
pub(crate) fn calm_visit(id: &str) -> Value {
    let mut visit = case()["submissions"][0].clone();
    visit["id"] = json!(id);
    if let Some(fields) = visit.as_object_mut() {
        fields.remove("received_at");
    }
    visit
}

/// A visit at which the patient reports numbness of the saddle area.
pub(crate) fn saddle_visit(id: &str) -> Value {
    let mut visit = calm_visit(id);
    visit["cauda_equina"]["saddle_sensation"] = json!("yes");
    visit
}

fn case() -> Value {
    let case: Value = serde_json::from_str(include_str!("../../crates/protocol/tests/cases/01-unremarkable.json"))
        .expect("a golden case is JSON");
    case["record"].clone()
}

fn configuration(pager: &Pager) -> String {
    format!(
        r#"
[[contact]]
name = "consultant-a"
channels = [{{ kind = "webhook", url = "{url}", secret = "{SECRET}" }}]

[[rota]]
name = "spine-on-call"
time_zone = "Europe/London"
members = ["consultant-a"]
hand_over = "weekly"

[[policy]]
name = "default"
steps = [{{ notify = ["rota:spine-on-call"], wait = "10m" }}]
"#,
        url = pager.url()
    )
}

fn config_path(folder: &Path) -> PathBuf {
    folder.join("lasegue.toml")
}

fn data_path(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn spawn(folder: &Path, address: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_lasegue"))
        .args(["up", "--listen", address, "--data"])
        .arg(data_path(folder))
        .arg("--config")
        .arg(config_path(folder))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built")
}

fn token(folder: &Path, role: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lasegue"))
        .args(["token", "--role", role, "--data"])
        .arg(data_path(folder))
        .output()
        .expect("the binary was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a token is text").trim().to_owned()
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the machine has a free port");
    listener.local_addr().expect("a bound socket has an address").to_string()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client can be made")
}
