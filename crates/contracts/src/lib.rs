//! The events the services share, and the one place that says how they travel.
//!
//! `proto/` holds the shapes; [`event`] binds each to its name, [`topology`] lists every stream and consumer,
//! [`routes`] every address, [`envelope`] is what surrounds a payload on the wire. Wire bytes of every event are frozen by tests.

pub mod envelope;
pub mod event;
pub mod routes;
pub mod topology;

/// What stands in an event in the place of a free text, which stays with the service that took it: it may tell anything of
/// anybody, and no receiver reads it. Never empty, for a record's note is not.
pub const NOTE_STAYS: &str = "kept where it was signed";

pub use envelope::{Envelope, EnvelopeError};
pub use event::{Event, Lane, Service};

mod generated {
    #![allow(
        clippy::all,
        clippy::pedantic,
        missing_docs,
        unreachable_pub,
        reason = "generated from proto/, where the documentation is"
    )]

    pub mod intake {
        include!(concat!(env!("OUT_DIR"), "/lasegue.intake.v1.rs"));
    }
    pub mod assessment {
        include!(concat!(env!("OUT_DIR"), "/lasegue.assessment.v1.rs"));
    }
    pub mod scheduling {
        include!(concat!(env!("OUT_DIR"), "/lasegue.scheduling.v1.rs"));
    }
    pub mod alerting {
        include!(concat!(env!("OUT_DIR"), "/lasegue.alerting.v1.rs"));
    }
    pub mod platform {
        include!(concat!(env!("OUT_DIR"), "/lasegue.platform.v1.rs"));
    }
}

pub use generated::{alerting, assessment, intake, platform, scheduling};
