use chrono::TimeDelta;

use super::*;
use crate::on_call::{OnCall, Target};
use crate::severity::Severity;

const FIRST_SET_UP: &str = r#"
[[contact]]
name = "consultant-a"
channels = [{ kind = "webhook", url = "http://127.0.0.1:9099/page", secret = "quiet-as-a-mouse" }]
[[contact]]
name = "consultant-b"
channels = [{ kind = "webhook", url = "http://127.0.0.1:9099/page", secret = "quiet-as-a-mouse" }]
[[contact]]
name = "spine-lead"
channels = [{ kind = "webhook", url = "http://127.0.0.1:9099/page", secret = "quiet-as-a-mouse" }]
[[rota]]
name = "spine-on-call"
time_zone = "Europe/London"
members = ["consultant-a", "consultant-b"]
hand_over = "weekly"
[[policy]]
name = "default"
steps = [{ notify = ["rota:spine-on-call"], wait = "5m" }, { notify = ["contact:spine-lead"], wait = "5 min" }]
"#;

fn settings(toml: &str) -> OnCallSettings {
    toml::from_str(toml).unwrap()
}

fn faults(toml: &str) -> String {
    settings(toml).check().unwrap_err().to_string()
}

fn checked(toml: &str) -> OnCall {
    settings(toml).check().unwrap()
}

#[test]
fn the_first_set_up_is_understood() {
    let on_call = checked(FIRST_SET_UP);
    let policy = on_call.policy(Severity::Emergency);
    assert_eq!(policy.steps.len(), 2);
    assert_eq!(policy.steps[1].targets, [Target::Contact("spine-lead".into())]);
    assert_eq!(policy.steps[1].wait, TimeDelta::minutes(5));
    assert_eq!(on_call.catch_all().len(), 3);
    assert!(!on_call.is_nobody());
}

#[test]
fn an_empty_set_up_is_one_of_nobody() {
    let on_call = checked("");
    assert!(on_call.is_nobody());
    assert!(on_call.policy(Severity::Urgent).steps.is_empty());
}

#[test]
fn a_severity_may_have_a_policy_of_its_own() {
    let own = "[[policy]]\nname = \"emergency\"\nsteps = [{ notify = [\"contact:spine-lead\"], wait = \"1m\" }]\n";
    let on_call = checked(&format!("{FIRST_SET_UP}{own}"));
    assert_eq!(on_call.policy(Severity::Emergency).steps.len(), 1);
    assert_eq!(on_call.policy(Severity::Urgent).steps.len(), 2);
}

#[test]
fn all_faults_are_named_at_once_with_what_to_write() {
    insta::assert_snapshot!(faults(
        r#"
[[contact]]
name = "Dr A"
channels = []
[[contact]]
name = "b"
channels = [{ kind = "webhook", url = "ftp://host", secret = "quiet-as-a-mouse" }]
[[rota]]
name = "night"
members = ["b", "c"]
hand_over = "daily"
[[policy]]
name = "defualt"
steps = [{ notify = ["rota:nihgt", "b"], wait = "31 min" }]
[paging]
day_from = "22:00"
day_to = "07:00"
catch_all = ["contact:nobody"]
"#
    ), @r#"
    the on-call set-up cannot be used
      contact 1: write a name of 1 to 64 lower case letters, digits, `-` and `_`
      contact 1: channels is empty; write channels = [{ kind = "webhook", url = "https://...", secret = "..." }]
      contact "b", webhook: the url is no web address; write one that begins with http:// or https://
      rota "night", member 2: there is no such contact; write [[contact]] with this name, or one of: b
      policy 1: nothing uses it; a policy is named "default", "emergency" or "urgent"
      policy 1, step 1, wait: it is not possible; write "1s" to "30m"
      policy 1, step 1, notify 1: there is no such rota; write [[rota]] with this name, or one of: night
      policy 1, step 1, notify 2: it is no target; write `rota:<name>` or `contact:<name>`
      policy: there is no policy named "default"; write [[policy]] name = "default" with its steps
      paging, catch_all 1: there is no such contact; write [[contact]] with this name, or one of: b
      paging: day_from must be before day_to, such as "07:00" and "22:00"
    "#);
}

#[test]
fn nobody_empty_and_twice_are_refused_with_what_to_write() {
    insta::assert_snapshot!(faults(
        r#"
[[contact]]
name = "a"
channels = [{ kind = "webhook", url = "https://hooks.example/T0/s3cret", secret = " " }]
[[rota]]
name = "night"
members = ["a", "a"]
hand_over = "daily"
[[policy]]
name = "default"
steps = [{ notify = ["rota:night"], wait = "5m" }]
[paging]
catch_all = []
"#
    ), @r#"
    the on-call set-up cannot be used
      contact "a": secret is empty; write the one that the receiver checks the signature with
      rota "night", member 2: it is a member already; each takes one turn in a round
      paging: catch_all is empty; name somebody, or leave it out for every contact
    "#);
}

#[test]
fn pages_that_would_go_unencrypted_to_another_machine_are_warned_of() {
    assert_eq!(checked(FIRST_SET_UP).warnings(), [""; 0]);
    let elsewhere = FIRST_SET_UP.replacen("http://127.0.0.1:9099/page", "http://pager.example/T0/s3cret", 1);
    let elsewhere = format!("{elsewhere}[paging]\nlink_base = \"https://lasegue.example\"");
    let warned = "pages to \"consultant-a\" go unencrypted to pager.example: give an address that begins with https://";
    assert_eq!(checked(&elsewhere).warnings(), [warned]);
}

#[test]
fn an_unknown_key_zone_or_time_is_refused() {
    for (toml, word) in [
        ("[paging]\nday_form = \"07:00\"", "day_form"),
        ("[paging]\ntime_zone = \"Europe/Londn\"", "IANA"),
        ("[paging]\nday_from = \"25:00\"", "time of day"),
        ("[[rota]]\nname = \"r\"\nmembers = []\nhand_over = \"weekly\"\nhand_over_day = \"moonday\"", "weekday"),
        ("[[contact]]\nname = \"c\"\nchannels = [{ kind = \"pigeon\" }]", "pigeon"),
    ] {
        let error = toml::from_str::<OnCallSettings>(toml).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn a_secret_is_not_shown() {
    let shown = format!("{:?} {:?}", settings(FIRST_SET_UP), checked(FIRST_SET_UP));
    assert!(!shown.contains("quiet") && !shown.contains("9099/page"), "{shown}");
}
