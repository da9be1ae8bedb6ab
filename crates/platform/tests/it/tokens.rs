//! Tokens over their lives: made, listed, taken back, and their key replaced, while a process that knows them runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use lasegue_platform::auth::{
    Folders, Identity, Issuer, Role, SYMMETRIC_KEY_FILE, SigningKey, Standing, TokenError, Verifier,
};
use lasegue_platform::clock::Clock;
use lasegue_platform::http::{Front, Health, Limits, Routes};
use lasegue_platform::random::{SharedRandom, SystemRandom};
use lasegue_testkit::clock::ManualClock;
use lasegue_testkit::wait::{eventually, pause};
use lasegue_values::Person;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tower::ServiceExt;
use uuid::Uuid;

const REVOKED: &str = "The token was taken back: ask the operator for a new one.";
const FORGED: &str = "The token was not made by this installation, or its key was replaced.";

/// A data folder and somebody who makes tokens in it.
struct Desk {
    folder: TempDir,
    clock: ManualClock,
    random: SharedRandom,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, clock: ManualClock::at_text("2026-01-21T09:00:00Z"), random: SystemRandom::shared() }
    }

    fn folders(&self) -> Folders {
        Folders::of_data(self.folder.path())
    }

    fn issuer(&self) -> Issuer {
        self.opened().expect("the folder takes keys")
    }

    fn opened(&self) -> Result<Issuer, TokenError> {
        let symmetric = self.folder.path().join(SYMMETRIC_KEY_FILE).exists();
        Issuer::open(&self.folders(), symmetric, self.clock.now(), &*self.random)
    }

    /// A token of 12 hours.
    fn token(&self, subject: &str, role: Role) -> String {
        let identity = Identity { subject: subject.to_owned(), role };
        let now = self.clock.now();
        self.issuer().issue(&identity, &*self.random, now, now + TimeDelta::hours(12)).expect("a key signs")
    }

    /// Replaces the key, with time going on.
    async fn rotate(&self, at_once: bool) -> Result<Option<DateTime<Utc>>, TokenError> {
        let issuer = self.issuer();
        tokio::select! {
            rotated = issuer.rotate(at_once, &self.clock, &*self.random) => rotated,
            () = self.time_goes_on() => unreachable!("it never ends"),
        }
    }

    async fn time_goes_on(&self) {
        loop {
            pause(Duration::from_millis(100)).await;
            self.clock.advance(Duration::from_millis(100));
        }
    }

    fn list(&self) -> Vec<(String, Standing)> {
        let listed = self.issuer().list(self.clock.now()).expect("it can be read");
        listed.into_iter().map(|(issued, standing)| (issued.subject, standing)).collect()
    }

    fn follow(&self) -> Result<Process, TokenError> {
        Process::start(self)
    }

    fn a_role(&self) -> Process {
        self.follow().expect("what is published can be read")
    }
}

/// A process with one route.
struct Process {
    router: axum::Router,
    clock: ManualClock,
    state: Box<dyn Fn() -> Result<(), String>>,
    _follower: AbortOnDropHandle<()>,
}

impl Process {
    fn start(desk: &Desk) -> Result<Self, TokenError> {
        let clock = desk.clock.clone();
        let (verifier, follower) = Verifier::follow(&desk.folders(), Arc::new(clock.clone()))?;
        let state = Box::new(follower.state());
        let front =
            Front { verifier, clock: Arc::new(clock.clone()), random: desk.random.clone(), limits: Limits::default() };
        let routes = Routes::new().route("/door", &Role::ALL, get(async || "open"));
        let follower = AbortOnDropHandle::new(tokio::spawn(follower.run(CancellationToken::new())));
        Ok(Self { router: front.around(routes, &Health::default()), clock, state, _follower: follower })
    }

    /// What the door says to a token: `open`, or why not.
    async fn says(&self, token: &str) -> String {
        let request = Request::get("/door").header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("it answers");
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await.expect("a body");
        if status == StatusCode::OK {
            return "open".to_owned();
        }
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let problem: Value = serde_json::from_slice(&body).expect("a problem");
        problem["detail"].as_str().expect("a detail").to_owned()
    }

