//! PostgreSQL for tests: a fresh database per test on one real server.
//!
//! The server is the one that `LAKEFRONT_TEST_DATABASE_URL` names, else a private one per test
//! process, gone when that process ends in whatever way. Failures panic with a full report, since
//! only tests use this crate.
//!
//! A whole run shares one server with `cargo run -p lakefront-testkit -- cargo nextest run …`.
#![allow(clippy::panic, reason = "for tests only: a failure here fails the test")]

mod database;
mod report;
mod server;
mod template;

pub use database::TestDatabase;
pub use report::chain;
pub use server::{SERVER_VARIABLE, server_options, start_server};
