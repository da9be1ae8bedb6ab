//! What alerting does with each event that reaches it, and with each timer that fires.

use std::sync::Arc;

use async_trait::async_trait;
use lasegue_contracts::assessment::RedFlagRaised;
use lasegue_contracts::intake::{RefusalCorrected, SubmissionRefused};
use lasegue_contracts::platform::{EventsHeldUp, MessageDeadLettered};
use lasegue_contracts::scheduling::VisitOverdue;
use lasegue_contracts::topology::{
    ALERTING_DEAD_LETTERS, ALERTING_RED_FLAGS, ALERTING_RED_FLAGS_BULK, ALERTING_REFUSALS, ALERTING_TROUBLES,
    ALERTING_VISITS, Consumer,
};
use lasegue_contracts::{Envelope, Event, Service, event};
use lasegue_platform::bus::Message;
use lasegue_platform::consume::{Handler, HandlerError};
use lasegue_platform::store::timers::{OnTimer, Timer};
use lasegue_platform::wire;
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::escalation::{red_flags, report, tick};
use crate::ids::CaseId;
use crate::messages;
use crate::plan::Report;
use crate::service::{Alerting, Trigger};
use crate::store::{BEAT, REPORT, UNREACHED, WAKE, deliveries};

/// Red flags, of the live lane or the bulk lane.
pub struct RedFlags {
    alerting: Arc<Alerting>,
    consumer: &'static Consumer,
}

/// Refused submissions and their corrections.
pub struct Refusals(pub Arc<Alerting>);

/// Missed visits.
pub struct Visits(pub Arc<Alerting>);

/// Messages that some consumer had to set aside.
pub struct DeadLetters(pub Arc<Alerting>);

/// What services tell of their own running.
pub struct Troubles(pub Arc<Alerting>);

/// Alerting's own timers.
pub struct Timers(pub Arc<Alerting>);

impl RedFlags {
    /// The red flags of one report at a time.
    pub const fn live(alerting: Arc<Alerting>) -> Self {
        Self { alerting, consumer: &ALERTING_RED_FLAGS }
    }

    /// The red flags of imports and re-evaluations.
    pub const fn bulk(alerting: Arc<Alerting>) -> Self {
        Self { alerting, consumer: &ALERTING_RED_FLAGS_BULK }
    }
}

#[async_trait]
impl Handler for RedFlags {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let flags = messages::red_flags(&envelope.open::<RedFlagRaised>()?, wire::time("time", &envelope.time)?)?;
        let trigger = Trigger::Event(self.consumer.name, envelope.id);
        let decision = |case, on_call: &_, now| red_flags::decide(case, &flags, on_call, now);
        Ok(self.alerting.decide(flags.case, &trigger, decision).await?)
    }

    /// A red flag that cannot be read still has an episode in its subject: the catch-all is paged to look it up.
    async fn set_aside(&self, message: &Message, _dead_letter: Uuid) -> Result<(), HandlerError> {
        let case = event::episode_of_subject(&message.subject).map_or(CaseId::OPERATOR, CaseId);
        Ok(self.alerting.decide(case, &Trigger::Request, report::unreadable_red_flag).await?)
    }
}

#[async_trait]
impl Handler for Refusals {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let trigger = Trigger::Event(ALERTING_REFUSALS.name, envelope.id);
        if envelope.event_type == RefusalCorrected::TYPE {
            let event = envelope.open::<RefusalCorrected>()?;
            let (case, refusal) = messages::refusal(&event.episode_id, &event.refusal_id)?;
            let decision = |case, on_call: &_, now| report::corrected(case, refusal, on_call, now);
            return Ok(self.0.decide(case, &trigger, decision).await?);
        }
        let event = envelope.open::<SubmissionRefused>()?;
        let (case, refusal) = messages::refusal(&event.episode_id, &event.refusal_id)?;
        let told = messages::told(&event)?;
        let decision = |case, on_call: &_, now| report::refused(case, refusal, told, on_call, now);
        Ok(self.0.decide(case, &trigger, decision).await?)
    }
}

#[async_trait]
impl Handler for Visits {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let event = envelope.open::<VisitOverdue>()?;
        wire::id("episode_id", &event.episode_id)?;
        let trigger = Trigger::Event(ALERTING_VISITS.name, envelope.id);
        let decision = |case, on_call: &_, now| report::tell(case, &Report::MissedVisits, on_call, now);
        Ok(self.0.decide(CaseId::OPERATOR, &trigger, decision).await?)
    }

    /// All of them change one case.
    fn group(&self, _: &Message) -> Option<Uuid> {
        Some(CaseId::OPERATOR.0)
    }
}

#[async_trait]
impl Handler for DeadLetters {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let letter = messages::letter(envelope.open::<MessageDeadLettered>()?)?;
        let trigger = Trigger::Event(ALERTING_DEAD_LETTERS.name, envelope.id);
        let report = Report::Unhandled(letter);
        let decision = |case, on_call: &_, now| report::tell(case, &report, on_call, now);
        Ok(self.0.decide(CaseId::OPERATOR, &trigger, decision).await?)
    }

    /// All of them change one case.
    fn group(&self, _: &Message) -> Option<Uuid> {
        Some(CaseId::OPERATOR.0)
    }
}

#[async_trait]
impl Handler for Troubles {
    async fn handle(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let event = envelope.open::<EventsHeldUp>()?;
        let trigger = Trigger::Event(ALERTING_TROUBLES.name, envelope.id);
        if Service::ALL.into_iter().all(|service| service.name() != event.service) {
            return Err(HandlerError::give_up(format!("{} is no service", event.service)));
        }
        let report = messages::trouble(event);
        let decision = |case, on_call: &_, now| report::tell(case, &report, on_call, now);
        Ok(self.0.decide(CaseId::OPERATOR, &trigger, decision).await?)
    }

    /// All of them change one case.
    fn group(&self, _: &Message) -> Option<Uuid> {
        Some(CaseId::OPERATOR.0)
    }
}

#[async_trait]
impl OnTimer for Timers {
    async fn fire(&self, timer: &Timer) -> Result<(), HandlerError> {
        let trigger = Trigger::Timer(timer.clone());
        match timer.kind.as_str() {
            WAKE => {
                let case = timer.key.parse().map(CaseId).map_err(HandlerError::give_up)?;
                Ok(self.0.decide(case, &trigger, tick::decide).await?)
            }
            REPORT => {
                let report: Report = serde_json::from_str(&timer.key).map_err(HandlerError::give_up)?;
                let decision = |case, on_call: &_, now| report::tell(case, &report, on_call, now);
                Ok(self.0.decide(CaseId::OPERATOR, &trigger, decision).await?)
            }
            BEAT => Ok(self.0.let_beat(timer.clone()).await?),
            UNREACHED => self.unreached(timer, &trigger).await,
            kind => Err(HandlerError::give_up(format!("a timer of an unknown kind: {kind}"))),
        }
    }
}

impl Timers {
    async fn unreached(&self, timer: &Timer, trigger: &Trigger) -> Result<(), HandlerError> {
        let id: Uuid = timer.key.parse().map_err(HandlerError::give_up)?;
        let row = deliveries::Entity::find_by_id(id).one(self.0.store().reader()).await?;
        let row = row.ok_or_else(|| HandlerError::give_up(format!("there is no delivery {id}")))?;
        let alerts = row.awaited_by()?;
        let decision = |case, on_call: &_, now| tick::unreached(case, &alerts, on_call, now);
        Ok(self.0.decide(CaseId(row.case_id), trigger, decision).await?)
    }
}
