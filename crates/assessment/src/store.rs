//! Assessment's tables as sea-orm sees them.

pub(crate) mod episodes;
pub(crate) mod pieces;
pub(crate) mod protocols;
pub(crate) mod results;
