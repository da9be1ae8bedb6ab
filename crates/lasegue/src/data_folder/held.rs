//! A data folder that one process has for itself, for as long as it lives.
//!
//! The folder itself is locked, for nobody can take that away without the data. The file `lock` in it is locked as well:
//! former versions know of nothing else.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::installed;

/// What accounts may do that are neither the owner nor of its group.
const OTHERS: u32 = 0o007;

/// Keeps the folder from all other processes while it lives.
#[derive(Debug)]
pub(crate) struct Held {
    folder: PathBuf,
    _locks: [File; 2],
}

impl Held {
    /// Takes `folder`, made when absent.
    ///
    /// # Errors
    /// When it cannot be made or locked, or another process has it.
    pub(crate) fn take(folder: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("the data folder {} cannot be used", folder.display());
        fs::create_dir_all(folder).with_context(cannot)?;
        shut_out_strangers(folder).with_context(cannot)?;
        let itself = lock(folder, File::open(folder).with_context(cannot)?)?;
        let file = lock(folder, File::create(folder.join("lock")).with_context(cannot)?)?;
        Ok(Self { folder: folder.to_owned(), _locks: [itself, file] })
    }

    /// Says, once and for ever, that every database of the folder was made.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn has_all(&self) -> anyhow::Result<()> {
        let cannot = || format!("the data folder {} takes no file", self.folder.display());
        installed::mark(&self.folder).with_context(cannot)
    }
}

/// Takes from all accounts but the owner and its group what they may do in `folder`: an older version let them in.
fn shut_out_strangers(folder: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(folder)?.permissions();
    if permissions.mode() & OTHERS != 0 {
        permissions.set_mode(permissions.mode() & !OTHERS);
        fs::set_permissions(folder, permissions)?;
    }
    Ok(())
}

fn lock(folder: &Path, file: File) -> anyhow::Result<File> {
    let folder = folder.display();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("the data folder {folder} is in use by another process: stop that one, or give --data")
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| {
            format!("the data folder {folder} cannot be locked: give one on a file system that has locks, such as a local disk")
        }),
    }
}
