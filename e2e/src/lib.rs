//! Drives the built binary `lakefront` as a user does: for tests only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "for tests only: a failure here fails the test"
)]

mod browser;
mod demo;
mod dependents;
mod follow;
mod frozen;
mod http;
mod lake;
mod process;
mod proxy;
mod readers;
mod replay;
mod reshaped;
mod run;
mod serve;
mod wait;
mod writer;

pub use browser::Browser;
pub use demo::Demo;
pub use dependents::Dependents;
pub use follow::Follow;
pub use frozen::Frozen;
pub use http::get;
pub use lake::{ShopTable, embeddings, products};
pub use proxy::{Break, Proxy};
pub use readers::Readers;
pub use replay::{copy_folder, differing, golden_tables, python, replay};
pub use reshaped::{ReshapedTable, field};
pub use run::{Finished, as_normal_user, binary, command, is_root, lakefront};
pub use serve::Serve;
pub use wait::until;
pub use writer::Writer;
