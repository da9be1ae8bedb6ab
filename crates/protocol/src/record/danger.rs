//! Danger signs in whatever is valid of a submission: refusing one must not hide a red flag.

use super::words::{CaudaEquinaItem, Movement, Side, Tri};
use super::{Answer, Draft};
use crate::word::Word;

/// A strength of this MRC grade or less, in any muscle, is a danger sign of a refused submission.
const WEAK_MRC: u8 = 3;

/// A sign for which the on-call clinician looks at a refused submission today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DangerSign {
    /// A core item of the cauda equina screen was answered yes, by either author.
    CaudaEquina(CaudaEquinaItem),
    /// A movement has MRC grade 3 or less.
    Weakness(Side, Movement),
}

/// Every danger sign among the valid fields of a draft, in a fixed order.
pub fn danger_signs(draft: &Draft) -> Vec<DangerSign> {
    let items = &draft.report.cauda_equina.items;
    let alarming = |item: &CaudaEquinaItem| items.get(item).copied().and_then(Answer::worst) == Some(Tri::Yes);
    let core = CaudaEquinaItem::CORE.into_iter().filter(alarming).map(DangerSign::CaudaEquina);
    let weak = |(side, movement): &(Side, Movement)| {
        let grade = draft.report.motor.grade(*side, *movement);
        grade.is_some_and(|grade| grade <= WEAK_MRC)
    };
    let sites = Side::ALL.iter().flat_map(|side| Movement::ALL.iter().map(|movement| (*side, *movement)));
    core.chain(sites.filter(weak).map(|(side, movement)| DangerSign::Weakness(side, movement))).collect()
}
