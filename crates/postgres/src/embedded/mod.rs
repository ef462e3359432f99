//! A private PostgreSQL that Lakefront starts and stops by itself.
//!
//! Everything of one server lies in one folder:
//!
//! | entry | what |
//! |---|---|
//! | `pgdata/` | the data directory; `lakefront.conf` in it is rewritten at each start |
//! | `password` | the password of the user `postgres`, readable by the owner only |
//! | `port` | the TCP port used last |
//! | `postgresql.log` | the server's log (the one before it: `postgresql.log.1`) |
//! | `lock` | whoever holds its lock starts and stops the server |
//! | `run/` | the Unix socket, where the path is short enough for one |
//!
//! The first process takes the lock and owns the server. Others attach to it and do not stop it;
//! when the owner leaves, the server stops under them. An owner that was killed leaves the server
//! running: the next process takes the free lock, finds the server alive, and owns it.

mod account;
mod binaries;
mod cluster;
mod command;
mod error;
mod folders;
mod initdb;
mod installed;
mod lock;
mod log;
mod machine;
mod options;
mod pidfile;
mod port;
mod postmaster;
mod server;
mod settings;
mod start;
mod watchdog;
mod wheel;

pub use binaries::{Binaries, BinarySource};
pub use error::EmbeddedError;
pub use options::EmbeddedOptions;
pub use server::EmbeddedServer;
