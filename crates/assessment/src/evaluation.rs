//! One evaluation of a record: what the active protocol says of it, put beside what was said before, then committed if
//! nobody else was faster. Of a large record most pieces are committed ahead, a few at a time, so that no unit is long.

use lasegue_platform::store::{Store, StoreError, Unit};
use lasegue_protocol::assessment::{Finding, Status};
use lasegue_protocol::record::Record;
use lasegue_protocol::{Assessment, Protocol};

use crate::cause::Cause;
use crate::history::{Changed, History};
use crate::messages::Told;
use crate::protocols::Protocols;
use crate::remembered::Remembered;
use crate::rule_change::{self, RuleChange};
use crate::store::{self, episodes, from_json, protocols, results, to_json};
use crate::verdict;

/// Pieces that one unit keeps.
const AT_ONCE: usize = 250;

/// A new state of an episode, decided and not yet committed.
#[derive(Debug)]
pub(crate) struct Evaluation {
    changed: Changed,
    /// None as long as the episode itself or a submission is missing.
    result: Option<Outcome>,
    /// The hash of the protocol that was asked.
    protocol: String,
    /// Whether a submission is among what it brings.
    by_submission: bool,
}

#[derive(Debug)]
struct Outcome {
    record: Record,
    assessment: Assessment,
    rule_changes: Vec<RuleChange>,
    /// The emergencies and urgent findings as alerting is to know them.
    told: Vec<Finding>,
}

/// Evaluates the record as `change` makes it, once for all that it brings; none when it changes nothing.
pub(crate) async fn evaluate<E: From<StoreError>>(
    (store, protocols): (&Store, &Protocols),
    history: History,
    change: impl FnOnce(History) -> Result<Option<Changed>, E>,
) -> Result<Option<Evaluation>, E> {
    let protocol = protocols.active(store).await?;
    let rule_changes = rule_changes(&protocol, &history)?;
    let Some(changed) = change(history)? else { return Ok(None) };
    let by_submission = changed.brings_a_submission();
    let result = match changed.history.record()? {
        Some(record) => outcome(&protocol, record, rule_changes, by_submission),
        None => None,
    };
    Ok(Some(Evaluation { changed, result, protocol: protocol.reference().sha256.clone(), by_submission }))
}

/// Commits pieces ahead of an evaluation, until as few are left as one unit keeps. Whatever comes of the rest, these are
/// known when their event comes again, and what is left still makes it be evaluated.
///
/// # Errors
/// [`StoreError::Conflict`] when the record has changed since.
pub(crate) async fn commit_ahead(store: &Store, evaluation: &mut Evaluation) -> Result<(), StoreError> {
    while let Some((row, pieces)) = evaluation.changed.ahead(AT_ONCE) {
        let revision = store
            .commit::<_, StoreError, _>(move |unit| {
                Box::pin(async move {
                    let revision = episodes::move_on(unit, row).await?;
                    store::pieces::keep(unit.db(), pieces, revision).await?;
                    Ok(revision)
                })
            })
            .await?;
        evaluation.changed.moved_on(revision);
    }
    Ok(())
}

/// What changes of the rules have left of a record that is evaluated by `protocol` next.
fn rule_changes(protocol: &Protocol, history: &History) -> Result<Vec<RuleChange>, StoreError> {
    let unsettled: Vec<RuleChange> = from_json(&history.row.rule_changes)?;
    if history.row.protocol.as_ref().is_none_or(|before| *before == protocol.reference().sha256) {
        return Ok(unsettled);
    }
    let Some(record) = history.record()? else { return Ok(unsettled) };
    let new = verdict::assess(protocol, &record).map(|assessment| assessment.findings).unwrap_or_default();
    let old: Vec<Remembered> = from_json(&history.row.active)?;
    Ok(rule_change::between(&old, &new, &record, unsettled))
}

fn outcome(protocol: &Protocol, record: Record, rule_changes: Vec<RuleChange>, by_submission: bool) -> Option<Outcome> {
    let mut assessment = verdict::assess(protocol, &record)?;
    let rule_changes = rule_change::unsettled(rule_changes, &assessment, &record, by_submission);
    rule_change::put_back(&rule_changes, &mut assessment, &record);
    let told = rule_change::told(&rule_changes, &assessment);
    Some(Outcome { record, assessment, rule_changes, told })
}

/// Commits an evaluation with everything that follows from it.
///
/// # Errors
/// [`StoreError::Conflict`] when the record or the active protocol has changed since.
pub(crate) async fn commit(unit: &mut Unit, evaluation: Evaluation, cause: Cause) -> Result<(), StoreError> {
    let Evaluation { changed: Changed { mut history, pieces }, result, protocol, by_submission } = evaluation;
    if protocols::hold_active(unit.db()).await?.as_ref() != Some(&protocol) {
        return Err(StoreError::Conflict);
    }
    let was_flagged = history.row.flagged;
    if let Some(outcome) = &result {
        let active = outcome.assessment.findings.iter().filter(|finding| verdict::is_red_flag(finding));
        history.row.active = to_json(&active.cloned().map(Remembered::of).collect::<Vec<_>>())?;
        history.row.rule_changes = to_json(&outcome.rule_changes)?;
        history.row.to_review = outcome.rule_changes.iter().any(RuleChange::is_added);
        history.row.flagged = outcome.told.iter().any(verdict::is_red_flag);
        history.row.protocol = Some(protocol);
    }
    let revision = episodes::move_on(unit, history.row.clone()).await?;
    store::pieces::keep(unit.db(), pieces, revision).await?;
    match result {
        Some(outcome) => {
            let persists = by_submission && outcome.told.iter().any(|finding| finding.status == Status::Persisting);
            tell(unit, (&history, revision), &outcome, was_flagged || persists, cause).await
        }
        None => Ok(()),
    }
}

/// Keeps a result and publishes it, the red flags first. With `news` they are told of although there are none: those of
/// the revision before are gone, or a submission meets again what was signed.
async fn tell(
    unit: &mut Unit,
    (history, revision): (&History, i64),
    outcome: &Outcome,
    news: bool,
    cause: Cause,
) -> Result<(), StoreError> {
    let episode = history.row.id;
    let Outcome { record, assessment, told: red_flags, .. } = outcome;
    let row = results::Model {
        episode_id: episode,
        revision,
        protocol_sha256: assessment.protocol.sha256.clone(),
        body: to_json(assessment)?,
        created_at: unit.now(),
    };
    results::keep(unit.db(), row).await?;
    let (bulk, live) = (history.is_imported(), history.live());
    let told = Told { episode, revision, record, assessment, red_flags, bulk, live: &live };
    if history.row.flagged || news {
        let lane = cause.red_flag_lane(assessment.assessed_at.to_utc(), unit.now());
        unit.publish(lane, episode, &told.red_flags()).await?;
    }
    unit.publish(cause.lane(), episode, &told.completed()).await
}
