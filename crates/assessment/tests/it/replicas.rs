//! On PostgreSQL, where units run side by side: what only one of them can do, done by several at the same moment.

use axum::http::{Method, StatusCode};
use futures_util::future::join_all;
use lasegue_platform::auth::Role;
use lasegue_protocol::Protocol;
use serde_json::{Value, json};

use crate::ward::Ward;

const AUTHOR: (&str, Role) = ("owner-a", Role::ProtocolOwner);
const APPROVER: (&str, Role) = ("owner-b", Role::ProtocolOwner);

impl Ward {
    async fn protocols(&self) -> Value {
        self.call(AUTHOR, Method::GET, "/protocols", String::new()).await.1
    }

    /// The hashes of the protocols that are active.
    async fn active(&self) -> Vec<Value> {
        let all = self.protocols().await["protocols"].take();
        let all = all.as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|row| row["state"] == "active").map(|mut row| row["sha256"].take()).collect()
    }

    async fn brought(&self, toml: String) -> String {
        let (status, body) = self.call(AUTHOR, Method::POST, "/protocols", toml).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["sha256"].as_str().expect("a hash").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn protocols_that_are_activated_at_once_are_activated_one_after_the_other() {
    let ward = Ward::on_postgres(1).await;
    let mild = "[thresholds.residual]\nvalue = 200";
    assert!(Protocol::embedded_text().contains(mild), "the protocol's residual is 200 mL");
    let mut hashes = Vec::new();
    for residual in 100..108 {
        let strict = format!("[thresholds.residual]\nvalue = {residual}");
        hashes.push(ward.brought(Protocol::embedded_text().replacen(mild, &strict, 1)).await);
    }
    let answers = join_all(hashes.iter().map(|sha256| {
        let approval = json!({ "backtest": "6000 records, 12 with other findings" }).to_string();
        let path = format!("/protocols/{sha256}/activate");
        let ward = &ward;
        async move { ward.call(APPROVER, Method::POST, &path, approval).await }
    }));
    for (status, problem) in answers.await {
        assert_eq!(status, StatusCode::NO_CONTENT, "{problem}");
    }
    let activations = ward.protocols().await["activations"].take();
    assert_eq!(activations.as_array().map(Vec::len), Some(hashes.len()), "each is written down: {activations}");
    assert_eq!(ward.active().await, [activations[0]["sha256"].clone()], "the last one holds");
}