    /// Lets a second go by for a follower that sleeps.
    async fn a_second_later(&self) {
        pause(Duration::from_millis(200)).await;
        self.clock.advance(Duration::from_secs(1));
    }

    /// Lets a second go by, and waits until the door says `wanted` to `token`.
    async fn says_within_a_second(&self, token: &str, wanted: &str) {
        self.a_second_later().await;
        eventually(wanted, || async { self.says(token).await == wanted }).await;
    }
}

fn person(name: &str) -> Person {
    Person::parse(name).expect("a name")
}

fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("claims");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON")
}

fn id(token: &str) -> Uuid {
    claims(token)["jti"].as_str().expect("an id").parse().expect("a UUID")
}

#[tokio::test]
async fn a_revoked_token_is_refused_within_a_second_and_no_other() {
    let desk = Desk::new();
    let (leaked, other) = (desk.token("dr-a", Role::Clinician), desk.token("dr-a", Role::Clinician));
    let role = desk.a_role();
    assert_eq!(role.says(&leaked).await, "open");
    let revoked = desk.issuer().revoke(id(&leaked), desk.clock.now()).expect("the list takes it");
    assert_eq!(revoked.map(|issued| issued.subject).as_deref(), Some("dr-a"));
    role.says_within_a_second(&leaked, REVOKED).await;
    assert_eq!(role.says(&other).await, "open");
    assert_eq!(desk.a_role().says(&leaked).await, REVOKED, "one that starts now knows as well");
    let standings = [("dr-a".to_owned(), Standing::Revoked), ("dr-a".to_owned(), Standing::Valid)];
    assert_eq!(desk.list(), standings);
}

#[tokio::test]
async fn every_token_of_a_name_is_taken_back_and_the_next_one_counts() {
    let desk = Desk::new();
    let tokens = [desk.token("dr-a", Role::Clinician), desk.token("dr-a", Role::Operator)];
    let other = desk.token("dr-b", Role::Clinician);
    let role = desk.a_role();
    let revoked = desk.issuer().revoke_all_of(&person(" dr-a "), desk.clock.now()).expect("the list takes it");
    assert_eq!(revoked.len(), 2);
    let next = desk.token("dr-a", Role::Clinician);
    for token in &tokens {
        role.says_within_a_second(token, REVOKED).await;
    }
    assert_eq!(role.says(&other).await, "open");
    assert_eq!(role.says(&next).await, "open");
}

