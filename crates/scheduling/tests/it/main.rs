//! Scheduling on a real bus and a real database, told what assessment tells it, under a clock that a test moves.

mod desk;
mod plans;
mod timing;
mod worklist;
