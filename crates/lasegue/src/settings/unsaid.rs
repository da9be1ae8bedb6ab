//! Nothing that is written where the configuration is faulty comes into a message, whatever it is and wherever it stands.

use std::collections::BTreeSet;

use lasegue_contracts::Service;
use lasegue_platform::config;
use toml::{Table, Value};

use super::Settings;

/// Every key there is, with a value that can be used.
const WHOLE: &str = r#"
data = "data"
secrets = "secrets"
tokens = "tokens"
[http]
listen = "127.0.0.1:8080"
[log]
filter = "info"
json = true
[nats]
url = "nats://nats:4222"
replicas = 1
max_stream_bytes = 1048576
[postgres]
url = "postgres://postgres:5432/lasegue"
[services]
intake = "http://intake:8080"
assessment = "http://assessment:8080"
scheduling = "http://scheduling:8080"
alerting = "http://alerting:8080"
[direct]
listen = "127.0.0.1:8081"
intake = "http://intake:8081"
assessment = "http://assessment:8081"
scheduling = "http://scheduling:8081"
alerting = "http://alerting:8081"
[backup]
restorable_days = 14
[[contact]]
name = "consultant-a"
channels = [{ kind = "webhook", url = "https://pager.example/page", secret = "quiet" }]
[[rota]]
name = "spine-on-call"
time_zone = "Europe/London"
members = ["consultant-a"]
hand_over = "weekly"
hand_over_day = "monday"
hand_over_time = "09:00"
start = "2026-01-05"
[[policy]]
name = "default"
steps = [{ notify = ["rota:spine-on-call", "contact:consultant-a"], wait = "5m" }]
[paging]
time_zone = "Europe/London"
day_from = "07:00"
day_to = "22:00"
catch_all = ["contact:consultant-a"]
coordinator = ["contact:consultant-a"]
without_contacts = false
link_base = "http://127.0.0.1:8080"
keep_years = 10
[heartbeat]
url = "https://switch.example/ping"
every = "1m"
"#;

/// Values in TOML, each of which says `S3cret` or 7331. None is a name that a contact could have: those may be shown.
const SECRETS: [&str; 14] = [
    r#""S3cret""#,
    r#""S3cret, expected `x`""#,
    r#""`, expected S3cret""#,
    r#""contact:S3cret""#,
    r#""rota:S3cret""#,
    r#""http://S3cret:S3cret@""#,
    r#""7331 h""#,
    r#""7331/01/01""#,
    "7331733",
    "-7331",
    "7331.7331",
    "7331-01-01T07:31:00",
    r#"["S3cret"]"#,
    r#"{ S3cret = "S3cret" }"#,
];

fn value(text: &str) -> Value {
    toml::from_str::<Table>(&format!("value = {text}")).expect("it is TOML").remove("value").expect("it was written")
}

fn whole() -> Value {
    Value::Table(toml::from_str(WHOLE).expect("it is TOML"))
}

/// Everything that is said of a configuration, read from a file and from variables.
fn said(written: &Value) -> Vec<String> {
    let table = written.as_table().expect("a configuration is a table");
    let variables = table.iter().map(|(key, value)| (format!("LASEGUE_{}", key.to_uppercase()), value.to_string()));
    let read = [config::parse(&table.to_string()), config::load(None, variables)];
    read.into_iter().flat_map(|read| read.map_or_else(|error| vec![error.to_string()], |read| checked(&read))).collect()
}

/// What is said of one that can be read.
fn checked(settings: &Settings) -> Vec<String> {
    let addresses = || -> anyhow::Result<()> {
        if let Some(servers) = settings.servers()? {
            servers.postgres.address(Service::Intake, &"password".to_owned().into())?;
        }
        Ok(())
    };
    let mut results = vec![addresses(), settings.on_call().check().map(drop).map_err(Into::into)];
    for service in Service::ALL {
        results.push(settings.remotes(&[service]).map(drop));
        results.push(settings.direct.address(service).map(drop));
    }
    results.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect()
}

/// Puts `put` in turn in the place of everything in `whole`, and beside every key, and gives what comes of each.
fn each_place(whole: &Value, put: &Value) -> Vec<Value> {
    let mut made = vec![put.clone()];
    match whole {
        Value::Table(table) => {
            for (key, inner) in table {
                made.extend(each_place(inner, put).into_iter().map(|inner| with(table, key, inner)));
            }
            made.push(with(table, "S3cret", put.clone()));
        }
        Value::Array(array) => {
            for (index, inner) in array.iter().enumerate() {
                made.extend(each_place(inner, put).into_iter().map(|inner| {
                    let mut array = array.clone();
                    array[index] = inner;
                    Value::Array(array)
                }));
            }
            made.push(Value::Array(array.iter().cloned().chain([put.clone()]).collect()));
        }
        _ => (),
    }
    made
}

fn with(table: &Table, key: &str, value: Value) -> Value {
    let mut table = table.clone();
    table.insert(key.to_owned(), value);
    Value::Table(table)
}

fn tells(said: &str) -> bool {
    said.contains("S3cret") || said.contains("s3cret") || said.contains("7331")
}

#[test]
fn no_message_repeats_a_value_or_a_key_of_a_faulty_configuration() {
    let whole = whole();
    assert_eq!(said(&whole), [""; 0], "it is a configuration");
    let (mut faulty, mut told) = (0, BTreeSet::new());
    for written in SECRETS.iter().flat_map(|secret| each_place(&whole, &value(secret))).filter(Value::is_table) {
        let said = said(&written);
        faulty += usize::from(!said.is_empty());
        told.extend(said.into_iter().filter(|said| tells(said)));
    }
    assert!(faulty > 1_000, "{faulty}");
    assert!(
        told.is_empty(),
        "{} messages, such as\n{}",
        told.len(),
        told.into_iter().take(40).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn no_message_repeats_what_is_no_toml() {
    for line in [
        "S3cret",
        "x = S3cret",
        "x = \"S3cret",
        "x = 'S3cret",
        "[S3cret",
        "[[contact]",
        "x = \"\\S3cret\"",
        "x = 7331_",
        "x = [7331",
    ] {
        let refusal = config::parse::<Settings>(&format!("{line}\n{WHOLE}")).expect_err(line).to_string();
        assert!(refusal.contains("line ") && !tells(&refusal), "{refusal}");
    }
    for twice in ["S3cret = 1\nS3cret = 2", "[S3cret]\n[S3cret]", "S3cret = 1\nS3cret.x = 1"] {
        let refusal = config::parse::<Settings>(twice).expect_err(twice).to_string();
        assert!(!tells(&refusal), "{refusal}");
    }
}

#[test]
fn every_key_is_in_the_whole_configuration() {
    let whole = whole();
    for written in each_place(&whole, &value("1")).into_iter().filter(Value::is_table) {
        for refusal in said(&written) {
            let known = refusal.split_once("unknown field").and_then(|(_, known)| known.split_once(", expected "));
            for key in known.iter().flat_map(|(_, known)| known.split('`').skip(1).step_by(2)) {
                assert!(WHOLE.contains(&format!("{key} = ")) || WHOLE.contains(&format!("[{key}]")), "{key}");
            }
        }
    }
}
