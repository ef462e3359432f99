//! Drives the built binary `lakefront` as a user does: for tests only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "for tests only: a failure here fails the test"
)]

mod demo;
mod lake;
mod run;

pub use demo::Demo;
pub use lake::{ShopTable, products};
pub use run::{Finished, binary, lakefront};
