use chrono::TimeDelta;

use super::*;
use crate::on_call::{OnCall, Target};
use crate::severity::Severity;

const FIRST_SET_UP: &str = r#"
[[contact]]
name = "consultant-a"
channels = [{ kind = "webhook", url = "http://127.0.0.1:9099/page", secret = "quiet" }]
[[contact]]
name = "consultant-b"
channels = [{ kind = "webhook", url = "http://127.0.0.1:9099/page", secret = "quiet" }]
[[contact]]
name = "spine-lead"
channels = [{ kind = "webhook", url = "http://127.0.0.1:9099/page", secret = "quiet" }]
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
channels = [{ kind = "webhook", url = "ftp://host", secret = "quiet" }]
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
      contact "Dr A": write a name of 1 to 64 lower case letters, digits, `-` and `_`
      contact "Dr A": channels is empty; write channels = [{ kind = "webhook", url = "https://...", secret = "..." }]
      contact "b", webhook: `ftp://host` is no web address; write one that begins with http:// or https://
      rota "night": there is no contact "c"; write [[contact]] name = "c", or one of: Dr A, b
      policy "defualt", step 1: wait = "31m" is not possible; write "1s" to "30m"
      policy "defualt", step 1: there is no rota "nihgt"; write [[rota]] name = "nihgt", or one of: night
      policy "defualt", step 1: `b` is no target; write `rota:<name>` or `contact:<name>`
      policy: there is no policy named "default"; write [[policy]] name = "default" with its steps
      policy "defualt": nothing uses it; a policy is named "default", "emergency" or "urgent"
      paging, catch_all: there is no contact "nobody"; write [[contact]] name = "nobody", or one of: Dr A, b
      paging: day_from must be before day_to, such as "07:00" and "22:00"
    "#);
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
    assert!(!shown.contains("quiet"), "{shown}");
}
