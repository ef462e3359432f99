//! `lakefront serve`

use crate::context::{Context, Known};
use crate::error::CliError;
use crate::output::{Printer, count, seconds};
use crate::signals::asked_to_stop;
use crate::storefront;
use lakefront_model::{SchedulingPolicy, SyncedTableSpec};
use lakefront_sync::{Follow, Progress, RefreshReport, RefreshRequest, SyncError};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Pause after a failure that may pass by itself, doubled each time up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between tries.
const MAX_PAUSE: Duration = Duration::from_secs(60);

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
    for table in context.all().await? {
        running.spawn(keep_fresh(printer, table, stop.clone(), tell));
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

/// Keeps one table as fresh as its policy says: a continuous one follows its source, the others are brought up to
/// date now and then wait to be asked.
pub async fn keep_fresh(
    printer: Printer,
    table: Known,
    stop: CancellationToken,
    tell: fn(Printer, &SyncedTableSpec, &Result<RefreshReport, SyncError>),
) {
    if table.spec.scheduling_policy == SchedulingPolicy::Continuous {
        let told = move |spec: &SyncedTableSpec, result: &_| tell(printer, spec, result);
        Follow::new(table.engine, vec![table.spec]).run(stop, told).await;
        return;
    }
    let request = RefreshRequest { spec: table.spec, full: false };
    let mut pause = MIN_PAUSE;
    loop {
        let progress = Arc::new(Progress::default());
        let result = tokio::select! {
            result = table.engine.refresh(&request, &progress) => result,
            () = stop.cancelled() => return,
        };
        tell(printer, &request.spec, &result);
        if !result.is_err_and(|error| error.is_transient) {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(MAX_PAUSE),
            () = stop.cancelled() => return,
        }
    }
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
