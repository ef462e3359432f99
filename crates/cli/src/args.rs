//! What was typed.

use clap::{Args as ClapArgs, Parser, Subcommand};
use std::path::PathBuf;

/// Keeps PostgreSQL copies of Delta Lake tables fresh, and serves applications from them.
#[derive(Debug, Parser)]
#[command(name = "lakefront", version, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, ClapArgs)]
pub struct Global {
    /// PostgreSQL to use: postgres://user@host/db, or key=value pairs
    /// [default: DATABASE_URL, PG*, the configuration file, else an embedded PostgreSQL]
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Configuration file [default: lakefront.toml where it exists]
    #[arg(long, global = true, value_name = "FILE", env = "LAKEFRONT_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Log to stderr, by filter: info, debug, lakefront_sync=debug
    #[arg(long, global = true, value_name = "FILTER", env = "LAKEFRONT_LOG")]
    pub log: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a demo lake, sync it and serve the fashion shop from it
    Demo(Demo),
    /// Keep the configured synced tables fresh, and serve the storefront if it is configured
    Serve,
    /// Copy one Delta table into PostgreSQL; again later, bring the copy up to date
    Load(Load),
    /// Bring synced tables to their source's newest version
    Refresh(Refresh),
    /// Show where synced tables stand
    Status(Status),
    /// Compare synced tables with their source, row by row
    Verify(Named),
    /// End a synced table; its PostgreSQL table is kept unless --purge
    Delete(Delete),
}

#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// Port of the shop on 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Where lake and database are kept
    #[arg(long, value_name = "DIR", default_value = "lakefront-demo")]
    pub data: PathBuf,
    /// Commits a second that the simulated shop makes to the lake, or "off"
    #[arg(long, value_name = "RATE|off", default_value = "0.2", value_parser = activity)]
    pub activity: Activity,
}

/// How busy the simulated shop is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activity {
    Off,
    PerSecond(f64),
}

fn activity(given: &str) -> Result<Activity, String> {
    if given.eq_ignore_ascii_case("off") {
        return Ok(Activity::Off);
    }
    match given.parse::<f64>() {
        Ok(0.0) => Ok(Activity::Off),
        Ok(rate) if rate > 0.0 && rate <= 100.0 => Ok(Activity::PerSecond(rate)),
        _ => Err("give commits a second, above 0 and up to 100, or \"off\"".to_owned()),
    }
}

#[derive(Debug, ClapArgs)]
pub struct Load {
    /// The Delta table: a folder, s3://…, gs://…, az://…, or catalog.schema.table of the configuration
    pub source: String,
    /// The PostgreSQL table, read as SQL does
    #[arg(long, value_name = "SCHEMA.TABLE")]
    pub into: String,
    /// Primary key columns, read as SQL does: a,"B c"
    #[arg(long, value_name = "C1,C2")]
    pub key: Option<String>,
    /// Of rows with the same key, the one with the greatest value here is kept
    #[arg(long, value_name = "C")]
    pub timeseries_key: Option<String>,
    /// Another PostgreSQL type for a column: COL=vector:512, halfvec:N, varchar:N or array
    #[arg(long = "override", value_name = "COL=TYPE:SIZE")]
    pub overrides: Vec<String>,
    /// Copy everything again
    #[arg(long)]
    pub full: bool,
    /// Then apply each commit as it is made, until interrupted
    #[arg(long)]
    pub follow: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Refresh {
    #[command(flatten)]
    pub which: Named,
    /// Copy everything again
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Named {
    /// Synced tables: catalog.schema.table, or schema.table where that is unambiguous
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    pub names: Vec<String>,
    /// All synced tables
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Status {
    /// One synced table
    pub name: Option<String>,
    /// Show it again every second until interrupted
    #[arg(long)]
    pub watch: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Delete {
    /// The synced table
    pub name: String,
    /// Drop its PostgreSQL table too
    #[arg(long)]
    pub purge: bool,
}
