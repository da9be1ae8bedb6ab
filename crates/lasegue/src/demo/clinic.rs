//! The demo's clinic: synthetic patients that went through the real import, and calls on their behalf.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use lasegue_platform::clock::SharedClock;
use lasegue_platform::tls;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::stories::Story;
use crate::sample;

/// The seed of the demo's patients: always the same.
const SEED: u64 = 1;
/// How long the import may take to be assessed.
const ASSESSED_WITHIN: Duration = Duration::from_mins(2);

/// Who calls: the record system, and the person on call.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) system: String,
    pub(crate) clinician: String,
}

/// A patient of the clinic.
#[derive(Debug)]
pub(super) struct Patient {
    pub(super) number: usize,
    episode: String,
    last_visit: Value,
}

/// What intake answered.
#[derive(Debug)]
pub(super) enum Answer {
    Accepted,
    /// With everything that was wrong.
    Refused(String),
}

/// The clinic.
#[derive(Debug)]
pub(super) struct Clinic {
    url: String,
    tokens: Tokens,
    http: Client,
    patients: Vec<Patient>,
    visits: usize,
}

impl Clinic {
    /// Imports `count` patients and waits until each has a plan.
    pub(super) async fn fill(url: String, tokens: Tokens, count: usize, clock: &SharedClock) -> anyhow::Result<Self> {
        let records: Vec<_> = sample::records(SEED, count, clock.now()).collect();
        let http = tls::client(|| Client::builder().timeout(Duration::from_mins(1)))?;
        let mut clinic = Self { url, tokens, http, patients: Vec::with_capacity(count), visits: 0 };
        let lines = records.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let answer = clinic.post("/imports", &clinic.tokens.system).body(lines).send().await?;
        let outcomes = checked(answer).await?.text().await?;
        for (number, (record, outcome)) in records.iter().zip(outcomes.lines()).enumerate() {
            clinic.take(number + 1, record, &serde_json::from_str(outcome)?)?;
        }
        clinic.assessed(count, clock).await?;
        Ok(clinic)
    }

    fn take(&mut self, number: usize, record: &Value, outcome: &Value) -> anyhow::Result<()> {
        let episode =
            outcome["episode"].as_str().with_context(|| format!("the import refused a patient: {outcome}"))?;
        let visits = record["submissions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let last_visit = visits.last().cloned().unwrap_or_default();
        self.visits += visits.len();
        self.patients.push(Patient { number, episode: episode.to_owned(), last_visit });
        Ok(())
    }

    /// Waits until the worklist holds every patient.
    async fn assessed(&self, count: usize, clock: &SharedClock) -> anyhow::Result<()> {
        let end = clock.now() + ASSESSED_WITHIN;
        while clock.now() < end {
            if self.worklist().await?.len() >= count {
                return Ok(());
            }
            clock.sleep(Duration::from_millis(100)).await;
        }
        bail!("the import was not assessed within {} s: see the log", ASSESSED_WITHIN.as_secs())
    }

    async fn worklist(&self) -> anyhow::Result<Vec<Value>> {
        let answer = self.get("/worklist?limit=500").await?;
        Ok(answer["entries"].as_array().cloned().unwrap_or_default())
    }

    /// How many patients wait for which kind of visit.
    pub(super) async fn kinds(&self) -> anyhow::Result<BTreeMap<String, usize>> {
        let mut kinds = BTreeMap::new();
        for entry in self.worklist().await? {
            *kinds.entry(entry["kind"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        Ok(kinds)
    }

    pub(super) fn patients(&self) -> impl Iterator<Item = &Patient> {
        self.patients.iter()
    }

    pub(super) fn visits(&self) -> usize {
        self.visits
    }

    /// Sends what a story tells.
    pub(super) async fn send(&self, patient: &Patient, story: &Story, at: DateTime<Utc>) -> anyhow::Result<Answer> {
        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let visit = story.submission(&patient.last_visit, "demo", &at);
        let path = format!("/episodes/{}/submissions", patient.episode);
        let request = self.post(&path, &self.tokens.system).header("idempotency-key", &at).json(&visit);
        let answer = request.send().await?;
        if answer.status() == StatusCode::UNPROCESSABLE_ENTITY {
            return Ok(Answer::Refused(faults(&answer.json().await?)));
        }
        checked(answer).await?;
        Ok(Answer::Accepted)
    }

    /// Accepts every open alert of a patient, as the person on call.
    pub(super) async fn accept(&self, patient: &Patient) -> anyhow::Result<()> {
        let open = self.get("/alerts?state=open&limit=500").await?;
        let alerts = open["alerts"].as_array().map(Vec::as_slice).unwrap_or_default();
        for alert in alerts.iter().filter(|alert| alert["episode_id"] == patient.episode.as_str()) {
            let path = format!("/alerts/{}/accept", alert["id"].as_str().unwrap_or_default());
            let seen = json!({ "revision": alert["revision"] });
            checked(self.post(&path, &self.tokens.clinician).json(&seen).send().await?).await?;
        }
        Ok(())
    }

    fn post(&self, path: &str, token: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}/api/v1{path}", self.url)).bearer_auth(token)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.http.get(format!("{}/api/v1{path}", self.url)).bearer_auth(&self.tokens.clinician);
        Ok(checked(request.send().await?).await?.json().await?)
    }
}

async fn checked(answer: Response) -> anyhow::Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let text = answer.text().await.unwrap_or_default();
    bail!("the process answered {status}: {text}")
}

fn faults(problem: &Value) -> String {
    let faults = problem["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
    let lines = faults.iter().map(|fault| {
        format!("{} {}", fault["pointer"].as_str().unwrap_or_default(), fault["reason"].as_str().unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join("; ")
}
