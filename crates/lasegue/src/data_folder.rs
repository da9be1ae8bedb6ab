//! The data folder of `lasegue up`, and what a backup of it holds.

mod held;
mod installed;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, anyhow, ensure};
use chrono::{DateTime, Utc};
use lasegue_contracts::Service;
use lasegue_platform::store::StoreError;
use lasegue_platform::store::backup::{Tables, examine};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use self::held::Held;
pub(crate) use self::installed::still_has_all;

/// What is in a backup, written when everything else is there.
const MANIFEST: &str = "backup.json";
/// Bytes of a file that are hashed at once.
const PIECE: usize = 1 << 20;
/// In a data folder while a backup is put into it.
const RESTORING: &str = "restoring";

/// Whether `path`, which need not be there yet, is `folder` or lies in it, whatever links lead there.
///
/// # Errors
/// What the system says.
pub(crate) fn lies_within(path: &Path, folder: &Path) -> io::Result<bool> {
    Ok(without_links(path)?.starts_with(without_links(folder)?))
}

/// A path without links, as far as it is there.
fn without_links(path: &Path) -> io::Result<PathBuf> {
    let path = absolute(path)?;
    let found = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    let rest = |part| path.strip_prefix(part).unwrap_or(&path);
    Ok(found.map_or_else(|| path.clone(), |(part, real)| real.join(rest(part))))
}

/// The file of `service`'s database in `folder`.
pub(crate) fn database(folder: &Path, service: Service) -> PathBuf {
    folder.join(format!("{service}.sqlite"))
}

/// Whether `folder` holds a database.
pub(crate) fn is_one(folder: &Path) -> bool {
    Service::ALL.into_iter().any(|service| database(folder, service).exists())
}

/// Says no when `folder` holds no database: its name may be mistyped.
///
/// # Errors
/// Then.
pub(crate) fn is_there(folder: &Path) -> anyhow::Result<()> {
    let name = folder.display();
    ensure!(is_one(folder), "{name} is no data folder: name with --data that of `lasegue up`, which makes it");
    Ok(())
}

/// Says no when there is no `database`, or an empty file in its place.
///
/// # Errors
/// Then.
pub(crate) fn is_present(database: &Path) -> anyhow::Result<()> {
    ensure!(
        database.exists(),
        "{} is not there: give the data folder of `lasegue up`, or a backup of it",
        database.display()
    );
    ensure!(
        fs::metadata(database)?.len() > 0,
        "{} is empty, which no database of an installation is: look for what emptied it, and for the newest backup that is whole",
        database.display()
    );
    Ok(())
}

/// Says no when a backup was put into `folder` by halves.
///
/// # Errors
/// Then.
pub(crate) fn is_complete(folder: &Path) -> anyhow::Result<()> {
    ensure!(
        !folder.join(RESTORING).exists(),
        "a backup was put into {} and not to its end: run `lasegue restore --replace` again",
        folder.display()
    );
    Ok(())
}

/// Marks `folder` as one that a backup is being put into.
///
/// # Errors
/// What the system says.
pub(crate) fn begin_restoring(folder: &Path) -> anyhow::Result<Restoring> {
    let mark = folder.join(RESTORING);
    File::create(&mark)?.sync_all()?;
    sync(folder)?;
    Ok(Restoring { folder: folder.to_owned(), mark })
}

/// A backup that is being put into a folder.
#[derive(Debug)]
pub(crate) struct Restoring {
    folder: PathBuf,
    mark: PathBuf,
}

impl Restoring {
    /// All of it is there.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        sync(&self.folder)?;
        fs::remove_file(&self.mark)?;
        sync(&self.folder)
    }
}

fn sync(folder: &Path) -> anyhow::Result<()> {
    Ok(File::open(folder)?.sync_all()?)
}

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    taken_at: DateTime<Utc>,
    /// The rows of each table of each service.
    databases: BTreeMap<String, Tables>,
    /// Of each file, by its name in the folder. Former versions wrote none.
    #[serde(default)]
    sha256: BTreeMap<String, String>,
}

impl Manifest {
    /// That of everything which is in `folder`.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn of(
        folder: &Path,
        taken_at: DateTime<Utc>,
        databases: BTreeMap<Service, Tables>,
    ) -> anyhow::Result<Self> {
        let named = databases.into_iter().map(|(service, tables)| (service.name().to_owned(), tables));
        Ok(Self { taken_at, databases: named.collect(), sha256: hashes(folder)? })
    }

    pub(crate) fn taken_at(&self) -> DateTime<Utc> {
        self.taken_at
    }

    pub(crate) fn rows(&self) -> i64 {
        self.databases.values().flat_map(BTreeMap::values).sum()
    }

    /// Ends a backup.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let mut file = File::create(folder.join(MANIFEST))?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.sync_all()?;
        sync(folder)
    }

    /// That of the backup in `folder`.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(MANIFEST);
        let no_backup = || format!("{} holds no backup that was finished: {MANIFEST} cannot be read", folder.display());
        serde_json::from_str(&fs::read_to_string(path).with_context(no_backup)?).with_context(no_backup)
    }

    /// That of the backup in `folder`, if it is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn find(folder: &Path) -> anyhow::Result<Option<Self>> {
        folder.join(MANIFEST).exists().then(|| Self::read(folder)).transpose()
    }

    /// Makes sure that `file` in `folder` has the bytes that were written.
    ///
    /// # Errors
    /// When it has not.
    fn compare(&self, folder: &Path, file: &str) -> anyhow::Result<()> {
        let (path, wanted) = (folder.join(file), self.sha256.get(file));
        ensure!(path.exists(), "{} is not there: this backup is not whole, use another one", path.display());
        ensure!(
            wanted.is_none_or(|wanted| sha256(&path).is_ok_and(|found| found == *wanted)),
            "{} is not as the backup wrote it: this backup is not whole, use another one",
            path.display()
        );
        Ok(())
    }

    /// Makes sure that what belongs to no database is there and as it was written.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn check_tokens(&self, folder: &Path) -> anyhow::Result<()> {
        let databases = Service::ALL.map(|service| database(Path::new(""), service).display().to_string());
        self.sha256.keys().filter(|file| !databases.contains(file)).try_for_each(|file| self.compare(folder, file))
    }

    /// Makes sure that the database of `service` in `folder` is whole and as it was written.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) async fn check(&self, folder: &Path, service: Service) -> anyhow::Result<()> {
        let file = database(folder, service);
        is_present(&file)?;
        let found = examine(service, &file).await.map_err(of_backup)?;
        self.compare(folder, &database(Path::new(""), service).display().to_string())?;
        let wanted = self.databases.get(service.name());
        ensure!(
            wanted == Some(&found),
            "{} has other rows than when it was written: this backup is not whole, use another one",
            file.display()
        );
        Ok(())
    }
}

/// What damage means that is found in a backup: there is nothing to restore into it.
fn of_backup(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Damaged { file, what, .. } => {
            anyhow!("{} is damaged ({what}): this backup is not whole, use another one", file.display())
        }
        other => other.into(),
    }
}

/// The SHA-256 of every file in `folder` and its folders, by its name there.
fn hashes(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name().display().to_string()))?;
        if path.is_dir() {
            found.extend(hashes(&path)?.into_iter().map(|(inner, hash)| (format!("{name}/{inner}"), hash)));
        } else {
            found.insert(name, sha256(&path)?);
        }
    }
    Ok(found)
}

fn sha256(file: &Path) -> io::Result<String> {
    let (mut file, mut hash, mut piece) = (File::open(file)?, Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => hash.update(&piece[..read]),
        }
    }
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    Ok(hash.finalize().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}
