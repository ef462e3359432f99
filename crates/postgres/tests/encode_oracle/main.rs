//! The encoders of binary COPY against PostgreSQL: what was sent is what is stored.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arrays;
mod chunks;
mod nested;
mod numbers;
mod oracle;
mod refused;
mod strings;
mod times;
mod tree;
mod variant_bytes;
mod variants;
mod vectors;
