//! The closed vocabularies of the record: what each question may be answered with.

use crate::word::words;

words! {
    /// An answer: what was not asked is missing, and counts as unknown.
    pub Tri { Yes = "yes", No = "no", Unknown = "unknown" }
    /// A side of the body.
    pub Side { Left = "left", Right = "right" }
    /// Sex as registered.
    pub Sex { Male = "male", Female = "female", Other = "other", Unknown = "unknown" }
    /// Who reported a submission.
    pub Author { Patient = "patient", Clinician = "clinician", Ehr = "ehr" }
    /// What a treatment entry is.
    pub TreatmentKind {
        Physiotherapy = "physiotherapy",
        Exercise = "exercise",
        Education = "education",
        Nsaid = "nsaid",
        NeuropathicAgent = "neuropathic_agent",
        Opioid = "opioid",
        OralSteroid = "oral_steroid",
        OtherConservative = "other_conservative",
        EpiduralInjection = "epidural_injection",
        Radiofrequency = "radiofrequency",
        Surgery = "surgery",
        Other = "other",
    }
    /// What happened to a treatment on its date.
    pub Change {
        Start = "start",
        Increase = "increase",
        Unchanged = "unchanged",
        Decrease = "decrease",
        Stop = "stop",
    }
    /// What a treatment achieved.
    pub Outcome {
        Unknown = "unknown",
        Helped = "helped",
        Failed = "failed",
        Contraindicated = "contraindicated",
    }
    /// How an image was made.
    pub Modality { Mri = "mri", Ct = "ct", Xray = "xray", Other = "other" }
    /// What an image shows.
    pub Region { Lumbar = "lumbar", Plexus = "plexus", Other = "other" }
    /// The lesion an image shows.
    pub Lesion {
        Contained = "contained",
        Sequestered = "sequestered",
        Stenosis = "stenosis",
        None = "none",
        Other = "other",
    }
    /// A dermatome, and the root that supplies it, from above to below.
    pub Dermatome {
        L1 = "L1", L2 = "L2", L3 = "L3", L4 = "L4", L5 = "L5", S1 = "S1", S2 = "S2",
    }
    /// A pain scale: `vas` is 0-100 mm, `nrs` is 0-10.
    pub Scale { Vas = "vas", Nrs = "nrs" }
    /// What the pain feels like.
    pub Quality {
        Burning = "burning",
        Electric = "electric",
        Tingling = "tingling",
        Pins = "pins",
        Numb = "numb",
        Cold = "cold",
        Itch = "itch",
        Aching = "aching",
        Other = "other",
    }
    /// When the pain is there.
    pub Temporal { Constant = "constant", Intermittent = "intermittent", Night = "night" }
    /// A tested movement; hip flexion is optional, the other four make a complete examination.
    pub Movement {
        KneeExtension = "knee_extension",
        AnkleDorsiflexion = "ankle_dorsiflexion",
        GreatToeExtension = "great_toe_extension",
        AnklePlantarflexion = "ankle_plantarflexion",
        HipFlexion = "hip_flexion",
    }
    /// A tendon reflex.
    pub Reflex { Knee = "knee", Ankle = "ankle" }
    /// A question of the cauda equina screen; the first eight are its core.
    pub CaudaEquinaItem {
        SaddleSensation = "saddle_sensation",
        StartingUrine = "starting_urine",
        UrineFlowSensation = "urine_flow_sensation",
        UrinaryRetention = "urinary_retention",
        UrinaryLeakage = "urinary_leakage",
        RectalFullnessSensation = "rectal_fullness_sensation",
        BowelControl = "bowel_control",
        BilateralWeakness = "bilateral_weakness",
        SexualDysfunction = "sexual_dysfunction",
        NewBilateralLegPain = "new_bilateral_leg_pain",
    }
    /// Whether and how the patient works.
    pub WorkStatus {
        Full = "full",
        Modified = "modified",
        OffPain = "off_pain",
        OffOther = "off_other",
        NotWorking = "not_working",
        Unknown = "unknown",
    }
    /// How heavy the work is.
    pub Activity { Sedentary = "sedentary", Light = "light", Normal = "normal" }
}

impl Side {
    /// The other side of the body.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

impl Movement {
    /// The movements of a complete motor examination.
    pub const REQUIRED: [Self; 4] =
        [Self::KneeExtension, Self::AnkleDorsiflexion, Self::GreatToeExtension, Self::AnklePlantarflexion];
}

impl CaudaEquinaItem {
    /// The items of which a single "yes" is an emergency.
    pub const CORE: [Self; 8] = [
        Self::SaddleSensation,
        Self::StartingUrine,
        Self::UrineFlowSensation,
        Self::UrinaryRetention,
        Self::UrinaryLeakage,
        Self::RectalFullnessSensation,
        Self::BowelControl,
        Self::BilateralWeakness,
    ];
}
