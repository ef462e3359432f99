//! Answers kept for a while, each worked out once however many ask.

mod changes;
mod flights;
mod listen;
mod recent;

pub use changes::{CERTAIN_FOR, Changes};
pub use flights::{Flights, Landed};
pub use listen::follow_changes;
pub use recent::Recent;
