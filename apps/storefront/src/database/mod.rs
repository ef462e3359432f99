//! PostgreSQL: connections, TLS, prepared statements, and what goes wrong there.

mod bind;
mod connect;
mod failure;
mod names;
mod statement;
mod tls;

pub use bind::Bind;
pub use connect::{Connector, Database};
pub use failure::DatabaseError;
pub use names::{quote_literal, quote_name};
pub use statement::Answer;
