//! Who may do what: every address of the interface, called by everybody with every method, and with filters of any kind.

use std::path::Path;

use futures_util::future::join_all;
use lasegue_contracts::routes::ROUTES;
use lasegue_testkit::caller::Caller;
use lasegue_testkit::installation::Installation;
use reqwest::Method;
use serde_json::Value;

use crate::audit;

/// Everybody who calls; `nobody` has no token.
const CALLERS: [(char, &str); 7] = [
    ('c', "clinician"),
    ('k', "coordinator"),
    ('s', "system"),
    ('a', "auditor"),
    ('o', "operator"),
    ('p', "protocol-owner"),
    ('-', "nobody"),
];

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"];

/// For each address its methods, each with the first letters of those who may call it; `*` is every other method, which
/// does nothing but keep what was sent.
const MAY: &[(&str, &[(&str, &str)])] = &[
    ("/api/v1/episodes", &[("POST", "cks")]),
    ("/api/v1/episodes/{id}", &[("GET", "ckas"), ("PATCH", "cks")]),
    ("/api/v1/episodes/{id}/submissions", &[("*", "cs")]),
    ("/api/v1/episodes/{id}/submissions/misaddressed", &[("*", "cs")]),
    ("/api/v1/episodes/{id}/refusals", &[("GET", "ca")]),
    ("/api/v1/episodes/{id}/adjudications", &[("POST", "cs")]),
    ("/api/v1/imports", &[("POST", "so")]),
    ("/api/v1/episodes/{id}/assessment", &[("GET", "ckas")]),
    ("/api/v1/protocols", &[("GET", "pca"), ("POST", "p")]),
    ("/api/v1/protocols/{sha256}", &[("GET", "pca")]),
    ("/api/v1/protocols/{sha256}/activate", &[("POST", "p")]),
    ("/api/v1/reviews", &[("GET", "ckpas")]),
    ("/api/v1/episodes/{id}/schedule", &[("GET", "ckas")]),
    ("/api/v1/worklist", &[("GET", "ckas")]),
    ("/api/v1/alerts", &[("GET", "ckoas")]),
    ("/api/v1/alerts/{id}", &[("GET", "ckoas")]),
    ("/api/v1/alerts/{id}/accept", &[("POST", "cko")]),
    ("/api/v1/alerts/{id}/take-over", &[("POST", "cko")]),
    ("/api/v1/alerts/{id}/decline", &[("POST", "cko")]),
    ("/api/v1/alerts/{id}/hand-over", &[("POST", "cko")]),
    ("/api/v1/alerts/{id}/extend", &[("POST", "cko")]),
    ("/api/v1/alerts/{id}/dispose", &[("POST", "cko")]),
    ("/api/v1/on-call", &[("GET", "ckoas")]),
    ("/api/v1/on-call/contacts/{name}/test", &[("POST", "cko")]),
    ("/api/v1/dead-letters/{service}", &[("GET", "os")]),
    ("/api/v1/dead-letters/{service}/{id}", &[("GET", "os")]),
    ("/api/v1/dead-letters/{service}/{id}/replay", &[("POST", "os")]),
    ("/api/v1/dead-letters/{service}/{id}/drop", &[("POST", "os")]),
];

/// Headers by which some front doors tell those behind them who calls.
const IDENTITY: [(&str, &str); 10] = [
    ("x-forwarded-user", "dr-a"),
    ("x-remote-user", "dr-a"),
    ("remote-user", "dr-a"),
    ("x-authenticated-user", "dr-a"),
    ("x-user-role", "clinician"),
    ("x-role", "system"),
    ("lasegue-role", "system"),
    ("lasegue-subject", "dr-a"),
    ("lasegue-service", "intake"),
    ("proxy-authorization", "Bearer system"),
];

/// What somebody may be told about a call of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// No such method.
    NoMethod,
    /// Nobody knows them.
    Unknown,
    /// Their role may not.
    Forbidden,
    /// Anything else that is no failure of the service.
    LetIn,
}

/// What the table says to `who` about `method` at the address whose methods are `may`.
fn wanted(may: &[(&str, &str)], method: &str, who: char) -> Told {
    let method = if method == "HEAD" { "GET" } else { method };
    match may.iter().find(|(known, _)| [method, "*"].contains(known)) {
        None => Told::NoMethod,
        Some(_) if who == '-' => Told::Unknown,
        Some((_, roles)) if roles.contains(who) => Told::LetIn,
        Some(_) => Told::Forbidden,
    }
}

fn told(status: u16, any_method: bool) -> Option<Told> {
    match status {
        401 => Some(Told::Unknown),
        403 => Some(Told::Forbidden),
        405 if !any_method => Some(Told::NoMethod),
        ..500 => Some(Told::LetIn),
        _ => None,
    }
}

fn may(route: &str) -> &'static [(&'static str, &'static str)] {
    let named = |pattern: &str| {
        ["intake", "assessment", "scheduling", "alerting"].map(|service| pattern.replace("{service}", service))
    };
    let known = MAY.iter().find(|(pattern, _)| named(pattern).contains(&route.to_owned()));
    known.unwrap_or_else(|| panic!("{route} is not in this table")).1
}

