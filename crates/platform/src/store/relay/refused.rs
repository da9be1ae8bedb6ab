//! Events that the transport never takes as it is set up: each is a letter that an operator is told of at once, and holds up
//! no other. It is tried now and then all the same, since the transport may be set up otherwise by then.

use lasegue_contracts::Event;
use lasegue_contracts::platform::MessageDeadLettered;

use super::super::dead_letters::{self, Kept, Model, State};
use super::super::outbox::{self, Outgoing, Published};
use super::super::{StoreError, Unit};
use crate::bus::Message;
use crate::consume::letters;

/// Who such letters are kept for, where others name a consumer.
const OUTBOX: &str = "outbox";

/// Keeps a letter of a row, and puts the row aside; one that an operator gave up is done.
pub(super) async fn put_aside(unit: &mut Unit, outgoing: Outgoing, reason: &str) -> Result<(), StoreError> {
    let Outgoing { row, envelope, .. } = outgoing;
    let letter = Model::of(OUTBOX, &Message::from(&envelope), reason, 1, unit.now());
    // Whoever cannot be told of an event cannot be told of this either.
    let kept = if envelope.event_type == MessageDeadLettered::TYPE {
        dead_letters::keep(unit.db(), letter).await?
    } else {
        letters::keep(unit, letter).await?
    };
    if kept == Kept::New {
        let (service, subject) = (&envelope.source, &envelope.subject);
        tracing::error!(service, subject, event = %envelope.id, "the bus never takes an event as it is set up: see `lasegue dead-letters`");
    }
    match kept {
        Kept::Dropped => {
            let done = Published { row, place: None, proved: true, refused: None };
            Ok(outbox::mark_published(unit.db(), vec![done], unit.now()).await?)
        }
        Kept::New | Kept::Known | Kept::Full => Ok(outbox::refuse(unit.db(), row, unit.now()).await?),
    }
}

/// Settles the letters of rows that have left after all.
pub(super) async fn settle(unit: &Unit, published: &[Published]) -> Result<(), StoreError> {
    for event in published.iter().filter_map(|row| row.refused) {
        let letter = dead_letters::id_of_event(OUTBOX, event);
        dead_letters::settle(unit.db(), letter, [State::Failing], State::Handled, unit.now()).await?;
    }
    Ok(())
}
