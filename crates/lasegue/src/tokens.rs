//! Opening what makes tokens, as every command does that needs one.

use anyhow::ensure;
use lasegue_platform::auth::{Folders, Issuer, SYMMETRIC_KEY_FILE, TokenError};
use lasegue_platform::clock::{Clock, SystemClock};
use lasegue_platform::random::Random;

/// The issuer of `folders`, made at first use. The one key of a former version may lie in the private folder.
///
/// # Errors
/// When tokens are made elsewhere, or a file cannot be used.
pub(crate) fn issuer(folders: &Folders, random: &dyn Random) -> Result<Issuer, TokenError> {
    let symmetric = folders.private.join(SYMMETRIC_KEY_FILE).exists();
    Issuer::open(folders, symmetric, SystemClock.now(), random)
}

/// The issuer of folders that `lasegue up` or `lasegue secrets` has made.
///
/// # Errors
/// When neither has, and as [`issuer`].
pub(crate) fn issuer_that_is_there(folders: &Folders, random: &dyn Random) -> anyhow::Result<Issuer> {
    ensure!(
        folders.are_used(),
        "no tokens are made in {}: name with --data the data folder of `lasegue up`, or `token` in the secrets",
        folders.private.display()
    );
    ensure!(
        !folders.are_apart(),
        "nothing of the tokens that were made is in {}: name with --tokens the folder that every role reads",
        folders.public.display()
    );
    Ok(issuer(folders, random)?)
}
