//! The server that all tests of a process share.

use lakefront_postgres::connect::ConnectOptions;
use lakefront_postgres::embedded::{EmbeddedError, EmbeddedOptions, EmbeddedServer};
use tokio::sync::OnceCell;

use crate::report::chain;
use crate::template;

/// The variable that names a server to use; its user must be allowed to create databases.
pub const SERVER_VARIABLE: &str = "LAKEFRONT_TEST_DATABASE_URL";

/// Never dropped: the server's watchdog notices the end of the process.
static SERVER: OnceCell<Shared> = OnceCell::const_new();

struct Shared {
    options: ConnectOptions,
    _server: Option<EmbeddedServer>,
}

/// How to sign in to the shared server, started at the first call.
///
/// # Panics
/// When there is no server to be had.
pub async fn server_options() -> ConnectOptions {
    let shared = SERVER.get_or_init(|| async {
        if let Ok(url) = std::env::var(SERVER_VARIABLE)
            && !url.is_empty()
        {
            return match ConnectOptions::parse(&url) {
                Ok(options) => Shared { options, _server: None },
                Err(error) => panic!("{SERVER_VARIABLE}: {}", chain(&error)),
            };
        }
        match start_server().await {
            Ok(server) => Shared { options: server.connect_options(), _server: Some(server) },
            Err(error) => panic!("cannot start PostgreSQL for the tests: {}", chain(&error)),
        }
    });
    shared.await.options.clone()
}

/// Starts a throwaway server in a temporary folder.
///
/// # Errors
/// [`EmbeddedError`] when it does not start.
pub async fn start_server() -> Result<EmbeddedServer, EmbeddedError> {
    let name = format!("lakefront-test-{}-{}", std::process::id(), uuid::Uuid::new_v4().simple());
    let folder = std::env::temp_dir().join(name);
    let start =
        || EmbeddedServer::start(EmbeddedOptions::throwaway(&folder), &|step| eprintln!("testkit: {step}"));
    if template::copy_to(&folder).await {
        if let Ok(server) = start().await {
            return Ok(server);
        }
        // Whoever tidies up temporary files may have taken a part of it.
        template::forget();
        let _ = std::fs::remove_dir_all(&folder);
    }
    start().await
}
