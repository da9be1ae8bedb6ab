//! The files with passwords and keys: who gets which, how they are made and read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::Context;
use lasegue_contracts::Service;
use lasegue_platform::auth::{Folders, Issuer, SYMMETRIC_KEY_FILE};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::keys::{KEY_LENGTH, KeyError, SigningKey};
use lasegue_platform::random::Random;
use lasegue_platform::signed::{EventKeys, PUBLIC_FILE, PublicKeys, private_file};
use secrecy::{ExposeSecret, SecretString};

/// The password of PostgreSQL's superuser, for its container alone.
const SUPERUSER: &str = "postgres-superuser";
/// The passwords as variables of the NATS server's configuration.
const NATS_PASSWORDS: &str = "passwords.conf";
/// The processes that are not ours and start under an account of their own.
const SERVERS: [&str; 2] = ["nats", "postgres"];
/// Whoever brings the databases up to date.
const MIGRATE: &str = "migrate";
/// Whoever makes tokens: the private half of the key that signs them.
const TOKEN: &str = "token";
/// What every role may know of tokens.
const TOKENS: &str = "tokens";
/// Processes that need no password.
const OTHERS: [&str; 2] = ["nats", "web"];
/// Files are for their owner to read.
const FILE_MODE: u32 = 0o400;
/// Folders are for their owner alone.
const FOLDER_MODE: u32 = 0o700;
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

    /// What `one` and `other` prove their names to each other with.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(crate) fn direct(&self, one: Service, other: Service) -> anyhow::Result<SecretString> {
        self.read(&direct(one, other))
    }

    /// What `services` sign their events with, and the public halves of all; nothing for a process that has no service.
    ///
    /// # Errors
    /// When a file cannot be read, or they do not fit together.
    pub(crate) fn event_keys(&self, services: &[Service]) -> anyhow::Result<EventKeys> {
        if services.is_empty() {
            return Ok(EventKeys::default());
        }
        let own =
            services.iter().map(|service| Ok((*service, SigningKey::read(&self.0.join(private_file(*service)))?)));
        let own = own.collect::<Result<_, KeyError>>().context("`lasegue secrets` makes the keys of each service")?;
        let known: PublicKeys = self.read(PUBLIC_FILE)?.expose_secret().parse()?;
        Ok(EventKeys::new(own, &known)?)
    }

    /// The public halves of all services' keys.
    ///
    /// # Errors
    /// When their file cannot be read.
    pub(crate) fn public_event_keys(&self) -> anyhow::Result<EventKeys> {
        let known: PublicKeys = self.read(PUBLIC_FILE)?.expose_secret().parse()?;
        Ok(EventKeys::new(BTreeMap::new(), &known)?)
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

fn direct(one: Service, other: Service) -> String {
    format!("direct-{}-{}", one.min(other), one.max(other))
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
    let mut secrets = vec![Secret { name: SUPERUSER.to_owned(), readers: vec!["postgres"] }];
    for service in Service::ALL {
        secrets.push(Secret { name: nats(service), readers: vec![service.name()] });
        secrets.push(Secret { name: postgres(service), readers: vec![service.name(), MIGRATE, "postgres"] });
        secrets.push(Secret { name: private_file(service), readers: vec![service.name()] });
        for other in Service::ALL.into_iter().filter(|other| *other > service) {
            secrets.push(Secret { name: direct(service, other), readers: vec![service.name(), other.name()] });
        }
    }
    secrets
}

/// Makes what is missing of every secret in `folder`, which has a folder for each process with what that one may know.
/// No secret that is there is ever changed, so it can be run again and again; only its owner may read it afterwards,
/// which is `owner` where one is given, but for the servers' own.
///
/// # Errors
/// When a file cannot be read or written.
pub(crate) fn make(folder: &Path, owner: Option<u32>, random: &dyn Random) -> anyhow::Result<()> {
    let readers: BTreeSet<_> = plan().into_iter().flat_map(|secret| secret.readers).chain(OTHERS).collect();
    make_folder(folder)?;
    readers.iter().try_for_each(|reader| make_folder(&folder.join(reader)))?;
    make_files(folder, random)?;
    make_tokens(folder, &readers, random)?;
    readers.into_iter().chain([TOKEN, TOKENS]).try_for_each(|reader| {
        let owner = owner.filter(|_| !SERVERS.contains(&reader));
        keep_to_owner(&folder.join(reader), owner)
    })
}

fn make_files(folder: &Path, random: &dyn Random) -> anyhow::Result<()> {
    let of = |service: Service, name: &str| folder.join(service.name()).join(name);
    for Secret { name, readers } in plan() {
        let places: Vec<_> = readers.iter().map(|reader| folder.join(reader).join(&name)).collect();
        let known = places.iter().find_map(|place| read_if_there(place).transpose()).transpose()?;
        let content = known.unwrap_or_else(|| if is_key(&name) { bytes(random) } else { password(random) });
        for place in places {
            write_new(&place, &content)?;
        }
    }
    let own = |service| Ok((service, SigningKey::read(&of(service, &private_file(service)))?.verifying()));
    let public: PublicKeys = Service::ALL.into_iter().map(own).collect::<anyhow::Result<_>>()?;
    // Also to who looks after the databases, and so verifies what the services have signed there.
    for reader in Service::ALL.map(Service::name).into_iter().chain([MIGRATE]) {
        write_new(&folder.join(reader).join(PUBLIC_FILE), public.to_string().as_bytes())?;
    }
    let variable = |service: Service| {
        let password = fs::read_to_string(of(service, &nats(service)))?;
        Ok(format!("{}_PASSWORD: \"{password}\"\n", service.name().to_uppercase()))
    };
    let variables: String = Service::ALL.into_iter().map(variable).collect::<anyhow::Result<_>>()?;
    write_new(&folder.join("nats").join(NATS_PASSWORDS), variables.as_bytes())
}

/// Makes the key that signs tokens and publishes its other half. Former versions gave each of `readers` one key for all,
/// which goes once it does not count any more.
fn make_tokens(folder: &Path, readers: &BTreeSet<&str>, random: &dyn Random) -> anyhow::Result<()> {
    let former = readers.iter().map(|reader| folder.join(reader).join(SYMMETRIC_KEY_FILE));
    let former: Vec<_> = former.filter(|file| file.exists()).collect();
    let (folders, now) = (Folders { private: folder.join(TOKEN), public: folder.join(TOKENS) }, SystemClock.now());
    if Issuer::open(&folders, !former.is_empty(), now, random)?.symmetric_until(now)?.is_some() {
        return Ok(());
    }
    let gone = |file: &PathBuf| fs::remove_file(file).with_context(|| format!("{} cannot be removed", file.display()));
    former.iter().try_for_each(gone)
}

/// Whether it is bytes for a signature, not a text to sign in with.
fn is_key(name: &str) -> bool {
    Service::ALL.into_iter().any(|service| name == private_file(service))
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

/// Makes a folder that is not there yet, for its owner alone.
fn make_folder(folder: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
    made.with_context(|| format!("{} cannot be made", folder.display()))
}

/// Lets nobody but the owner, who becomes `owner` where one is given, into `folder` and the files in it.
fn keep_to_owner(folder: &Path, owner: Option<u32>) -> anyhow::Result<()> {
    let keep = |path: &Path, mode| -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        owner.map_or(Ok(()), |owner| chown(path, Some(owner), None))
    };
    let all = || -> io::Result<()> {
        for file in fs::read_dir(folder)? {
            keep(&file?.path(), FILE_MODE)?;
        }
        keep(folder, FOLDER_MODE)
    };
    all().with_context(|| format!("{} cannot be kept to its owner", folder.display()))
}

/// Writes a file that is not there yet, whole or not at all.
fn write_new(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", path.display());
    if path.try_exists().with_context(cannot)? {
        return Ok(());
    }
    let draft = path.with_extension("draft");
    // One that was left half-written cannot be written to.
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&draft).with_context(cannot)?;
    file.write_all(content).and_then(|()| file.sync_all()).with_context(cannot)?;
    fs::rename(&draft, path).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use lasegue_platform::random::SystemRandom;

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
        make(folder.path(), None, &SystemRandom).expect("an empty folder takes secrets");
        let of = |reader: &str| names(&folder.path().join(reader)).into_iter().collect::<Vec<_>>();
        assert_eq!(
            of("intake"),
            [
                "direct-intake-alerting",
                "direct-intake-assessment",
                "direct-intake-scheduling",
                "event-intake.key",
                "event-keys",
                "nats-intake",
                "postgres-intake"
            ]
        );
        assert!(of("web").is_empty());
        assert_eq!(of("token"), ["signing.key"]);
        assert_eq!(of("tokens"), ["keys.json", "revoked.json"]);
        assert_eq!(of("nats"), ["passwords.conf"]);
        let roles = ["postgres-alerting", "postgres-assessment", "postgres-intake", "postgres-scheduling"];
        assert_eq!(of("migrate"), [&["event-keys"], &roles[..]].concat());
        assert_eq!(of("postgres"), [&roles[..], &["postgres-superuser"]].concat());
    }

    #[test]
    fn those_who_share_a_secret_have_the_same_and_no_two_secrets_are_alike() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), None, &SystemRandom).expect("an empty folder takes secrets");
        let secrets = |reader: &str| Secrets(folder.path().join(reader));
        let password =
            |reader| secrets(reader).postgres(Service::Intake).expect("it is there").expose_secret().to_owned();
        assert_eq!(password("intake"), password("migrate"));
        assert_eq!(password("intake"), password("postgres"));
        let nats = secrets("intake").nats(Service::Intake).expect("it is there").expose_secret().to_owned();
        assert_ne!(nats, password("intake"));
        let variables = fs::read_to_string(folder.path().join("nats/passwords.conf")).expect("it is there");
        assert!(variables.contains(&format!("INTAKE_PASSWORD: \"{nats}\"\n")), "{variables}");
    }

    #[test]
    fn what_is_there_stays_and_what_is_missing_is_made_to_fit() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), None, &SystemRandom).expect("an empty folder takes secrets");
        let before = all(folder.path());
        fs::remove_file(folder.path().join("migrate/postgres-intake")).expect("it was there");
        fs::remove_file(folder.path().join("nats/passwords.conf")).expect("it was there");
        make(folder.path(), None, &SystemRandom).expect("the rest is made");
        assert_eq!(all(folder.path()), before);
    }

    #[test]
    fn nobody_but_the_owner_reads_a_secret_also_one_of_an_older_version() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("secrets");
        make(&root, None, &SystemRandom).expect("an empty folder takes secrets");
        fs::set_permissions(root.join("intake/nats-intake"), Permissions::from_mode(0o444)).expect("it is ours");
        fs::set_permissions(root.join("intake"), Permissions::from_mode(0o755)).expect("it is ours");
        make(&root, None, &SystemRandom).expect("it can be run again");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode(&root), 0o700);
        for (file, _) in all(&root) {
            assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o400, 0o700), "{}", file.display());
        }
    }

    #[test]
    fn nobody_but_whoever_makes_tokens_has_anything_to_sign_them_with() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), None, &SystemRandom).expect("an empty folder takes secrets");
        let key = fs::read(folder.path().join("token/signing.key")).expect("it was made");
        let holders: Vec<_> = all(folder.path()).into_iter().filter(|(_, content)| *content == key).collect();
        assert_eq!(holders.len(), 1);
        let names: BTreeSet<_> = all(folder.path())
            .into_iter()
            .filter_map(|(file, _)| file.file_name()?.to_str().map(str::to_owned))
            .collect();
        assert!(!names.contains(SYMMETRIC_KEY_FILE));
    }

    #[tokio::test]
    async fn the_one_key_of_a_former_version_stays_until_another_key_replaces_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let former = ["intake", "web"].map(|reader| folder.path().join(reader).join(SYMMETRIC_KEY_FILE));
        for file in &former {
            fs::create_dir_all(file.parent().expect("a folder")).expect("the folder takes folders");
            fs::write(file, [7; 32]).expect("the folder takes a file");
        }
        let still_there = || former.iter().filter(|file| file.exists()).count();
        for _ in 0..2 {
            make(folder.path(), None, &SystemRandom).expect("the rest is made");
            assert_eq!(still_there(), 2);
        }
        let folders = Folders { private: folder.path().join(TOKEN), public: folder.path().join(TOKENS) };
        let issuer = Issuer::open(&folders, false, SystemClock.now(), &SystemRandom).expect("it was made");
        issuer.rotate(false, &SystemClock, &SystemRandom).await.expect("there is one key");
        make(folder.path(), None, &SystemRandom).expect("it can be run again");
        assert_eq!(still_there(), 0);
    }

    #[test]
    fn each_service_has_a_key_of_its_own_for_its_events_and_all_know_its_public_half() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), None, &SystemRandom).expect("an empty folder takes secrets");
        let secrets = |service: Service| Secrets(folder.path().join(service.name()));
        for service in Service::ALL {
            secrets(service).event_keys(&[service]).expect("its keys fit together");
            for other in Service::ALL.into_iter().filter(|other| *other != service) {
                let refusal = secrets(service).event_keys(&[other]).expect_err("that key is another's");
                assert!(format!("{refusal:#}").contains("lasegue secrets"), "{refusal:#}");
            }
        }
        fs::remove_file(folder.path().join("intake/event-intake.key")).expect("it was there");
        make(folder.path(), None, &SystemRandom).expect("it is made anew");
        let refusal = secrets(Service::Intake).event_keys(&[Service::Intake]).expect_err("nobody knows the new one");
        assert!(refusal.to_string().contains("add the line \"intake "), "{refusal:#}");
    }

    #[test]
    fn a_missing_secret_is_named_with_what_makes_it() {
        let error = Secrets("/nowhere".into()).nats(Service::Intake).expect_err("there is none").to_string();
        assert!(error.contains("/nowhere/nats-intake") && error.contains("lasegue secrets"), "{error}");
    }
}
