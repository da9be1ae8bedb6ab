//! A body that begins and does not go on, at every address of the interface.

use std::collections::BTreeSet;

use lasegue_contracts::routes::ROUTES;
use lasegue_testkit::installation::{Clinic, Installation};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const METHODS: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];
const ROLES: [&str; 6] = ["clinician", "coordinator", "system", "auditor", "operator", "protocol-owner"];
/// What is asked by the address alone: the body is not read.
const BODILESS: [&str; 2] = ["/replay", "/test"];

/// A method that an address answers to, and the token of somebody who may call it.
#[derive(Clone)]
struct Door {
    method: &'static str,
    path: String,
    token: String,
}

impl Door {
    async fn stalls(self, address: String) -> (String, String) {
        let Self { method, path, token } = self;
        let mut socket = TcpStream::connect(&address).await.expect("somebody listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\nidempotency-key: k\r\ncontent-length: 99\r\n\r\n{{ "
        );
        socket.write_all(head.as_bytes()).await.expect("it goes out");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("it answers");
        (format!("{method} {path}"), answer)
    }
}

/// Every address and method that anybody may call.
async fn doors(clinic: &Clinic) -> Vec<Door> {
    let (caller, mut doors) = (clinic.caller(), Vec::new());
    let tokens = ROLES.map(|role| clinic.token_for(role));
    for (route, _) in ROUTES {
        let path = route.replace("{id}", "00000000-0000-4000-8000-000000000000").replace("{name}", "consultant-a");
        let path = path.replace("{sha256}", &"0".repeat(64));
        for method in METHODS {
            for token in &tokens {
                let asked = caller
                    .http
                    .request(Method::from_bytes(method.as_bytes()).expect("one"), format!("{}{path}", caller.url));
                let status = asked.bearer_auth(token).send().await.expect("it answers").status();
                if ![StatusCode::FORBIDDEN, StatusCode::METHOD_NOT_ALLOWED].contains(&status) {
                    doors.push(Door { method, path: path.clone(), token: token.clone() });
                    break;
                }
            }
        }
    }
    doors
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stalls_is_told_so_wherever_one_is_taken() {
    let clinic = crate::clinic().await;
    let doors = doors(&clinic).await;
    let paths: BTreeSet<_> = doors.iter().map(|door| door.path.clone()).collect();
    assert!(paths.len() > 15, "{paths:?}");
    let with_a_body = doors.into_iter().filter(|door| !BODILESS.iter().any(|end| door.path.ends_with(end)));
    let mut stalls: JoinSet<_> = with_a_body.map(|door| door.stalls(clinic.address().to_owned())).collect();
    let mut others = Vec::new();
    while let Some(told) = stalls.join_next().await {
        let (door, answer) = told.expect("no panic");
        if !(answer.starts_with("HTTP/1.1 408 ") && answer.contains("The body did not arrive in time.")) {
            others.push(format!("{door}: {answer}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}
