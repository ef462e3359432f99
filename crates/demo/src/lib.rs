//! The demo: a fashion shop's lake, pictures of its products, and the life of the shop.
//!
//! [`DemoLake`] writes four Delta tables (catalogue, users, embeddings of both) from a fixed
//! seed, the same on every machine. [`Pictures`] draws what the products look like.
//! [`ShopActivity`] goes on committing to the lake as a shop does: prices change, products come
//! and are sold out.

mod activity;
mod catalogue;
mod colour_space;
mod embedding;
mod error;
mod lake;
mod layout;
mod look;
mod people;
mod pictures;
mod random;
mod rows;

pub use activity::{ActivityKind, ActivityStep, ShopActivity};
pub use error::DemoError;
pub use lake::{DemoLake, Summary, TableSummary};
pub use layout::{EMBEDDINGS_TABLE, PRODUCTS_TABLE, SCHEMA, USER_FEATURES_TABLE, USERS_TABLE};
pub use pictures::Pictures;

/// The seed of the demo's data.
pub(crate) const SEED: u64 = 20_241_101;
