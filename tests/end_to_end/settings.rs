//! What a configuration and its variables may say, and what is said about them at the start.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Output};

use lasegue_testkit::installation::free_address;
use lasegue_testkit::wait::eventually;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_lasegue");

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system has a folder for temporary files")
}

/// `lasegue ARGUMENTS` with variables, to its end.
fn lasegue(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(BINARY).args(arguments).envs(variables.iter().copied()).output().expect("the binary was built")
}

fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).expect("it prints text")
}

/// The process that starts with a configuration, and its log.
struct Up {
    child: Child,
    folder: TempDir,
    address: String,
}

impl Up {
    fn start(configuration: &str) -> Self {
        let (folder, address) = (folder(), free_address());
        let config = folder.path().join("lasegue.toml");
        fs::write(&config, configuration).expect("the folder takes a file");
        let mut up = Command::new(BINARY);
        up.args(["up", "--listen", &address, "--config"]).arg(config).arg("--data").arg(folder.path().join("data"));
        up.stderr(File::create(folder.path().join("log")).expect("the folder takes a file"));
        let child = up.stdout(std::process::Stdio::null()).spawn().expect("the binary was built");
        Self { child, folder, address }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("it was made")
    }

    async fn ready(&self) -> String {
        let readiness = format!("http://{}/readyz", self.address);
        eventually("it is ready", || async { reqwest::get(&readiness).await.is_ok_and(|a| a.status().is_success()) })
            .await;
        reqwest::get(&readiness).await.expect("it answers").text().await.expect("a body")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two contacts and a rota, which begins on `start`.
fn on_call(start: &str, secret: &str) -> String {
    format!(
        r#"
[[contact]]
name = "consultant-a"
channels = [{{ kind = "webhook", url = "https://pager.example/page", secret = "{secret}" }}]

[[contact]]
name = "spine-lead"
channels = [{{ kind = "webhook", url = "https://pager.example/page", secret = "a-secret-of-many-letters" }}]

[[rota]]
name = "spine-on-call"
members = ["consultant-a"]
hand_over = "weekly"
start = "{start}"

[[policy]]
name = "default"
steps = [{{ notify = ["rota:spine-on-call", "contact:spine-lead"], wait = "5m" }}]
"#
    )
}

const GOOD: &str = "a-secret-of-the-right-length";

#[test]
fn the_variables_of_the_compose_file_break_no_command() {
    let folder = folder();
    let config = folder.path().join("lasegue.toml");
    fs::write(&config, "[nats]\nurl = \"nats://n:4222\"").expect("the folder takes a file");
    let variables = [
        ("LASEGUE_CONFIG", config.to_str().expect("text")),
        ("LASEGUE_IMAGE", "lasegue:0.1.0"),
        ("LASEGUE_WITHOUT_CONTACTS", "true"),
        ("LASEGUE_LISTEN", "0.0.0.0:8080"),
    ];
    for arguments in [&["up"][..], &["run", "intake"], &["migrate"]] {
        let told = refusal(&lasegue(arguments, &variables));
        assert!(told.contains("names [nats] and no [postgres]"), "{arguments:?}: {told}");
    }
}

#[test]
fn a_number_says_of_what_it_is() {
    let refused = |variable, value| {
        refusal(&lasegue(&["up", "--without-contacts", "--data", "/dev/null/none"], &[(variable, value)]))
    };
    let told = refused("LASEGUE_NATS", "{ url = \"nats://n:4222\", max_stream_bytes = \"256 MiB\" }");
    assert!(told.contains("a number of bytes, such as 268435456"), "{told}");
    for days in ["0", "-1", "\"two weeks\""] {
        let told = refused("LASEGUE_BACKUP__RESTORABLE_DAYS", days);
        assert!(
            told.contains("LASEGUE_BACKUP__RESTORABLE_DAYS") && told.contains("a number of days from 1 to"),
            "{told}"
        );
    }
}

#[test]
fn what_cannot_be_listened_on_or_called_is_told_with_an_example() {
    let folder = folder();
    let name = folder.path().to_str().expect("text");
    let told = refusal(&lasegue(&["up", "--data", name], &[("LASEGUE_HTTP__LISTEN", "8080")]));
    assert!(told.contains("such as 127.0.0.1:8080"), "{told}");
    for arguments in [&["up", "--listen", "localhost:8080"][..], &["health", "--url", "127.0.0.1:8080"]] {
        let told = lasegue(arguments, &[]);
        let said = String::from_utf8_lossy(&told.stderr);
        assert!(told.status.code() == Some(2) && said.contains("127.0.0.1:8080\n"), "{said}");
    }
    let file = folder.path().join("lasegue.toml");
    fs::write(&file, "").expect("the folder takes a file");
    let told = refusal(&lasegue(&["up", "--data", file.to_str().expect("text")], &[]));
    assert!(told.contains("is a file: give a folder with --data"), "{told}");
    let told = refusal(&lasegue(&["up", "--config", name], &[]));
    assert!(told.contains("it is a folder, which Docker makes"), "{told}");
}

#[tokio::test]
async fn an_import_that_can_never_go_on_does_not_say_that_it_does() {
    let clinic = crate::clinic().await;
    let records = clinic.data().with_file_name("records");
    fs::write(&records, "{}\n").expect("the folder takes a file");
    let (records, url) = (records.to_str().expect("text"), format!("http://{}", clinic.address()));
    let told = refusal(&lasegue(&["import", records, "--url", &url], &[("LASEGUE_TOKEN", "none")]));
    assert!(told.contains("401") && told.contains("mend what is named here, then run it again"), "{told}");
}

#[tokio::test]
async fn a_start_says_who_is_on_call_and_each_database_in_one_line() {
    lasegue_platform::tls::install();
    let up = Up::start(&on_call("2026-01-05", GOOD));
    assert!(up.ready().await.contains(r#""alerting contacts":"ok""#));
    let log = up.log();
    assert!(log.contains("on call now: consultant-a (spine-on-call); contacts: 2"), "{log}");
    assert!(!log.contains("Applying"), "{log}");
    assert_eq!(log.matches("brought up to date").count(), 4, "{log}");
}

#[tokio::test]
async fn a_rota_that_has_not_begun_is_told_at_the_start_and_for_as_long_as_it_lasts() {
    lasegue_platform::tls::install();
    let up = Up::start(&on_call("2199-01-05", GOOD));
    let told = up.ready().await;
    let sentence = "nobody is on call in the rota spine-on-call before 2199-01-07T09:00:00Z";
    assert!(told.contains(sentence), "{told}");
    assert!(up.log().contains(sentence), "{}", up.log());
}

#[tokio::test]
async fn a_secret_that_can_be_guessed_and_a_link_that_leads_nowhere_are_warned_of() {
    lasegue_platform::tls::install();
    let up = Up::start(&on_call("2026-01-05", "..."));
    up.ready().await;
    let log = up.log();
    assert!(log.contains("the secret of \"consultant-a\"") && !log.contains("the secret of \"spine-lead\""), "{log}");
    assert!(log.contains("link_base"), "{log}");
}

#[test]
fn nobody_is_to_be_paged_and_there_are_contacts_is_refused_before_anybody_is() {
    let folder = folder();
    let (config, data) = (folder.path().join("lasegue.toml"), folder.path().join("data"));
    fs::write(&config, on_call("2026-01-05", GOOD)).expect("the folder takes a file");
    let (config, data) = (config.display().to_string(), data.display().to_string());
    let up = ["up", "--without-contacts", "--listen", "127.0.0.1:0", "--data", &data];
    let told = refusal(&lasegue(&up, &[("LASEGUE_CONFIG", &config)]));
    assert!(
        told.contains("nobody is to be paged (without_contacts, or --without-contacts), and there are contacts"),
        "{told}"
    );
}

#[test]
fn a_command_ends_quietly_when_nobody_reads_on() {
    for command in ["protocol show", "sample --patients 500"] {
        let piped = format!("'{BINARY}' {command} | head -n 1");
        let output = Command::new("sh").args(["-c", &piped]).output().expect("there is a shell");
        assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{command}: {output:?}");
    }
}

#[test]
fn a_schema_that_could_not_be_looked_at_is_not_called_out_of_date() {
    let folder = folder();
    let secrets = folder.path().join("secrets");
    assert!(lasegue(&["secrets", secrets.to_str().expect("text")], &[]).status.success());
    let variables = [
        ("LASEGUE_SECRETS", secrets.join("migrate")),
        ("LASEGUE_NATS__URL", Path::new("nats://127.0.0.1:1").to_owned()),
        ("LASEGUE_POSTGRES__URL", Path::new("postgres://127.0.0.1:1/lasegue").to_owned()),
    ];
    let told = Command::new(BINARY).arg("migrate").envs(variables).output().expect("the binary was built");
    let told = refusal(&told);
    assert!(told.contains("could not be looked at") && told.contains("run `lasegue migrate` again"), "{told}");
    assert!(!told.contains("not up to date"), "{told}");
}
