//! Small files that several processes share: written whole or not at all, readable by the owner of their folder alone.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TokenError;

/// Files are for their owner to read; they are replaced, never written to.
const MODE: u32 = 0o400;

/// Puts `content` at `path` in one step, on the disk, for the owner of the folder: who runs a command may be another.
pub(super) fn put(path: &Path, content: &[u8]) -> Result<(), TokenError> {
    let put = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let draft = path.with_extension("draft");
        // One that a process left when it died half-way.
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&draft)?;
        fchown(&file, Some(fs::metadata(folder)?.uid()), None)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(folder)?.sync_all()
    };
    put().map_err(|source| TokenError::file(path, source))
}

/// The same for a value, as JSON.
pub(super) fn put_json(path: &Path, value: &impl Serialize) -> Result<(), TokenError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|source| TokenError::damaged(path, source))?;
    text.push(b'\n');
    put(path, &text)
}

/// The value in the JSON file at `path`, if there is one.
pub(super) fn get_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, TokenError> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|source| TokenError::damaged(path, source)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TokenError::file(path, error)),
    }
}
