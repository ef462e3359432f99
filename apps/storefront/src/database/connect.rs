//! Connections: a pool for requests, and single ones for listening.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{Client, Config, Connection, Socket, config::SslMode as Negotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{DatabaseError, tls};
use crate::settings::{DatabaseSettings, SettingsError, SslMode};

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request waits for a free connection. Longer would only pile up requests that nobody waits for.
const POOL_WAIT: Duration = Duration::from_secs(5);

/// Settings of each connection. Pages are short statements, for which compiling them costs more than it saves;
/// read-only makes a mistake harmless; the timeout bounds what one odd request can cost the others.
const SESSION: &str = "SET jit = off; SET default_transaction_read_only = on; SET statement_timeout = '15s'";

/// Makes connections with the given settings.
#[derive(Clone)]
pub struct Connector {
    settings: DatabaseSettings,
    config: Config,
    tls: MakeRustlsConnect,
}

impl Connector {
    /// Prepares for connecting; connects to nothing yet.
    pub fn new(settings: &DatabaseSettings) -> Result<Self, SettingsError> {
        let mut config = Config::new();
        config
            .host(&settings.host)
            .port(settings.port)
            .dbname(&settings.database)
            .user(&settings.user)
            .application_name("lakefront-storefront")
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives_idle(Duration::from_secs(30))
            .ssl_mode(match settings.ssl_mode {
                SslMode::Disable => Negotiation::Disable,
                SslMode::Prefer => Negotiation::Prefer,
                SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Negotiation::Require,
            });
        if let Some(password) = &settings.password {
            config.password(password.reveal());
        }
        let tls = MakeRustlsConnect::new(tls::client_config(settings)?);
        Ok(Self { settings: settings.clone(), config, tls })
    }

    /// A connection of its own, outside the pool. The second part has to be polled for anything to happen.
    pub async fn connect(
        &self,
    ) -> Result<
        (
            Client,
            Connection<Socket, <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream>,
        ),
        DatabaseError,
    > {
        self.config
            .connect(self.tls.clone())
            .await
            .map_err(|error| DatabaseError::connecting(&self.settings, &error))
    }

    /// The settings that it connects with.
    pub fn settings(&self) -> &DatabaseSettings {
        &self.settings
    }
}

/// The pool of connections that requests share.
#[derive(Clone)]
pub struct Database {
    pub(super) pool: Pool,
    pub(super) connector: Connector,
}

impl Database {
    /// A pool that connects when it is first used.
    pub fn new(connector: Connector) -> Result<Self, DatabaseError> {
        let manager = Manager::from_config(
            connector.config.clone(),
            connector.tls.clone(),
            // A dead connection is noticed by its closed state; a statement that fails for that is run again.
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let prepare_session = Hook::async_fn(|client, _| {
            Box::pin(async move { client.batch_execute(SESSION).await.map_err(HookError::Backend) })
        });
        let pool = Pool::builder(manager)
            .max_size(connector.settings.pool_size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_WAIT))
            .create_timeout(Some(CONNECT_TIMEOUT * 2))
            .post_create(prepare_session)
            .build()
            .map_err(|error| DatabaseError::Statement {
                sqlstate: "none".to_owned(),
                cause: error.to_string(),
            })?;
        Ok(Self { pool, connector })
    }

    /// The settings that it connects with.
    pub fn settings(&self) -> &DatabaseSettings {
        &self.connector.settings
    }
}
