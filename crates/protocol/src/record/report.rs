//! What one submission reports: pain, examination, screening, function.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

use super::examination::{Motor, MotorSite, PerSide, Reflexes, Sensation, StraightLegRaise};
use super::reader::{Fields, Node};
use super::screening::{CaudaEquina, Serious, Trauma};
use super::values::{blank, grade, whole, word};
use super::words::{Activity, Dermatome, Quality, Scale, Side, Temporal, Tri, WorkStatus};
use crate::word::Word;

/// The clinical content of a submission; every part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Pain scores, distribution and character.
    #[serde(skip_serializing_if = "blank")]
    pub pain: Pain,
    /// Muscle strength.
    #[serde(skip_serializing_if = "blank")]
    pub motor: Motor,
    /// Deficits that this submission documents as old.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub motor_longstanding: BTreeSet<MotorSite>,
    /// The patient noticed new weakness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_weakness: Option<Tri>,
    /// Tendon reflexes.
    #[serde(skip_serializing_if = "blank")]
    pub reflexes: Reflexes,
    /// Light touch by dermatome.
    #[serde(skip_serializing_if = "blank")]
    pub sensation: Sensation,
    /// The straight leg raise of either side.
    #[serde(skip_serializing_if = "blank")]
    pub straight_leg_raise: StraightLegRaise,
    /// The cauda equina screen.
    #[serde(skip_serializing_if = "blank")]
    pub cauda_equina: CaudaEquina,
    /// The ten sections of the Oswestry Disability Index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odi: Option<Odi>,
    /// Work.
    #[serde(skip_serializing_if = "blank")]
    pub work: Work,
    /// Walking and what makes it worse or better.
    #[serde(skip_serializing_if = "blank")]
    pub walking: Walking,
    /// Signs of serious pathology.
    #[serde(skip_serializing_if = "blank")]
    pub serious: Serious,
    /// A recent injury.
    #[serde(skip_serializing_if = "blank")]
    pub trauma: Trauma,
}

/// Pain as reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Pain {
    /// Leg pain intensity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leg: Option<PainScore>,
    /// Back pain intensity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back: Option<PainScore>,
    /// Where the leg hurts; an empty set is an answer, a missing one is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dermatomes: Option<BTreeSet<SidedDermatome>>,
    /// What it feels like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<BTreeSet<Quality>>,
    /// When it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporal: Option<Temporal>,
    /// It radiates below the knee.
    #[serde(skip_serializing_if = "blank")]
    pub below_knee: PerSide<Tri>,
    /// The interview part of DN4, 0 to 7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dn4_interview: Option<u8>,
}

/// A pain score on its scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PainScore {
    /// The scale.
    pub scale: Scale,
    /// 0-100 mm on `vas`, 0-10 on `nrs`.
    pub value: u8,
}

/// A dermatome or root of one side, written as `R-L5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SidedDermatome {
    /// The side.
    pub side: Side,
    /// The dermatome.
    pub dermatome: Dermatome,
}

/// Ten section scores of 0 to 5; `None` where a section was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Odi(pub [Option<u8>; 10]);

/// Work as reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Whether and how the patient works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<WorkStatus>,
    /// How heavy the work is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
}

/// Walking as reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Walking {
    /// Minutes the patient can walk, 0 to 600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u16>,
    /// Walking makes it worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worse_walking: Option<Tri>,
    /// Standing makes it worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worse_standing: Option<Tri>,
    /// Sitting relieves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relief_sitting: Option<Tri>,
    /// Bending forward relieves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relief_flexion: Option<Tri>,
    /// Standing still relieves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relief_standing_still: Option<Tri>,
}

impl Report {
    /// Reads the clinical fields of a submission; the caller has the others and finishes.
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            pain: fields.block("pain", Pain::read),
            motor: fields.block("motor", Motor::read),
            motor_longstanding: fields.block("motor_longstanding", MotorSite::read_all),
            new_weakness: fields.optional("new_weakness", word),
            reflexes: fields.block("reflexes", Reflexes::read),
            sensation: fields.block("sensation", Sensation::read),
            straight_leg_raise: fields.block("straight_leg_raise", StraightLegRaise::read),
            cauda_equina: fields.block("cauda_equina", CaudaEquina::read),
            odi: fields.optional("odi", Odi::read),
            work: fields.block("work", Work::read),
            walking: fields.block("walking", Walking::read),
            serious: fields.block("serious", Serious::read),
            trauma: fields.block("trauma", Trauma::read),
        }
    }
}

impl Pain {
    fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let pain = Self {
            leg: fields.optional("leg", PainScore::read),
            back: fields.optional("back", PainScore::read),
            dermatomes: fields.optional("dermatomes", |n| set(n, SidedDermatome::read)),
            quality: fields.optional("quality", |n| set(n, word)),
            temporal: fields.optional("temporal", word),
            below_knee: fields.block("below_knee", |n| PerSide::read(n, word)),
            dn4_interview: fields.optional("dn4_interview", grade(7)),
        };
        fields.finish();
        Some(pain)
    }
}

impl PainScore {
    fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let scale = fields.required("scale", word);
        let max = match scale {
            Some(Scale::Nrs) => 10,
            Some(Scale::Vas) | None => 100,
        };
        let value = fields.required("value", grade(max));
        fields.finish();
        Some(Self { scale: scale?, value: value? })
    }
}

impl SidedDermatome {
    pub(super) fn read(node: &Node) -> Option<Self> {
        let parsed = node.text()?.split_once('-').and_then(|(side, root)| {
            let side = match side {
                "L" => Side::Left,
                "R" => Side::Right,
                _ => return None,
            };
            let dermatome = Dermatome::from_word(root)?;
            Some(Self { side, dermatome })
        });
        parsed.or_else(|| node.refuse("must be a side and a root from L1 to S2, as R-L5 or L-S1"))
    }
}

impl fmt::Display for SidedDermatome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Left => "L",
            Side::Right => "R",
        };
        write!(out, "{side}-{}", self.dermatome)
    }
}

impl Serialize for SidedDermatome {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Odi {
    fn read(node: &Node) -> Option<Self> {
        let Some(list) = node.value().as_array().filter(|list| list.len() == 10) else {
            return node.refuse("must be a list of ten section scores, each 0 to 5 or null");
        };
        let sections = node.each(list.len(), |section| {
            if section.value().is_null() {
                return Some(None);
            }
            Some(grade(5)(section))
        })?;
        Some(Self(sections.try_into().ok()?))
    }
}

impl Work {
    fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let work = Self { status: fields.optional("status", word), activity: fields.optional("activity", word) };
        fields.finish();
        Some(work)
    }
}

impl Walking {
    fn read(node: &Node) -> Option<Self> {
        let mut fields = node.fields()?;
        let minutes = fields.optional("minutes", whole(0, 600));
        let walking = Self {
            minutes: minutes.and_then(|minutes| u16::try_from(minutes).ok()),
            worse_walking: fields.optional("worse_walking", word),
            worse_standing: fields.optional("worse_standing", word),
            relief_sitting: fields.optional("relief_sitting", word),
            relief_flexion: fields.optional("relief_flexion", word),
            relief_standing_still: fields.optional("relief_standing_still", word),
        };
        fields.finish();
        Some(walking)
    }
}

/// Reads a list of which the order and repetitions mean nothing.
fn set<T: Ord>(node: &Node, read: fn(&Node) -> Option<T>) -> Option<BTreeSet<T>> {
    const MAX_LISTED: usize = 100;
    Some(node.each(MAX_LISTED, read)?.into_iter().collect())
}
