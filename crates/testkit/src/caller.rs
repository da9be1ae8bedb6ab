//! Whoever calls the HTTP interface of an installation, and what they send.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::wait::pause;

/// A caller with a token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where the installation listens.
    pub url: String,
    /// For calls with another token, or none.
    pub http: reqwest::Client,
    token: String,
}

impl Caller {
    /// Somebody who calls `url` with `token`.
    ///
    /// # Panics
    /// When no client can be made.
    pub fn new(url: impl Into<String>, token: impl Into<String>) -> Self {
        lasegue_platform::tls::install();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client can be made");
        Self { url: url.into(), http, token: token.into() }
    }

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
    /// When the installation does not answer, or with a failure of its own.
    pub async fn register(&self) -> Result<String, reqwest::Error> {
        let answer = self.post("/episodes", &registration()).send().await?.error_for_status()?;
        let body: Value = answer.json().await?;
        Ok(body["id"].as_str().expect("an id").to_owned())
    }

    /// Sends a submission under an idempotency key.
    ///
    /// # Errors
    /// When the installation does not answer.
    pub async fn submit(&self, episode: &str, key: &str, body: &Value) -> Result<Response, reqwest::Error> {
        self.post(&format!("/episodes/{episode}/submissions"), body).header("idempotency-key", key).send().await
    }

    /// The JSON at `path`.
    ///
    /// # Panics
    /// When there is none.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).send().await.expect("the installation answers");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.expect("a JSON body")
    }

    /// Waits until the process at `url` says that it can do its work.
    ///
    /// # Panics
    /// With what `why` gives, when it does not within a minute.
    pub async fn ready(&self, url: &str, why: impl Fn() -> String) {
        for _ in 0..6_000 {
            if let Ok(answer) = self.http.get(format!("{url}/readyz")).send().await
                && answer.status() == StatusCode::OK
            {
                return;
            }
            pause(Duration::from_millis(10)).await;
        }
        panic!("the process never became ready: {}", why());
    }
}

/// A body for registering a synthetic patient.
pub fn registration() -> Value {
    let record = case();
    json!({ "patient": record["patient"], "episode": record["episode"], "contact": { "name": "Testa Syntheta" } })
}

/// A whole record for an import, calm and of its own patient.
pub fn import_record(id: &str) -> Value {
    let mut record = case();
    record["patient"]["id"] = json!(id);
    record["episode"]["id"] = json!(id);
    record
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
