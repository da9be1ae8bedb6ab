//! `lasegue audit verify`: walks the chain of every service.

use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context;
use lasegue_contracts::Service;
use lasegue_platform::audit::{Mark, Verdict};

use super::{Books, Place};
use crate::terminal::tell;

/// Look whether a row was changed, removed or put elsewhere since it was sealed; the exit status is 1 when one was.
///
/// What was cut off at the end shows only against a head that the log told before.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// A head from the log of a service, which must still be in its chain.
    #[arg(long = "head", value_name = "SERVICE:NUMBER:HASH")]
    heads: Vec<Noted>,
}

/// A head that was told before.
#[derive(Clone, Debug)]
struct Noted {
    service: Service,
    mark: Mark,
}

impl FromStr for Noted {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, mark) = text.split_once(':').context("write a head as SERVICE:NUMBER:HASH")?;
        let service = Service::ALL.into_iter().find(|service| service.name() == name);
        Ok(Self { service: service.with_context(|| format!("`{name}` is no service"))?, mark: mark.parse()? })
    }
}

pub(super) async fn run(args: Args, environment: Vec<(String, String)>) -> anyhow::Result<ExitCode> {
    let Books { books, keys } = args.place.books(environment).await?;
    // What nobody could be told does not end the looking.
    let (mut whole, mut said) = (true, Ok(()));
    for (service, book) in books {
        let noted = args.heads.iter().filter(|noted| noted.service == service);
        let noted: Vec<_> = noted.map(|noted| noted.mark.clone()).collect();
        let verdict = book.verify(keys.as_ref(), &noted).await;
        let verdict = verdict.with_context(|| format!("the audit of {service} cannot be read"))?;
        whole &= verdict.broken.is_none();
        said = said.and(tell!("{service}: {}", told(&verdict)));
        book.close().await?;
    }
    if !whole {
        return Ok(ExitCode::FAILURE);
    }
    said?;
    Ok(ExitCode::SUCCESS)
}

fn told(Verdict { rows, unsealed, head, broken }: &Verdict) -> String {
    let found = broken.as_ref().map_or_else(|| "whole".to_owned(), |broken| format!("BROKEN, {broken}"));
    format!("{found}; {rows} rows, {unsealed} not sealed yet, head {head}")
}
