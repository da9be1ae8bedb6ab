//! What a signature says that its signer has seen, and what pages although somebody signed.

use lasegue_alerting::escalation::command::{Action, Command};
use lasegue_alerting::finding::Key;
use lasegue_alerting::ids::{CaseId, Person, Revision};
use lasegue_alerting::store::alerts;
use lasegue_contracts::Service;
use lasegue_contracts::alerting::FindingDisposed;
use lasegue_contracts::assessment::{RedFlagRaised, SignedDisposition, Status};
use lasegue_contracts::intake::{RefusalReason, SubmissionRefused};
use lasegue_platform::clock::Clock;
use lasegue_platform::wire::timestamp;
use uuid::Uuid;

use crate::harness::{Clinic, EPISODE, emergency};

const CODE: &str = "cauda-equina-emergency";

/// The emergency with one ground more, signed `signatures` times.
fn worse(revision: u64, signatures: usize) -> RedFlagRaised {
    let mut told = RedFlagRaised { submission_id: Uuid::from_u128(99).to_string(), ..emergency(revision) };
    told.flags[0].measure.insert("urinary_retention".to_owned(), 1);
    told.flags[0].status = Status::Worse.into();
    let signed = SignedDisposition { code: CODE.to_owned(), ..SignedDisposition::default() };
    RedFlagRaised { dispositions: vec![signed; signatures], ..told }
}

impl Clinic {
    /// Signs the emergency as somebody who saw `revision`.
    async fn sign(&self, revision: u64) {
        let open = alerts::in_states(self.alerting.store().reader(), &["open"], None, 10).await.expect("readable");
        let (_, alert) = open.iter().find(|(_, alert)| alert.key == Key::of(CODE)).expect("it is open");
        let action = Action::Dispose { note: "Scan normal.".to_owned() };
        let command = Command { alert: alert.id, by: Person("dr-a".to_owned()), seen: Revision(revision), action };
        self.alerting.command(CaseId(EPISODE), &command).await.expect("there is no news");
    }

    /// The revisions that its signers say they have seen, as assessment hears of them.
    async fn seen(&self) -> Vec<Option<u64>> {
        self.published::<FindingDisposed>().await.into_iter().map(|event| event.seen_revision).collect()
    }
}

#[tokio::test]
async fn a_signature_names_the_revision_that_its_signer_saw() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(5)).await;
    clinic.pages("a", 1).await;
    clinic.sign(5).await;
    assert_eq!(clinic.seen().await, [Some(5)]);
    clinic.close().await;
}

#[tokio::test]
async fn news_that_is_not_in_the_record_makes_nobody_see_more_of_it() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(5)).await;
    let refused = SubmissionRefused {
        episode_id: EPISODE.to_string(),
        refusal_id: Uuid::from_u128(8).to_string(),
        received_at: Some(timestamp(clinic.clock.now())),
        reason: RefusalReason::DangerSign.into(),
        ..SubmissionRefused::default()
    };
    clinic.tell_as(Service::Intake, refused).await;
    clinic.pages("a", 2).await;
    clinic.sign(6).await;
    assert_eq!(clinic.seen().await, [Some(5)], "the refusal counted on to 6, which the record may yet have");
    clinic.close().await;
}

#[tokio::test]
async fn what_got_worse_while_somebody_signed_opens_and_pages_whichever_is_heard_of_first() {
    for told in [vec![worse(6, 0), worse(7, 1)], vec![worse(7, 1), worse(6, 0)]] {
        let mut clinic = Clinic::open().await;
        clinic.tell(emergency(5)).await;
        clinic.pages("a", 1).await;
        clinic.sign(5).await;
        for event in told {
            clinic.tell(event).await;
        }
        assert_eq!(clinic.pages("a", 1).await[0].text("reason"), "opened");
        assert_eq!(clinic.states().await, ["cauda-equina-emergency closed", "cauda-equina-emergency open"]);
        clinic.close().await;
    }
}
