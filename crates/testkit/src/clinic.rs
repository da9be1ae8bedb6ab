//! A running `lasegue up` in a folder of its own, with a pager at the other end, that a test may kill and start again.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::pager::Pager;
use crate::wait::pause;

/// The secret that the pager and the configuration share.
const SECRET: &str = "an-end-to-end-secret";

/// A clinic: the binary, its data folder, its pager.
#[derive(Debug)]
pub struct Clinic {
    binary: PathBuf,
    folder: TempDir,
    /// The pager of the one contact.
    pub pager: Pager,
    url: String,
    child: Child,
    http: reqwest::Client,
    token: String,
}

impl Clinic {
    /// A clinic in an empty folder, run by `binary`, ready to be used.
    ///
    /// # Panics
    /// When the binary does not become ready: the test cannot go on.
    pub async fn open(binary: impl Into<PathBuf>) -> Self {
        let binary = binary.into();
        lasegue_platform::tls::install();
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let pager = Pager::start(SECRET).await;
        std::fs::write(config_path(folder.path()), configuration(&pager)).expect("the folder takes a file");
        let address = free_address();
        let child = spawn(&binary, folder.path(), &address);
        let token = token(&binary, folder.path(), "clinician");
        let clinic = Self { binary, folder, pager, url: format!("http://{address}"), child, http: client(), token };
        clinic.ready().await;
        clinic
    }

    /// The process dies at once, as if the power went.
    ///
    /// # Panics
    /// When it is dead already.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process runs");
        self.child.wait().expect("a killed process ends");
    }

    /// The process starts again on the same folder.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start_again(&mut self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        self.child = spawn(&self.binary, self.folder.path(), &address);
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

    /// Somebody with a clinician's token.
    pub fn caller(&self) -> Caller {
        Caller { url: self.url.clone(), http: self.http.clone(), token: self.token.clone() }
    }

    /// A token of another role.
    pub fn token_for(&self, role: &str) -> String {
        token(&self.binary, self.folder.path(), role)
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
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
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where the clinic listens.
    pub url: String,
    /// For calls with another token, or none.
    pub http: reqwest::Client,
    token: String,
}

impl Caller {
    /// A reading call to `path` below `/api/v1`.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}/api/v1{path}", self.url)).bearer_auth(&self.token)
    }

    /// A writing call to `path` below `/api/v1`.
    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}/api/v1{path}", self.url)).bearer_auth(&self.token).json(body)
    }

    /// Registers a synthetic patient and gives the episode's id.
    ///
    /// # Errors
    /// When the process does not answer.
    pub async fn register(&self) -> Result<String, reqwest::Error> {
        let answer = self.post("/episodes", &registration()).send().await?;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let body: Value = answer.json().await?;
        Ok(body["id"].as_str().expect("an id").to_owned())
    }

    /// Sends a submission under an idempotency key.
    ///
    /// # Errors
    /// When the process does not answer.
    pub async fn submit(&self, episode: &str, key: &str, body: &Value) -> Result<Response, reqwest::Error> {
        self.post(&format!("/episodes/{episode}/submissions"), body).header("idempotency-key", key).send().await
    }

    /// The JSON at `path`.
    ///
    /// # Panics
    /// When there is none.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).send().await.expect("the process answers");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.expect("a JSON body")
    }
}

/// A body for registering a synthetic patient.
pub fn registration() -> Value {
    let record = case();
    json!({ "patient": record["patient"], "episode": record["episode"], "contact": { "name": "Testa Syntheta" } })
}

/// A visit at which nothing is wrong.
pub fn calm_visit(id: &str) -> Value {
    let mut visit = case()["submissions"][0].clone();
    visit["id"] = json!(id);
    if let Some(fields) = visit.as_object_mut() {
        fields.remove("received_at");
    }
    visit
}

/// A visit at which the patient reports numbness of the saddle area.
pub fn saddle_visit(id: &str) -> Value {
    let mut visit = calm_visit(id);
    visit["cauda_equina"]["saddle_sensation"] = json!("yes");
    visit
}

fn case() -> Value {
    let case: Value = serde_json::from_str(include_str!("../../protocol/tests/cases/01-unremarkable.json"))
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

fn spawn(binary: &Path, folder: &Path, address: &str) -> Child {
    Command::new(binary)
        .args(["up", "--listen", address, "--data"])
        .arg(data_path(folder))
        .arg("--config")
        .arg(config_path(folder))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built")
}

fn token(binary: &Path, folder: &Path, role: &str) -> String {
    let output = Command::new(binary)
        .args(["token", "--role", role, "--data"])
        .arg(data_path(folder))
        .output()
        .expect("the binary was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a token is text").trim().to_owned()
}

/// An address of this test's own. Below the ports that the system gives to outgoing connections, so that none of them
/// takes it while the process is down.
fn free_address() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % 1_000).unwrap_or_default() * 10;
    (0..10_000_u16)
        .map(|_| 20_000 + (own + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000)
        .map(|port| format!("127.0.0.1:{port}"))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("the machine has a free port")
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client can be made")
}
