//! The storefront against a real PostgreSQL, asked over HTTP as any client would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod database;
mod http;
mod items;
mod proxy;
mod shop;

mod changes;
mod keys;
mod lists;
mod outage;
mod pages;
mod pictures;
mod reports;
mod wrong_input;
