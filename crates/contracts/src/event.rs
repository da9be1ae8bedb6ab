//! Which events there are, which service sends each, and under which name.

use std::fmt;

use uuid::Uuid;

use crate::{alerting, assessment, intake, platform, scheduling};

/// A service that sends and receives events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Takes in what is reported.
    Intake,
    /// Evaluates it against the protocol.
    Assessment,
    /// Plans the next visit.
    Scheduling,
    /// Pages people.
    Alerting,
}

impl Service {
    /// Every service, in the order of the way of a submission.
    pub const ALL: [Self; 4] = [Self::Intake, Self::Assessment, Self::Scheduling, Self::Alerting];

    /// The name in subjects, commands and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Assessment => "assessment",
            Self::Scheduling => "scheduling",
            Self::Alerting => "alerting",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How urgently an event travels. Bulk (imports, re-evaluation) never delays live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// One report at a time, as it happens.
    Live,
    /// Many at once, in their own stream.
    Bulk,
}

/// A message with a sender, a name and an episode.
pub trait Event: prost::Message + Default + 'static {
    /// The event's name in its subject, for example `submission-accepted`.
    const NAME: &'static str;
    /// The event's full type name, for example `lasegue.intake.v1.SubmissionAccepted`.
    const TYPE: &'static str;
    /// The one service that sends it, or none when every service may.
    const SENDER: Option<Service>;

    /// The episode the event speaks of.
    fn episode_id(&self) -> &str;
}

/// The subject of event `name` about `episode`: `lasegue.<service>.v1.<event>.<episode>`, with `bulk.` before the
/// event's name on the bulk lane.
pub fn subject(sender: Service, lane: Lane, name: &str, episode: Uuid) -> String {
    match lane {
        Lane::Live => format!("lasegue.{sender}.v1.{name}.{episode}"),
        Lane::Bulk => format!("lasegue.{sender}.v1.bulk.{name}.{episode}"),
    }
}

/// The episode that a subject ends with, if it is one of ours.
pub fn episode_of_subject(subject: &str) -> Option<Uuid> {
    subject.starts_with("lasegue.").then(|| subject.rsplit('.').next())?.and_then(|last| last.parse().ok())
}

macro_rules! events {
    ($($module:ident :: $message:ident, $package:literal, $sender:expr, $name:literal;)*) => {
        $(impl Event for $module::$message {
            const NAME: &'static str = $name;
            const TYPE: &'static str = concat!("lasegue.", $package, ".v1.", stringify!($message));
            const SENDER: Option<Service> = $sender;

            fn episode_id(&self) -> &str {
                &self.episode_id
            }
        })*

        /// The names of all events, by type.
        pub const NAMES: &[(&str, &str)] = &[$((concat!("lasegue.", $package, ".v1.", stringify!($message)), $name)),*];
    };
}

events! {
    intake::EpisodeRegistered, "intake", Some(Service::Intake), "episode-registered";
    intake::EpisodeUpdated, "intake", Some(Service::Intake), "episode-updated";
    intake::SubmissionAccepted, "intake", Some(Service::Intake), "submission-accepted";
    intake::AdjudicationRecorded, "intake", Some(Service::Intake), "adjudication-recorded";
    intake::SubmissionRefused, "intake", Some(Service::Intake), "submission-refused";
    intake::RefusalCorrected, "intake", Some(Service::Intake), "refusal-corrected";
    assessment::RedFlagRaised, "assessment", Some(Service::Assessment), "red-flag-raised";
    assessment::AssessmentCompleted, "assessment", Some(Service::Assessment), "assessment-completed";
    scheduling::VisitPlanned, "scheduling", Some(Service::Scheduling), "visit-planned";
    scheduling::VisitDue, "scheduling", Some(Service::Scheduling), "visit-due";
    scheduling::VisitOverdue, "scheduling", Some(Service::Scheduling), "visit-overdue";
    alerting::AlertOpened, "alerting", Some(Service::Alerting), "alert-opened";
    alerting::AlertAccepted, "alerting", Some(Service::Alerting), "alert-accepted";
    alerting::AlertEscalated, "alerting", Some(Service::Alerting), "alert-escalated";
    alerting::PageDelivered, "alerting", Some(Service::Alerting), "page-delivered";
    alerting::PageFailed, "alerting", Some(Service::Alerting), "page-failed";
    alerting::FindingDisposed, "alerting", Some(Service::Alerting), "finding-disposed";
    platform::MessageDeadLettered, "platform", None, "message-dead-lettered";
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPISODE: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);

    #[test]
    fn a_subject_names_service_version_event_and_episode() {
        assert_eq!(
            subject(Service::Intake, Lane::Live, intake::SubmissionAccepted::NAME, EPISODE),
            "lasegue.intake.v1.submission-accepted.01980000-0000-7000-8000-000000000001"
        );
    }

    #[test]
    fn the_episode_is_read_back_from_the_subject_on_both_lanes() {
        for lane in [Lane::Live, Lane::Bulk] {
            assert_eq!(episode_of_subject(&subject(Service::Alerting, lane, "alert-opened", EPISODE)), Some(EPISODE));
        }
        assert_eq!(episode_of_subject("lasegue.intake.v1.submission-accepted.nobody"), None);
        assert_eq!(episode_of_subject(&format!("other.{EPISODE}")), None);
    }

    #[test]
    fn no_two_events_share_a_name() {
        let mut names: Vec<_> = NAMES.iter().map(|(_, name)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
    }
}