#[tokio::test]
async fn a_new_key_signs_and_the_old_one_verifies_until_its_last_token_ends() {
    let desk = Desk::new();
    let old = desk.token("dr-a", Role::Clinician);
    let role = desk.a_role();
    let ends = desk.rotate(false).await.expect("there is one key");
    assert_eq!(ends.map(|end| end.timestamp()), claims(&old)["exp"].as_i64());
    let new = desk.token("dr-a", Role::Clinician);
    // At once: no role may refuse a token that was made by the book.
    assert_eq!(role.says(&new).await, "open");
    assert_eq!(role.says(&old).await, "open");
    let kid = |token: &str| token.split('.').next().expect("a header").to_owned();
    assert_ne!(kid(&old), kid(&new));
    assert!(matches!(desk.rotate(false).await, Err(TokenError::StillRetiring(_))), "no more than two keys");
    desk.clock.advance(Duration::from_hours(12));
    let newest = desk.token("dr-a", Role::Clinician);
    desk.rotate(false).await.expect("the tokens of the first key have ended");
    assert_eq!(role.says(&newest).await, "open");
    let keys = fs::read_to_string(desk.folder.path().join("tokens/keys.json")).expect("it is there");
    assert_eq!(serde_json::from_str::<Value>(&keys).expect("JSON")["keys"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_key_that_is_replaced_at_once_ends_every_token() {
    let desk = Desk::new();
    let old = desk.token("dr-a", Role::Clinician);
    let role = desk.a_role();
    desk.rotate(false).await.expect("there is one key");
    let newer = desk.token("dr-a", Role::Clinician);
    assert_eq!(desk.rotate(true).await.expect("two keys are no hindrance"), None);
    for token in [&old, &newer] {
        role.says_within_a_second(token, FORGED).await;
    }
    assert_eq!(role.says(&desk.token("dr-a", Role::Clinician)).await, "open");
    assert_eq!(desk.list().len(), 1);
}

#[tokio::test]
async fn a_replacement_that_was_interrupted_is_finished_by_the_next() {
    let desk = Desk::new();
    let old = desk.token("dr-a", Role::Clinician);
    let role = desk.a_role();
    let random = SystemRandom::shared();
    tokio::select! {
        biased;
        _ = desk.issuer().rotate(false, &desk.clock, &*random) => panic!("time stands still"),
        () = pause(Duration::from_millis(50)) => {}
    }
    let identity = Identity { subject: "dr-b".to_owned(), role: Role::Clinician };
    let now = desk.clock.now();
    let refused = desk.issuer().issue(&identity, &*random, now, now + TimeDelta::hours(1));
    assert!(matches!(refused, Err(TokenError::Interrupted)), "{refused:?}");
    desk.rotate(false).await.expect("it is finished");
    role.says_within_a_second(&desk.token("dr-b", Role::Clinician), "open").await;
    assert_eq!(role.says(&old).await, "open");
}

#[tokio::test]
async fn no_role_makes_a_token_with_what_is_published_and_what_it_has() {
    let desk = Desk::new();
    drop(desk.issuer());
    let mut folders = desk.folders();
    folders.private = desk.folder.path().join("of-a-role");
    let refused = Issuer::open(&folders, false, desk.clock.now(), &*desk.random);
    assert!(matches!(&refused, Err(TokenError::NotHere { .. })), "{refused:?}");
    // One who brings a key of its own is known to nobody.
    let key = SigningKey::generate(&*desk.random);
    fs::write(folders.private.join("signing.key"), key.seed()).expect("it is its own folder");
    let own = Issuer::open(&folders, false, desk.clock.now(), &*desk.random).expect("there is a key");
    let identity = Identity { subject: "system".to_owned(), role: Role::System };
    let now = desk.clock.now();
    let forged = own.issue(&identity, &*desk.random, now, now + TimeDelta::hours(1));
    assert!(matches!(forged, Err(TokenError::Interrupted)), "{forged:?}");
    let forged = lasegue_platform::auth::issue(&key, &identity, Uuid::nil(), now, now + TimeDelta::hours(1));
    assert_eq!(desk.a_role().says(&forged.expect("a key signs")).await, FORGED);
}

#[tokio::test]
async fn who_knows_neither_keys_nor_revoked_tokens_does_not_start() {
    let desk = Desk::new();
    assert!(matches!(desk.follow().err(), Some(TokenError::File { .. })), "nothing was published");
    drop(desk.issuer());
    let revoked = desk.folder.path().join("tokens/revoked.json");
    fs::remove_file(&revoked).expect("it was made");
    fs::write(&revoked, "{").expect("it can be written");
    assert!(matches!(desk.follow().err(), Some(TokenError::Damaged { .. })));
    fs::remove_file(&revoked).expect("it was there");
    assert!(matches!(desk.follow().err(), Some(TokenError::NoList(_))));
}

#[tokio::test]
async fn who_loses_the_list_keeps_what_it_knows_and_says_so() {
    let desk = Desk::new();
    let (leaked, other) = (desk.token("dr-a", Role::Clinician), desk.token("dr-b", Role::Clinician));
    let role = desk.a_role();
    desk.issuer().revoke(id(&leaked), desk.clock.now()).expect("the list takes it");
    role.says_within_a_second(&leaked, REVOKED).await;
    let revoked = desk.folder.path().join("tokens/revoked.json");
    let list = fs::read(&revoked).expect("it is there");
    for damage in [None, Some("{ \"tokens\": ")] {
        fs::remove_file(&revoked).expect("it was there");
        if let Some(damage) = damage {
            fs::write(&revoked, damage).expect("it can be written");
        }
        role.a_second_later().await;
        eventually("it says so", || async { (role.state)().is_err() }).await;
        assert_eq!(role.says(&leaked).await, REVOKED);
        assert_eq!(role.says(&other).await, "open");
        fs::write(&revoked, &list).expect("it can be written");
        role.a_second_later().await;
        eventually("it reads again", || async { (role.state)().is_ok() }).await;
    }
}

#[tokio::test]
async fn a_lost_list_makes_no_empty_one_once_tokens_were_made() {
    let desk = Desk::new();
    let token = desk.token("dr-a", Role::Clinician);
    fs::remove_file(desk.folder.path().join("tokens/revoked.json")).expect("it was there");
    let refused = desk.issuer().revoke(id(&token), desk.clock.now());
    assert!(matches!(refused, Err(TokenError::NoList(_))), "{refused:?}");
    desk.rotate(true).await.expect("ending every token needs no list");
    assert_eq!(desk.a_role().says(&token).await, FORGED);
}

#[tokio::test]
async fn a_new_key_stands_in_for_a_lost_one_once_nothing_is_published_and_ends_every_token() {
    let desk = Desk::new();
    let (old, leaked) = (desk.token("dr-a", Role::Clinician), desk.token("dr-b", Role::Clinician));
    desk.issuer().revoke(id(&leaked), desk.clock.now()).expect("the list takes it");
    fs::remove_file(desk.folder.path().join("signing.key")).expect("it was there");
    let refused = desk.opened().expect_err("a process may know another key").to_string();
    let keys = desk.folder.path().join("tokens/keys.json");
    assert!(refused.contains(&format!("remove {}", keys.display())), "{refused}");
    fs::remove_file(keys).expect("it was there");
    // The one of a former version does not come back with it.
    fs::write(desk.folder.path().join(SYMMETRIC_KEY_FILE), [7; 32]).expect("the folder takes a file");
    let new = desk.token("dr-a", Role::Clinician);
    let role = desk.a_role();
    assert_eq!((role.says(&old).await, role.says(&leaked).await), (FORGED.to_owned(), FORGED.to_owned()));
    assert_eq!(role.says(&new).await, "open");
    assert_eq!(desk.issuer().symmetric_until(desk.clock.now()).expect("it can be read"), None);
}

#[tokio::test]
async fn tokens_of_the_former_key_count_until_it_is_replaced() {
    let desk = Desk::new();
    fs::write(desk.folder.path().join(SYMMETRIC_KEY_FILE), [7; 32]).expect("the folder takes a file");
    drop(desk.issuer());
    let now = desk.clock.now().timestamp();
    let token = |header: Value, exp: i64| {
        let claims = json!({"sub": "import", "role": "system", "iat": now, "exp": exp, "jti": Uuid::nil()});
        former(&header, &claims, &[7; 32])
    };
    let plain = json!({"alg": "HS256", "typ": "JWT"});
    let of_a_year = token(plain.clone(), now + 366 * 86_400);
    let role = desk.a_role();
    assert_eq!(role.says(&of_a_year).await, "open");
    assert_eq!(
        role.says(&token(plain.clone(), now + 100 * 365 * 86_400)).await,
        "The token would live longer than its role lets it: get a new one."
    );
    // Not under the name of another key, nor signed with another.
    let keys = fs::read_to_string(desk.folder.path().join("tokens/keys.json")).expect("it is there");
    let kid = serde_json::from_str::<Value>(&keys).expect("JSON")["keys"][0]["kid"].clone();
    assert_eq!(role.says(&token(json!({"alg": "HS256", "kid": kid}), now + 60)).await, FORGED);
    let other = former(
        &plain,
        &json!({"sub": "x", "role": "system", "iat": now, "exp": now + 60, "jti": Uuid::nil()}),
        &[8; 32],
    );
    assert_eq!(role.says(&other).await, FORGED);
    let counts = || desk.issuer().symmetric_until(desk.clock.now()).expect("it can be read").is_some();
    assert!(counts());
    desk.rotate(false).await.expect("there is one key");
    role.says_within_a_second(&of_a_year, FORGED).await;
    assert!(!counts());
    assert!(!desk.folder.path().join(SYMMETRIC_KEY_FILE).exists());
    // Nor does it count where it is put again.
    fs::write(desk.folder.path().join(SYMMETRIC_KEY_FILE), [7; 32]).expect("the folder takes a file");
    drop(desk.issuer());
    assert_eq!(desk.a_role().says(&of_a_year).await, FORGED);
}

#[tokio::test]
async fn a_token_of_the_former_key_is_taken_back_too() {
    let desk = Desk::new();
    fs::write(desk.folder.path().join(SYMMETRIC_KEY_FILE), [7; 32]).expect("the folder takes a file");
    drop(desk.issuer());
    let now = desk.clock.now().timestamp();
    let token = |subject: &str, jti: Uuid| {
        let claims = json!({"sub": subject, "role": "clinician", "iat": now, "exp": now + 60, "jti": jti});
        former(&json!({"alg": "HS256", "typ": "JWT"}), &claims, &[7; 32])
    };
    let (by_id, by_name) = (token("dr-a", Uuid::max()), token("dr-b", Uuid::nil()));
    let role = desk.a_role();
    assert!(desk.issuer().revoke(Uuid::max(), desk.clock.now()).expect("the list takes it").is_none());
    desk.issuer().revoke_all_of(&person("dr-b"), desk.clock.now()).expect("the list takes it");
    for token in [by_id, by_name] {
        role.says_within_a_second(&token, REVOKED).await;
    }
}

/// A token as former versions made them.
fn former(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any length");
    let signature = URL_SAFE_NO_PAD.encode(mac.chain_update(&message).finalize().into_bytes());
    format!("{message}.{signature}")
}

#[tokio::test]
async fn those_who_come_first_together_have_one_key() {
    let desk = Desk::new();
    let (folders, now) = (desk.folders(), desk.clock.now());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Issuer::open(&folders, false, now, &SystemRandom).map(drop).expect("the folder takes keys"));
        }
    });
    let role = desk.a_role();
    assert_eq!(role.says(&desk.token("dr-a", Role::Clinician)).await, "open");
}

