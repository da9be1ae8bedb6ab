//! The files with the token key and the passwords: who gets which, how they are made and read.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use lasegue_contracts::Service;
use lasegue_platform::auth::{KEY_FILE, KEY_LENGTH};
use lasegue_platform::random::Random;
use secrecy::SecretString;

/// The password of PostgreSQL's superuser, for its container alone.
const SUPERUSER: &str = "postgres-superuser";
/// The passwords as variables of the NATS server's configuration.
const NATS_PASSWORDS: &str = "passwords.conf";
/// Random bytes of a password.
const PASSWORD_BYTES: usize = 24;

/// A folder that holds the secrets of one process.
#[derive(Clone, Debug)]
pub(crate) struct Secrets(pub(crate) PathBuf);

impl Secrets {
    /// The password of `service`'s NATS user.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(crate) fn nats(&self, service: Service) -> anyhow::Result<SecretString> {
        self.read(&nats(service))
    }

    /// The password of `service`'s database role.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(crate) fn postgres(&self, service: Service) -> anyhow::Result<SecretString> {
        self.read(&postgres(service))
    }

    fn read(&self, name: &str) -> anyhow::Result<SecretString> {
        let path = self.0.join(name);
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "the secret {} cannot be read: `lasegue secrets` makes the files that each process needs",
                path.display()
            )
        })?;
        Ok(text.trim_end().to_owned().into())
    }
}

fn nats(service: Service) -> String {
    format!("nats-{service}")
}

fn postgres(service: Service) -> String {
    format!("postgres-{service}")
}

/// A secret, with the processes that may know it, each by the name of its folder.
struct Secret {
    name: String,
    readers: Vec<&'static str>,
}

fn plan() -> Vec<Secret> {
    let mut secrets = vec![
        Secret {
            name: KEY_FILE.to_owned(),
            readers: Service::ALL.iter().map(|service| service.name()).chain(["web"]).collect(),
        },
        Secret { name: SUPERUSER.to_owned(), readers: vec!["postgres"] },
    ];
    for service in Service::ALL {
        secrets.push(Secret { name: nats(service), readers: vec![service.name()] });
        secrets.push(Secret { name: postgres(service), readers: vec![service.name(), "migrate", "postgres"] });
    }
    secrets
}

/// Makes what is missing of every secret in `folder`, which has a folder for each process with what that one may know.
/// What is there is never changed, so it can be run again and again.
///
/// # Errors
/// When a file cannot be read or written.
pub(crate) fn make(folder: &Path, random: &dyn Random) -> anyhow::Result<()> {
    for Secret { name, readers } in plan() {
        let places: Vec<_> = readers.iter().map(|reader| folder.join(reader).join(&name)).collect();
        let known = places.iter().find_map(|place| read_if_there(place).transpose()).transpose()?;
        let content = known.unwrap_or_else(|| if name == KEY_FILE { bytes(random) } else { password(random) });
        for place in places {
            write_new(&place, &content)?;
        }
    }
    let variable = |service: Service| {
        let password = fs::read_to_string(folder.join(service.name()).join(nats(service)))?;
        Ok(format!("{}_PASSWORD: \"{password}\"\n", service.name().to_uppercase()))
    };
    let variables: String = Service::ALL.into_iter().map(variable).collect::<anyhow::Result<_>>()?;
    write_new(&folder.join("nats").join(NATS_PASSWORDS), variables.as_bytes())
}

fn bytes(random: &dyn Random) -> Vec<u8> {
    let mut bytes = vec![0; KEY_LENGTH];
    random.fill(&mut bytes);
    bytes
}

/// Hexadecimal, so that it needs no escaping anywhere.
fn password(random: &dyn Random) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = [0; PASSWORD_BYTES];
    random.fill(&mut bytes);
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| DIGITS[usize::from(half)]).collect()
}

fn read_if_there(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Writes a file that is not there yet, whole or not at all. Every account of its container may read it: the folder, or
/// the volume, is what keeps others away.
fn write_new(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", path.display());
    if path.try_exists().with_context(cannot)? {
        return Ok(());
    }
    let folder = path.parent().with_context(cannot)?;
    fs::create_dir_all(folder).with_context(cannot)?;
    let draft = path.with_extension("draft");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o444).open(&draft).with_context(cannot)?;
    file.write_all(content).and_then(|()| file.sync_all()).with_context(cannot)?;
    fs::rename(&draft, path).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lasegue_platform::auth::SigningKey;
    use lasegue_platform::random::SystemRandom;
    use secrecy::ExposeSecret;

    use super::*;

    fn names(folder: &Path) -> BTreeSet<String> {
        let files = fs::read_dir(folder).expect("the folder was made");
        files.map(|file| file.expect("a file").file_name().into_string().expect("a name")).collect()
    }

    fn all(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let readers = names(folder).into_iter().map(|reader| folder.join(reader));
        let files = readers.flat_map(|reader| names(&reader).into_iter().map(move |name| reader.join(name)));
        files.map(|file| (file.clone(), fs::read(&file).expect("it can be read"))).collect()
    }

    #[test]
    fn each_process_gets_what_it_may_know_and_nothing_besides() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), &SystemRandom).expect("an empty folder takes secrets");
        let of = |reader: &str| names(&folder.path().join(reader)).into_iter().collect::<Vec<_>>();
        assert_eq!(of("intake"), ["nats-intake", "postgres-intake", "token.key"]);
        assert_eq!(of("web"), ["token.key"]);
        assert_eq!(of("nats"), ["passwords.conf"]);
        let roles = ["postgres-alerting", "postgres-assessment", "postgres-intake", "postgres-scheduling"];
        assert_eq!(of("migrate"), roles);
        assert_eq!(of("postgres"), [&roles[..], &["postgres-superuser"]].concat());
    }

    #[test]
    fn those_who_share_a_secret_have_the_same_and_no_two_secrets_are_alike() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), &SystemRandom).expect("an empty folder takes secrets");
        let secrets = |reader: &str| Secrets(folder.path().join(reader));
        let password =
            |reader| secrets(reader).postgres(Service::Intake).expect("it is there").expose_secret().to_owned();
        assert_eq!(password("intake"), password("migrate"));
        assert_eq!(password("intake"), password("postgres"));
        let nats = secrets("intake").nats(Service::Intake).expect("it is there").expose_secret().to_owned();
        assert_ne!(nats, password("intake"));
        let variables = fs::read_to_string(folder.path().join("nats/passwords.conf")).expect("it is there");
        assert!(variables.contains(&format!("INTAKE_PASSWORD: \"{nats}\"\n")), "{variables}");
        SigningKey::load(&folder.path().join("web")).expect("the key is one");
    }

    #[test]
    fn what_is_there_stays_and_what_is_missing_is_made_to_fit() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), &SystemRandom).expect("an empty folder takes secrets");
        let before = all(folder.path());
        fs::remove_file(folder.path().join("migrate/postgres-intake")).expect("it was there");
        fs::remove_file(folder.path().join("nats/passwords.conf")).expect("it was there");
        make(folder.path(), &SystemRandom).expect("the rest is made");
        assert_eq!(all(folder.path()), before);
    }

    #[test]
    fn a_missing_secret_is_named_with_what_makes_it() {
        let error = Secrets("/nowhere".into()).nats(Service::Intake).expect_err("there is none").to_string();
        assert!(error.contains("/nowhere/nats-intake") && error.contains("lasegue secrets"), "{error}");
    }
}
