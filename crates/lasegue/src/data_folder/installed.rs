//! Whether a folder still has every database of its installation. One that is gone would be made anew, and what was taken
//! into it would be gone without a word.

use std::fs::{self, File};
use std::path::Path;

use anyhow::ensure;
use lasegue_contracts::Service;
use lasegue_platform::store::backup::{examine, is_new};

use super::{database, sync};

/// In a data folder once every database of it was made.
const MARK: &str = "installed";

/// Says no when a database is missing, or an empty file, that an installation has used.
///
/// # Errors
/// Then.
pub(crate) async fn still_has_all(folder: &Path) -> anyhow::Result<()> {
    let (there, gone): (Vec<_>, Vec<_>) = Service::ALL.into_iter().partition(|service| holds(folder, *service));
    let Some(gone) = gone.first() else { return Ok(()) };
    ensure!(
        !is_installed(folder, &there).await?,
        "{0} is {1}, and the installation in {2} has used it: find out what took it away, then `lasegue restore BACKUP --data {2} --replace` puts the newest backup in its place. For a new installation name another folder with --data",
        database(folder, *gone).display(),
        if database(folder, *gone).exists() { "empty" } else { "not there" },
        folder.display()
    );
    Ok(())
}

/// Says that every database was made.
///
/// # Errors
/// What the system says.
pub(super) fn mark(folder: &Path) -> anyhow::Result<()> {
    let mark = folder.join(MARK);
    if !mark.exists() {
        File::create(mark)?.sync_all()?;
        sync(folder)?;
    }
    Ok(())
}

fn holds(folder: &Path, service: Service) -> bool {
    fs::metadata(database(folder, service)).is_ok_and(|file| file.len() > 0)
}

/// Whether all databases were made once. Former versions left no mark: there those of `there` tell, for the first start may
/// have ended between two of them.
async fn is_installed(folder: &Path, there: &[Service]) -> anyhow::Result<bool> {
    let mut installed = folder.join(MARK).exists();
    for service in there {
        installed = installed || !is_new(&examine(*service, &database(folder, *service)).await?);
    }
    Ok(installed)
}

#[cfg(test)]
mod tests {
    use lasegue_platform::clock::SystemClock;
    use lasegue_platform::random::SystemRandom;
    use lasegue_platform::store::{Location, Store};

    use super::*;
    use crate::roles::migrations;

    #[tokio::test]
    async fn a_first_start_that_ended_between_two_databases_may_be_gone_on_with() {
        let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
        let folder = folder.path();
        for service in Service::ALL {
            still_has_all(folder).await.expect("nothing was put into any");
            let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
            let location = Location::Sqlite(database(folder, service));
            let store = Store::open(service, &location, migrations(service), true, clock, random).await;
            store.expect("a new database").close().await;
        }
        mark(folder).expect("the folder takes a file");
        fs::remove_file(database(folder, Service::Intake)).expect("it is there");
        still_has_all(folder).await.expect_err("all of them were there");
    }
}
