//! Who may bring about what, in one table: what a role may not do by itself it may not do inside an import either.

use lasegue_platform::auth::Role;
use lasegue_protocol::record::{Fault, Record};

use crate::json::fault;

/// Who may have an effect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct May {
    /// By a call of its own.
    pub(crate) alone: &'static [Role],
    /// By a record of an import.
    pub(crate) imported: &'static [Role],
}

/// An episode is registered or changed.
pub(crate) const REGISTER: May =
    May { alone: &[Role::Clinician, Role::Coordinator, Role::System], imported: &[Role::System, Role::Operator] };

/// A submission is accepted. An operator brings in histories, which is what imports are for.
pub(crate) const REPORT: May =
    May { alone: &[Role::Clinician, Role::System], imported: &[Role::System, Role::Operator] };

/// A submission says itself when it was received, and so what a signature covers.
pub(crate) const DATE_RECEIPT: May = May { alone: &[Role::System], imported: &[Role::System] };

/// Somebody signs: a disposition, a void, a longstanding symptom. A system says for whom.
pub(crate) const SIGN: May = May { alone: &[Role::Clinician, Role::System], imported: &[Role::System] };

/// A fault for each field of an imported record by which the caller would do what its role may not.
pub(crate) fn forbidden(record: &Record, role: Role) -> Vec<Fault> {
    let dated = record.submissions.iter().enumerate().filter(|(_, submission)| submission.received_at.is_some());
    let dated = dated.map(|(index, _)| format!("/submissions/{index}/received_at"));
    let signed = (0..record.adjudications.len()).map(|index| format!("/adjudications/{index}"));
    let checked = [(DATE_RECEIPT, dated.collect::<Vec<_>>()), (SIGN, signed.collect())];
    let denied = checked.into_iter().filter(|(may, _)| !may.imported.contains(&role));
    denied.flat_map(|(may, pointers)| pointers.into_iter().map(move |pointer| denial(&pointer, role, may))).collect()
}

fn denial(pointer: &str, role: Role, may: May) -> Fault {
    let allowed: Vec<_> = may.imported.iter().map(|role| role.name()).collect();
    let reason =
        format!("is forbidden to {}: leave it out, or import it in the role {}", role.name(), allowed.join(", "));
    fault(pointer, reason)
}