/// An address, with something in each of its places that nothing bears.
fn address(route: &str) -> String {
    let nothing = "00000000-0000-0000-0000-000000000001";
    route.replace("{id}", nothing).replace("{sha256}", &"0".repeat(64)).replace("{name}", "nobody")
}

async fn status(caller: &Caller, method: &str, path: &str, token: Option<&str>) -> u16 {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut request = caller.http.request(method, format!("{}{path}", caller.url)).body("{}");
    request = match token {
        Some(token) => request.bearer_auth(token),
        None => IDENTITY.iter().fold(request, |request, (name, value)| request.header(*name, *value)),
    };
    request.send().await.expect("it answers").status().as_u16()
}

#[tokio::test]
async fn everybody_may_do_with_each_address_what_the_table_says_and_nothing_else() {
    let clinic = crate::clinic().await;
    let caller = clinic.caller();
    let tokens = CALLERS.map(|(_, role)| (role != "nobody").then(|| clinic.token_of(role, "dr-a")));
    let (mut calls, mut wrong) = (0, Vec::new());
    for (route, _) in ROUTES {
        let (may, path) = (may(route), address(route));
        let any_method = may.iter().any(|(method, _)| *method == "*");
        let asked = METHODS
            .iter()
            .flat_map(|method| CALLERS.iter().zip(&tokens).map(move |(who, token)| (*method, who, token)));
        let (caller, path) = (&caller, &path);
        let answers = join_all(asked.map(|(method, who, token)| async move {
            (method, who, status(caller, method, path, token.as_deref()).await)
        }));
        for (method, (letter, role), status) in answers.await {
            calls += 1;
            let wanted = wanted(may, method, *letter);
            if told(status, any_method) != Some(wanted) {
                wrong.push(format!("{role} {method} {route}: {status}, wanted {wanted:?}"));
            }
        }
    }
    println!("{calls} calls of {} addresses", ROUTES.len());
    assert!(wrong.is_empty(), "{} of {calls}:\n{}", wrong.len(), wrong.join("\n"));
    everybody_is_in_the_audit(&clinic.data());
}

/// Each call of somebody who is known left one row, in the name of their token.
fn everybody_is_in_the_audit(data: &Path) {
    let rows = audit::list(data, &["--limit", "10000"]);
    let mut wrong = Vec::new();
    for (route, _) in ROUTES {
        for method in METHODS {
            let method = if ["TRACE", "PURGE"].contains(&method) { "other" } else { method };
            let times =
                METHODS.iter().filter(|known| ["TRACE", "PURGE"].contains(known) == (method == "other")).count();
            let times = if method == "other" { times } else { 1 };
            for (_, role) in CALLERS.iter().filter(|(_, role)| *role != "nobody") {
                let theirs = |row: &&Value| {
                    let whole = row["reason"].as_str().is_none_or(|reason| reason == "wrong-role");
                    whole && row["route"] == *route && row["method"] == method && row["role"] == *role
                };
                let found: Vec<_> = rows.iter().filter(theirs).collect();
                if found.len() != times || found.iter().any(|row| row["subject"] != "dr-a" || row["token"].is_null()) {
                    wrong.push(format!("{role} {method} {route}: {} rows, wanted {times}", found.len()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every filter and cursor, after the address that takes it, and who reads there.
const FILTERS: &[(&str, &str, &[&str])] = &[
    ("clinician", "/episodes/{id}", &["submissions_before", "adjudications_before"]),
    ("clinician", "/episodes/{id}/assessment", &["visit", "history", "history=true&limit", "history=true&before"]),
    ("clinician", "/reviews", &["after", "limit"]),
    ("clinician", "/worklist", &["state", "kind", "severity", "after", "limit"]),
    ("clinician", "/alerts", &["state", "after", "limit"]),
    ("clinician", "/alerts/{id}", &["after"]),
    ("clinician", "/on-call", &["at"]),
    ("operator", "/dead-letters/alerting", &["settled", "after", "limit"]),
];

const VALUES: &[&str] = &[
    "",
    "%00",
    "%20",
    "-1",
    "0",
    "1",
    "99999999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "1e400",
    "NaN",
    "true",
    "open",
    "%27%20OR%201=1--",
    "%25%27_",
    "%F0%9F%98%80",
    "%ff",
    "%ed%a0%80",
    "0_0",
    "9223372036854775807_00000000-0000-0000-0000-000000000000",
    "00000000-0000-0000-0000-000000000000",
    "2026-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "-262143-01-01T00:00:00Z",
    "%5B%7B%7D%5D",
];

#[tokio::test]
async fn no_value_of_a_filter_or_cursor_is_the_services_fault() {
    let clinic = crate::clinic().await;
    let caller = clinic.caller();
    let episode = caller.register().await.expect("it answers");
    let mut asked = 0;
    for (role, path, names) in FILTERS {
        let (token, path) = (clinic.token_of(role, "dr-a"), path.replace("{id}", &episode));
        for name in *names {
            for value in VALUES.iter().map(|value| (*value).to_owned()).chain(["9".repeat(400), "x".repeat(5_000)]) {
                let query = format!("/api/v1{path}?{name}={value}");
                let status = status(&caller, "GET", &query, Some(&token)).await;
                assert!([200, 400, 404, 422].contains(&status), "{query}: {status}");
                asked += 1;
            }
        }
    }
    println!("{asked} queries");
}
