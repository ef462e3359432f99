//! The engine and what it stands on.

use crate::SyncError;
use lakefront_lake::{Catalogs, Lake};
use lakefront_model::Condition;
use lakefront_postgres::connect::ConnectOptions;
use lakefront_postgres::ledger::{Entry, Readiness};
use lakefront_postgres::{ledger, roles};
use tokio_postgres::Client;

/// COPY connections of one load: by default the cores, but one core gains from two, since one connection waits
/// while the other works.
const MIN_CONNECTIONS: usize = 2;
/// More than this brings nothing: the server's own locks on the table become the limit.
const MAX_CONNECTIONS: usize = 16;

/// What can be set about the engine.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineSettings {
    /// COPY connections of one load; None: by cores, at most 16
    pub connections: Option<usize>,
}

/// Refreshes, verifies and deletes synced tables of one database.
#[derive(Debug)]
pub struct Engine {
    lake: Lake,
    catalogs: Catalogs,
    database: ConnectOptions,
    settings: EngineSettings,
}

impl Engine {
    /// An engine for one database.
    pub fn new(lake: Lake, catalogs: Catalogs, database: ConnectOptions, settings: EngineSettings) -> Self {
        Self { lake, catalogs, database, settings }
    }

    /// The database's name.
    pub fn database_name(&self) -> &str {
        self.database.database()
    }

    pub(crate) fn lake(&self) -> &Lake {
        &self.lake
    }

    pub(crate) fn catalogs(&self) -> &Catalogs {
        &self.catalogs
    }

    pub(crate) fn connections(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.settings.connections.unwrap_or(cores).clamp(MIN_CONNECTIONS, MAX_CONNECTIONS)
    }

    /// A connection with the settings that Lakefront's sessions have. A server that grants more memory for sorting than
    /// these ask for keeps it so. It notices in two minutes, and not in the system's two hours, that the machine at the other
    /// end is gone, so that another process need not wait longer for a table than that.
    pub(crate) async fn connect(&self) -> Result<Client, SyncError> {
        let client = self.database.connect().await?;
        client
            .batch_execute(
                "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 0;
                 SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 1;
                 SET bytea_output = 'hex'; SET quote_all_identifiers = off; SET client_min_messages = warning;
                 SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6;
                 SELECT set_config(name, wanted, false) FROM (VALUES ('maintenance_work_mem', '256MB'), ('work_mem', '64MB')) AS o (name, wanted)
                 WHERE pg_size_bytes(current_setting(name)) < pg_size_bytes(wanted)",
            )
            .await
            .map_err(|e| lakefront_postgres::PgError::new("setting up the session", e))?;
        Ok(client)
    }

    /// A connection to a database whose roles and ledger are ready, and who owns tables there.
    pub(crate) async fn control(&self) -> Result<(Client, roles::Ownership), SyncError> {
        let mut client = self.connect().await?;
        let ownership = roles::ensure(&client).await?;
        usable(ledger::ensure(&mut client, ownership).await?)?;
        if ownership == roles::Ownership::Role {
            roles::enter_schemas(&mut client).await?;
        }
        Ok((client, ownership))
    }

    /// The entries of the ledger, none where the database has no ledger.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn entries(&self) -> Result<Vec<Entry>, SyncError> {
        let mut client = self.connect().await?;
        if !ledger::exists(&client).await? {
            return Ok(Vec::new());
        }
        usable(ledger::ready(&mut client).await?)?;
        Ok(ledger::list(&client).await?)
    }
}

/// Refuses a ledger that a newer Lakefront made.
fn usable(readiness: Readiness) -> Result<(), SyncError> {
    match readiness {
        Readiness::Ready => Ok(()),
        Readiness::TooNew(format) => Err(SyncError::new(
            Condition::ResourceConflict,
            format!(
                "the schema lakefront of this database is of format {format}, this Lakefront knows {}",
                ledger::FORMAT
            ),
            "use the Lakefront that made it, or a newer one",
        )),
    }
}
