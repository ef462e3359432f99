//! `lakefront serve`

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Printer, count, seconds};
use crate::signals::asked_to_stop;
use crate::storefront;
use crate::unit::{Unit, units};
use lakefront_model::SyncedTableSpec;
use lakefront_sync::{RefreshReport, SyncError};
use std::process::ExitCode;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let Some(file) = &context.loaded.file else {
        return Err(CliError::usage(
            "there is no configuration file",
            "write lakefront.toml (docs/guide/configuration.md shows all of it), or name one with --config",
        ));
    };
    let printer = context.printer;
    printer.note(&format!("configuration  {}", file.display()));
    printer.note(&format!("PostgreSQL     {}", context.server().describe()));
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    for unit in units(context.all().await?) {
        running.spawn(keep_fresh(printer, unit, stop.clone(), tell));
    }
    if let Some(config) = &context.loaded.config.storefront {
        let settings = storefront::settings(config.settings.clone(), context)?;
        let listener = storefront::listen(config.listen).await?;
        let address = listener.local_addr().unwrap_or(config.listen);
        printer.note(&format!("storefront     http://{address}"));
        let stop = stop.clone();
        running.spawn(async move {
            let images = lakefront_storefront::NoImages;
            let ended = lakefront_storefront::serve(listener, settings, images, stop.cancelled_owned());
            if let Err(error) = ended.await {
                printer.warn(&format!("error: {error}"));
            }
        });
    }
    asked_to_stop().await;
    printer.note("stopping");
    stop.cancel();
    while running.join_next().await.is_some() {}
    Ok(ExitCode::SUCCESS)
}

/// Keeps tables as fresh as they are declared to be.
pub async fn keep_fresh(
    printer: Printer,
    unit: Unit,
    stop: CancellationToken,
    tell: fn(Printer, &SyncedTableSpec, &Result<RefreshReport, SyncError>),
) {
    let told = move |spec: &SyncedTableSpec, result: &_| tell(printer, spec, result);
    lakefront_sync::keep_fresh(&unit.engine, unit.specs, stop, told).await;
}

/// Tells how one refresh ended.
pub fn tell(printer: Printer, spec: &SyncedTableSpec, result: &Result<RefreshReport, SyncError>) {
    match result {
        Ok(report) if report.refresh == "none" && report.from_version == Some(report.version) => {
            printer.note(&format!("{}  version {}, nothing new", spec.name, report.version));
        }
        Ok(report) => printer.note(&format!(
            "{}  version {}, {} rows, {} ({})",
            spec.name,
            report.version,
            count(report.rows),
            seconds(report.seconds),
            report.reason
        )),
        Err(error) => {
            printer.warn(&format!("error: {}: {error}", error.condition));
            for cause in &error.causes {
                printer.warn(&format!("  {cause}"));
            }
        }
    }
}
