//! What a command works with: the configuration, the database it names, and engines on both.

use crate::args::Global;
use crate::config::{self, Loaded};
use crate::error::CliError;
use crate::output::Printer;
use lakefront_lake::{Catalogs, FolderCatalog, Lake, LakeOptions, Location};
use lakefront_model::{Condition, QualifiedName, SyncedTableSpec, TableName};
use lakefront_postgres::connect::{AddressError, ConnectOptions};
use lakefront_postgres::embedded::{EmbeddedError, EmbeddedOptions, EmbeddedServer};
use lakefront_postgres::ledger::Entry;
use lakefront_sync::{Engine, EngineSettings, SyncError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything that a command needs.
pub struct Context {
    pub printer: Printer,
    pub loaded: Loaded,
    lake: Lake,
    catalogs: Catalogs,
    server: ConnectOptions,
    /// whether the database was named on the command line, which goes before a catalog's
    named: bool,
    embedded: Option<EmbeddedServer>,
}

/// A synced table that a command names: what is declared of it, what the ledger knows of it, or both.
pub struct Known {
    pub spec: SyncedTableSpec,
    pub entry: Option<Entry>,
    pub engine: Arc<Engine>,
}

impl Context {
    /// Reads the configuration and finds the database, starting the embedded one where none is named.
    pub async fn new(global: &Global, printer: Printer) -> Result<Self, CliError> {
        let loaded = config::load(global.config.as_deref())?;
        let lake = Lake::new(LakeOptions::default()).map_err(SyncError::from)?;
        let catalogs = catalogs(&loaded)?;
        let mut embedded = None;
        let server = if let Some(url) = &global.database {
            ConnectOptions::parse(url).map_err(|e| bad_address("--database", &e))?
        } else if let Some(options) =
            ConnectOptions::from_env().map_err(|e| bad_address("DATABASE_URL and PG*", &e))?
        {
            options
        } else if let Some(database) = &loaded.config.database {
            ConnectOptions::parse(&database.url).map_err(|e| bad_address("[database] url", &e))?
        } else {
            let server = start_embedded(&default_cluster(), printer).await?;
            let options = server.connect_options();
            embedded = Some(server);
            options
        };
        Ok(Self { printer, loaded, lake, catalogs, server, named: global.database.is_some(), embedded })
    }

    /// The engine of a table's database: the one that its catalog is bound to, unless one was named on the command line.
    pub async fn engine_for(&self, name: &TableName) -> Result<Arc<Engine>, CliError> {
        let options = match self.loaded.config.database_of(name) {
            Some(database) if !self.named => self.server.clone().with_database(database),
            _ => self.server.clone(),
        };
        if self.embedded.is_some() {
            ensure_database(&self.server, options.database()).await?;
        }
        Ok(Arc::new(Engine::new(
            self.lake.clone(),
            self.catalogs.clone(),
            options,
            EngineSettings::default(),
        )))
    }

    /// All synced tables: those of the file, and those that the ledgers know besides.
    pub async fn all(&self) -> Result<Vec<Known>, CliError> {
        let mut all: Vec<Known> = Vec::new();
        let mut engines: Vec<(String, Arc<Engine>)> = Vec::new();
        let mut databases: Vec<TableName> = self.loaded.config.specs().into_iter().map(|s| s.name).collect();
        databases.push(plain());
        for name in databases {
            let engine = self.engine_for(&name).await?;
            if !engines.iter().any(|(database, _)| database == engine.database_name()) {
                engines.push((engine.database_name().to_owned(), engine));
            }
        }
        for (_, engine) in &engines {
            let entries = match engine.entries().await {
                Ok(entries) => entries,
                // No database, no ledger; a refresh of a table that belongs into it says so.
                Err(error) if error.condition == Condition::DatabaseDoesNotExist => continue,
                Err(error) => return Err(error.into()),
            };
            for entry in entries {
                all.push(Known { spec: entry.spec.clone(), entry: Some(entry), engine: engine.clone() });
            }
        }
        for spec in self.loaded.config.specs() {
            let engine = self.engine_for(&spec.name).await?;
            let same = |k: &&mut Known| {
                k.spec.name.name == spec.name.name && k.engine.database_name() == engine.database_name()
            };
            match all.iter_mut().find(same) {
                Some(known) => known.spec = spec,
                None => all.push(Known { spec, entry: None, engine }),
            }
        }
        Ok(all)
    }

    /// The synced tables that names mean.
    pub async fn named(&self, names: &[String], all: bool) -> Result<Vec<Known>, CliError> {
        let known = self.all().await?;
        if all {
            return Ok(known);
        }
        Ok(pick(known, names)?.0)
    }

    /// Ends what the command started.
    pub async fn close(self) -> Result<(), CliError> {
        match self.embedded {
            Some(server) => server.stop().await.map_err(|e| embedded_failed(&e)),
            None => Ok(()),
        }
    }

    /// The database that the command works in, for people.
    pub fn server(&self) -> &ConnectOptions {
        &self.server
    }
}

/// The tables that names mean, and the others.
pub fn pick(mut known: Vec<Known>, names: &[String]) -> Result<(Vec<Known>, Vec<Known>), CliError> {
    let mut picked = Vec::new();
    for given in names {
        let wanted = TableName::parse(given).map_err(SyncError::from)?;
        let mut places: Vec<usize> =
            known.iter().enumerate().filter(|(_, k)| means(&wanted, &k.spec.name)).map(|(i, _)| i).collect();
        match (places.pop(), places.is_empty()) {
            (Some(place), true) => picked.push(known.remove(place)),
            (Some(_), false) => {
                return Err(CliError::usage(
                    format!("\"{given}\" means more than one synced table"),
                    "name it with its catalog: CATALOG.SCHEMA.TABLE",
                ));
            }
            (None, _) => return Err(unknown(given, &known)),
        }
    }
    Ok((picked, known))
}

/// A name without catalog, which leads to the server's own database.
fn plain() -> TableName {
    TableName { catalog: None, name: QualifiedName { schema: String::new(), table: String::new() } }
}

fn means(wanted: &TableName, name: &TableName) -> bool {
    let same = |a: &str, b: &str| a == b || a.to_lowercase() == b.to_lowercase();
    same(&wanted.name.schema, &name.name.schema)
        && same(&wanted.name.table, &name.name.table)
        && match (&wanted.catalog, &name.catalog) {
            (Some(wanted), Some(catalog)) => same(wanted, catalog),
            (Some(_), None) => false,
            (None, _) => true,
        }
}

fn unknown(given: &str, known: &[Known]) -> CliError {
    let names: Vec<String> = known.iter().map(|k| k.spec.name.to_string()).collect();
    let hint = if names.is_empty() {
        "there are none yet: make one with lakefront load, or declare it in lakefront.toml".to_owned()
    } else {
        format!("there is: {}", names.join(", "))
    };
    CliError::failed(Condition::ResourceDoesNotExist, format!("there is no synced table \"{given}\""), hint)
}

fn catalogs(loaded: &Loaded) -> Result<Catalogs, CliError> {
    let mut catalogs = Catalogs::default();
    for (name, catalog) in &loaded.config.catalogs {
        let place = |given: &str| -> Result<Location, CliError> {
            let path = Path::new(given);
            let is_relative = !given.contains("://") && path.is_relative();
            let location = if is_relative {
                Location::from_path(&loaded.folder.join(path))
            } else {
                Location::parse(given)
            };
            Ok(location.map_err(SyncError::from)?)
        };
        if let Some(root) = &catalog.root {
            catalogs.add_catalog(name, Arc::new(FolderCatalog::new(place(root)?)));
        }
        for (table, given) in &catalog.tables {
            let full = TableName::parse(&format!("{name}.{table}")).map_err(SyncError::from)?;
            catalogs.add_table(&full, place(given)?);
        }
    }
    Ok(catalogs)
}

fn bad_address(place: &str, error: &AddressError) -> CliError {
    CliError::usage(format!("{place}: {error}"), error.hint().unwrap_or_default())
}

/// Where the embedded server of commands other than `demo` keeps its data.
fn default_cluster() -> PathBuf {
    if let Some(folder) = std::env::var_os("LAKEFRONT_DATA").filter(|f| !f.is_empty()) {
        return PathBuf::from(folder).join("postgres");
    }
    let data = std::env::var_os("XDG_DATA_HOME").filter(|f| !f.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    data.unwrap_or_else(|| home().join(".local/share")).join("lakefront/postgres")
}

/// Starts the embedded server of a folder, or attaches to it.
pub async fn start_embedded(folder: &Path, printer: Printer) -> Result<EmbeddedServer, CliError> {
    let told = move |step: &str| printer.note(&format!("PostgreSQL: {step}"));
    EmbeddedServer::start(EmbeddedOptions::new(folder), &told).await.map_err(|e| embedded_failed(&e))
}

fn embedded_failed(error: &EmbeddedError) -> CliError {
    let causes = std::iter::successors(std::error::Error::source(error), |e| e.source());
    let mut failed = CliError::failed(
        Condition::ConnectionError,
        format!("the embedded PostgreSQL: {error}"),
        error.hint().unwrap_or_default(),
    );
    failed.causes = causes.map(ToString::to_string).collect();
    failed
}

/// Makes a database of the embedded server where it is missing.
pub async fn ensure_database(server: &ConnectOptions, database: &str) -> Result<(), CliError> {
    if database == server.database() {
        return Ok(());
    }
    let client = server.connect().await.map_err(SyncError::from)?;
    lakefront_postgres::roles::ensure_database(&client, database).await.map_err(SyncError::from)?;
    Ok(())
}
