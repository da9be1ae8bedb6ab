//! Replicas on one PostgreSQL, each doing at the same moment what only one of them can do.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use futures_util::future::join_all;
use lasegue_platform::auth::Role;
use lasegue_platform::store::{StoreError, Unit};
use lasegue_protocol::Protocol;
use lasegue_testkit::wait::pause;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::ward::Ward;

/// Replicas that start at once.
const REPLICAS: usize = 4;
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

/// Lets nobody write a protocol until so many are about to, or a machine that is too busy for that has had some seconds:
/// nobody waits for a lock as long as for a server that fell silent.
async fn hold_until(unit: &mut Unit, all_are_there: usize, held: oneshot::Sender<()>) -> Result<(), StoreError> {
    unit.db().execute_unprepared("LOCK TABLE protocols IN SHARE MODE").await?;
    let _ = held.send(());
    let sql = "SELECT count(*) AS waiting FROM pg_locks WHERE relation = 'protocols'::regclass AND NOT granted";
    for _ in 0..300 {
        let waiting = unit.db().query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        let waiting: i64 = waiting.expect("a row").try_get("", "waiting")?;
        if usize::try_from(waiting) == Ok(all_are_there) {
            break;
        }
        pause(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_on_a_new_database_all_start_and_agree_on_the_protocol() {
    let ward = Ward::on_postgres(0).await;
    let (held, all_wait) = oneshot::channel();
    let holding = ward.store.commit::<_, StoreError, _>(move |unit| Box::pin(hold_until(unit, REPLICAS, held)));
    let start = async {
        all_wait.await.expect("nobody else writes");
        join_all((0..REPLICAS).map(|_| ward.wake())).await
    };
    tokio::join!(holding, start).0.expect("the protocols can be held");
    let sql = "SELECT sha256 FROM protocols WHERE state = 'active'";
    let rows = ward.store.reader().query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
    let active = rows.expect("readable").into_iter().map(|row| row.try_get("", "sha256").expect("a hash"));
    assert_eq!(active.collect::<Vec<String>>(), [Protocol::embedded().reference().sha256.clone()]);
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
