//! Pages the on-call clinician about a red flag until a named person accepts.
