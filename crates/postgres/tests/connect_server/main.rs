//! Connecting to real servers: addresses, sign-in, TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod address;
mod authority;
mod sign_in;
mod tls;
mod tls_oracle;
mod tls_server;
