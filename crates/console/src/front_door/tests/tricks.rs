//! Addresses and headers that are made to be read otherwise behind the door than before it.

use lasegue_contracts::routes::ROUTES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const TARGETS: &[&str] = &[
    "/api/v1/episodes/../../../readyz",
    "/api/v1/episodes/x/../../../../metrics",
    "/api/v1/episodes/..",
    "/api/v1/episodes/.",
    "/api/v1/./episodes",
    "/api/v1//episodes",
    "//api/v1/episodes",
    "/api/v1/episodes//x",
    "/api/v1/episodes/%2e%2e/worklist",
    "/api/v1/episodes/%2E%2E%2freadyz",
    "/api/v1/episodes/x%2frefusals",
    "/api/v1/episodes/x%5crefusals",
    "/api/v1/episodes/x\\..\\..\\readyz",
    "/api/v1/episodes/x;/../../readyz",
    "/api/v1/episodes/x%00",
    "/api/v1/episodes/x%0d%0ahost:%20y",
    "/api/v1/episodes/x?/../../../readyz",
    "/api/v1/episodes/x#/readyz",
    "/api/v1/episodes/%252e%252e/readyz",
    "/api/v1/episodes/x/submissions/../../../../readyz",
    "/%61pi/v1/episodes",
    "/api/v1/episodes/%e0%80%af",
    "http://intake:8080/readyz",
    "http://intake:8080/api/v1/episodes/x",
    "*",
    "readyz",
    "/api/v1/direct/v1/intake",
    "/direct/v1/intake",
];

/// Whether a path is one that the table gives to intake.
fn is_intakes(path: &str) -> bool {
    let parts = |path: &'static str| path.split('/').collect::<Vec<_>>();
    let asked: Vec<_> = path.split('/').collect();
    ROUTES.iter().filter(|(_, service)| *service == Service::Intake).map(|(route, _)| parts(route)).any(|route| {
        let fits = |(part, asked): (&&str, &&str)| {
            if part.starts_with('{') { !asked.is_empty() } else { part == asked }
        };
        route.len() == asked.len() && route.iter().zip(&asked).all(fits)
    })
}

#[tokio::test]
async fn no_address_reaches_anything_behind_the_door_but_what_the_table_names() {
    let (door, _) = door([(Service::Intake, echo().await)]);
    let door = serve(door).await;
    let mut passed = 0;
    for target in TARGETS {
        let mut socket = TcpStream::connect(door.authority().as_str()).await.expect("somebody listens");
        let head = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(head.as_bytes()).await.expect("it goes out");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("an answer");
        let status = answer.split(' ').nth(1).expect("a status");
        if status != "418" {
            // What the door has itself it may show.
            assert!(["200", "400", "404"].contains(&status), "{target}: {answer}");
            continue;
        }
        let told = answer.lines().find_map(|line| line.strip_prefix("told: GET ")).expect("what the service was asked");
        let path = told.split([' ', '?']).next().expect("a path");
        assert!(is_intakes(path), "{target} reached {path}");
        passed += 1;
    }
    assert!(passed > 0, "some are only strange, and reach their service");
}