#[test]
fn files_are_their_owners_alone_and_none_holds_a_token() {
    let desk = Desk::new();
    let token = desk.token("dr-a", Role::Clinician);
    let signature = token.rsplit('.').next().expect("a signature");
    let mut found = Vec::new();
    let mut look = |folder: &Path| {
        for file in fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()) {
            let metadata = fs::metadata(&file).expect("it is there");
            if metadata.is_dir() {
                assert_eq!(metadata.permissions().mode() & 0o777, 0o700, "{}", file.display());
                continue;
            }
            assert_eq!(metadata.permissions().mode() & 0o777, 0o400, "{}", file.display());
            let content = fs::read(&file).expect("it can be read");
            assert!(!String::from_utf8_lossy(&content).contains(signature), "{}", file.display());
            found.push(file.file_name().expect("a name").to_string_lossy().into_owned());
        }
    };
    look(desk.folder.path());
    look(&desk.folder.path().join("tokens"));
    found.sort();
    assert_eq!(found, ["issued.json", "keys.json", "revoked.json", "signing.key"], "no draft is left");
}

#[test]
fn a_backup_has_all_of_it_and_replaces_nothing() {
    let (desk, fresh) = (Desk::new(), Desk::new());
    desk.token("dr-a", Role::Clinician);
    desk.folders().copy_into(&fresh.folders()).expect("an empty folder takes it");
    assert_eq!(fresh.list(), desk.list());
    let other = Desk::new();
    other.token("dr-b", Role::Clinician);
    desk.folders().copy_into(&other.folders()).expect("what is there stays");
    assert_eq!(other.list(), [("dr-b".to_owned(), Standing::Valid)]);
}

#[test]
fn there_is_an_end_to_how_many_tokens_are_valid() {
    let desk = Desk::new();
    desk.token("dr-a", Role::Clinician);
    let file = desk.folder.path().join("issued.json");
    let index: Value = serde_json::from_slice(&fs::read(&file).expect("it is there")).expect("JSON");
    fs::remove_file(&file).expect("it was there");
    fs::write(&file, Value::from(vec![index[0].clone(); 10_000]).to_string()).expect("it can be written");
    let identity = Identity { subject: "dr-b".to_owned(), role: Role::Clinician };
    let now = desk.clock.now();
    let refused = desk.issuer().issue(&identity, &*desk.random, now, now + TimeDelta::hours(1));
    assert!(matches!(refused, Err(TokenError::Full(_))), "{refused:?}");
    let later = now + TimeDelta::hours(12);
    desk.issuer().issue(&identity, &*desk.random, later, later + TimeDelta::hours(1)).expect("those have ended");
}
