//! A whole installation with a pager at the other end, in each of the shapes that users run: one process, alone or in a
//! container, one process for each role, or the Compose file.

mod clinic;
mod composed;
mod contained;
mod container;
mod fleet;
mod ground;
mod image;

use std::path::Path;
use std::process::{Command, Output};

pub use self::clinic::Clinic;
pub use self::composed::Composed;
pub use self::contained::Contained;
pub use self::container::Container;
pub use self::fleet::{Fleet, Role};
pub use self::ground::{Ground, Standby};
use crate::caller::Caller;
use crate::pager::Pager;
use crate::ports;

/// The secret that the pager and the configuration share.
pub const SECRET: &str = "an-end-to-end-secret";

/// What all shapes look like from outside.
pub trait Installation {
    /// Somebody with a clinician's token.
    fn caller(&self) -> Caller;
    /// The pager of the one contact.
    fn pager(&self) -> &Pager;
    /// What `lasegue token ARGUMENTS` prints.
    fn tokens(&self, arguments: &[&str]) -> String;
    /// A token of somebody in a role.
    fn token_of(&self, role: &str, subject: &str) -> String {
        self.tokens(&["--role", role, "--subject", subject])
    }
    /// A token of a role, whoever it is.
    fn token_for(&self, role: &str) -> String {
        self.token_of(role, role)
    }
}

/// One contact, who is on call at any time and paged at `url`.
pub fn on_call(url: &str) -> String {
    format!(
        r#"
[[contact]]
name = "consultant-a"
channels = [{{ kind = "webhook", url = "{url}", secret = "{SECRET}" }}]

[[rota]]
name = "spine-on-call"
time_zone = "Europe/London"
members = ["consultant-a"]
hand_over = "weekly"

[[policy]]
name = "default"
steps = [{{ notify = ["rota:spine-on-call"], wait = "30m" }}]
"#
    )
}

/// Runs `program` to its end and gives what it printed.
fn run(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let program = program.as_ref();
    let name = program.display();
    let output = Command::new(program).args(arguments).output();
    let Output { status, stdout, stderr } = output.unwrap_or_else(|error| panic!("{name} does not run: {error}"));
    assert!(status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("it prints text").trim().to_owned()
}

/// What `lasegue token ARGUMENTS` prints, for tokens that are made in `private` and published in `public`.
fn tokens(binary: &Path, private: &Path, public: &Path, arguments: &[&str]) -> String {
    let [private, public] = [private, public].map(|folder| folder.to_str().expect("the folder's name is text"));
    run(binary, &[&["token"], arguments, &["--data", private, "--tokens", public]].concat())
}

/// The arguments for a clinician's token.
const DR_A: [&str; 4] = ["--role", "clinician", "--subject", "dr-a"];

/// An address of this test's own.
pub fn free_address() -> String {
    format!("127.0.0.1:{}", ports::free())
}
