//! The engine: plans what a synced table needs, copies and applies it exactly, and keeps account of it in the ledger.
//! The only crate that knows both the lake and PostgreSQL.

mod back_off;
mod carry_out;
mod changes;
mod claims;
mod commit;
mod delete;
mod engine;
mod failpoint;
mod failure;
mod follow;
mod found;
mod goal;
mod load;
mod parts;
mod plan;
mod policy;
mod progress;
mod ready;
mod refresh;
mod report;
mod reshape;
mod run;
mod session;
mod source;
mod stage;
mod status;
mod stopped;
mod together;
mod upkeep;
mod verify;
mod watches;
mod weigh;

pub use delete::DeleteReport;
pub use engine::{Engine, EngineSettings};
pub use failure::SyncError;
pub use follow::follow;
pub use progress::{Phase, Progress, ProgressSnapshot};
pub use refresh::RefreshRequest;
pub use report::RefreshReport;
pub use source::Source;
pub use status::TableStatus;
pub use upkeep::keep_fresh;
pub use verify::VerifyReport;
