//! Submissions that were sent to the address of something else.

use lasegue_platform::auth::Identity;
use lasegue_platform::detached;
use lasegue_platform::store::Store;
use sea_orm::prelude::Uuid;

use crate::error::IntakeError;
use crate::refuse::{self, Of, Refused};

/// Keeps what was refused there when it is a submission with a danger sign, and tells on-call. Gives the answer.
pub(super) async fn read(store: &Store, episode: Uuid, caller: Identity, body: &[u8], why: IntakeError) -> IntakeError {
    let Some(faults) = why.refusal() else { return why };
    let (sender, body, read) = (caller.subject, body.to_vec(), body.to_vec());
    if !detached::compute(move || refuse::is_dangerous(&read)).await {
        return why;
    }
    let refused = Refused { of: Of::Episode(episode), sender, key: None, body, faults };
    refuse::refuse(store, vec![refused]).await.err().unwrap_or(why)
}
