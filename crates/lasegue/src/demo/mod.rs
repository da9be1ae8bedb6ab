//! `lasegue up --demo`: a clinic of synthetic patients, and a red flag every few seconds, so that a newcomer sees within a
//! minute what the product does. Everything goes through the real interface; only the patients and the pager are made up.

mod clinic;
mod pager;
mod screen;
mod stories;

use std::time::Duration;

use lasegue_platform::clock::SharedClock;
use tokio_util::sync::CancellationToken;

use self::clinic::Clinic;
pub(crate) use self::clinic::Tokens;
pub(crate) use self::pager::{Pager, on_call};
use self::stories::STORIES;

/// Synthetic patients of the clinic.
const PATIENTS: usize = 200;
/// The pause between two stories.
const PAUSE: Duration = Duration::from_secs(5);
/// How long the person on call takes to accept.
const REACTION: Duration = Duration::from_millis(2_500);
/// How long a page may take before the demo says that it has not come.
const PATIENCE: Duration = Duration::from_secs(10);
/// Each so many-th page is left unanswered, to show the escalation.
const UNANSWERED: usize = 4;

/// Fills the clinic and tells stories until `stop`.
///
/// # Errors
/// When the process does not answer as its interface promises.
pub(crate) async fn run(
    url: String,
    tokens: Tokens,
    mut pager: Pager,
    clock: SharedClock,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let telling = tell(url, tokens, &mut pager, &clock);
    tokio::select! {
        told = telling => told,
        () = stop.cancelled() => Ok(()),
    }
}

async fn tell(url: String, tokens: Tokens, pager: &mut Pager, clock: &SharedClock) -> anyhow::Result<()> {
    let started = clock.now();
    let clinic = Clinic::fill(url, tokens, PATIENTS, clock).await?;
    screen::filled(&clinic, clock.now() - started);
    screen::kinds(&clinic.kinds().await?);
    for (number, patient) in clinic.patients().enumerate() {
        let story = &STORIES[number % STORIES.len()];
        screen::story(clock.now(), patient, story.told);
        let sent = clock.now();
        let answer = clinic.send(patient, story, sent).await?;
        screen::answered(&answer);
        match pager.next(PATIENCE).await {
            Some(page) => {
                screen::page(&page, page.at - sent, number == 0);
                if number % UNANSWERED == UNANSWERED - 1 {
                    screen::unanswered();
                } else {
                    clock.sleep(REACTION).await;
                    clinic.accept(patient).await?;
                    screen::accepted(page.contact, clock.now() - page.at);
                }
            }
            None => screen::no_page(PATIENCE),
        }
        let rest = clock.now() + PAUSE;
        while let Some(page) = pager.next_until(rest).await {
            screen::late_page(&page);
        }
    }
    screen::over(clock.now());
    std::future::pending().await
}
