//! Writes PostgreSQL: connections, the embedded server, identifiers, DDL, binary COPY encoders,
//! stages, merges and the ledger. Knows nothing of Delta.

pub mod changes;
pub mod connect;
pub mod copy;
pub mod difference;
pub mod embedded;
pub mod encode;
mod error;
pub mod ident;
pub mod indexes;
pub mod keys;
pub mod ledger;
pub mod left_out;
pub mod roles;
pub mod table;

pub use error::{PgError, PgResult};
