//! The embedded server, with a real PostgreSQL: its life, its crashes, its rights.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crash;
mod failure;
mod fetch;
mod folder;
mod life;
mod process;
mod root;
