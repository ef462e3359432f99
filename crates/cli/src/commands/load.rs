//! `lakefront load`

use super::refresh::show;
use super::serve::tell;
use crate::args::Load;
use crate::context::Context;
use crate::error::CliError;
use crate::output;
use lakefront_model::{
    QualifiedName, SchedulingPolicy, SyncedTableSpec, TableName, TypeOverride, parse_identifiers,
};
use lakefront_sync::{Engine, Progress, RefreshReport, RefreshRequest, SyncError};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub async fn run(context: &Context, load: Load) -> Result<ExitCode, CliError> {
    let full = load.full;
    let spec = spec(context, &load).await?;
    let engine = context.engine_for(&spec.name).await?;
    let progress = Arc::new(Progress::default());
    let name = spec.name.to_string();
    let request = RefreshRequest { spec: spec.clone(), full };
    let work = engine.refresh(&request, &progress);
    match output::watch(context.printer, &name, &progress, work).await {
        Ok(report) => {
            show(context.printer, &report);
            context.printer.document(&report);
        }
        // Following tries again, as it does later on.
        Err(error) if load.follow && error.is_transient => context.printer.tell(&CliError::from(error)),
        Err(error) => return Err(error.into()),
    }
    if load.follow {
        follow(context, engine, spec).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Applies each commit as it is made, one report for each, until the command is interrupted.
async fn follow(context: &Context, engine: Arc<Engine>, spec: SyncedTableSpec) {
    let printer = context.printer;
    printer.note(&format!("following {}; Ctrl-C ends it", spec.source));
    let told = move |spec: &SyncedTableSpec, refreshed: &Result<RefreshReport, SyncError>| match refreshed {
        Ok(report) if report.refresh == "none" => {}
        Ok(report) => {
            show(printer, report);
            printer.document(report);
        }
        Err(_) => tell(printer, spec, refreshed),
    };
    lakefront_sync::follow(&engine, vec![spec], CancellationToken::new(), told).await;
}

/// What was typed, over what an earlier load of the same table remembered.
async fn spec(context: &Context, load: &Load) -> Result<SyncedTableSpec, CliError> {
    let target = QualifiedName::parse_sql(&load.into)
        .map_err(|e| CliError::usage(format!("--into {e}"), "for example: --into shop.products"))?;
    let name = TableName { catalog: None, name: target };
    let engine = context.engine_for(&name).await?;
    // What never succeeded is not remembered: its options may have been what was wrong.
    let remembered = engine
        .entries()
        .await?
        .into_iter()
        .find(|e| e.target == name.name && e.version.is_some())
        .map(|e| e.spec);
    let source = absolute(&load.source);
    let mut spec = match remembered {
        Some(spec) => SyncedTableSpec { source, ..spec },
        None => SyncedTableSpec::new(name, source, Vec::new()),
    };
    if let Some(key) = &load.key {
        spec.primary_key = names("--key", key)?;
    }
    if spec.primary_key.is_empty() {
        // Without a key nothing but a full copy is possible.
        spec.scheduling_policy = SchedulingPolicy::Snapshot;
    }
    if let Some(key) = &load.timeseries_key {
        let mut columns = names("--timeseries-key", key)?;
        spec.timeseries_key = columns.pop();
        if !columns.is_empty() {
            return Err(CliError::usage("--timeseries-key takes one column", ""));
        }
    }
    if !load.overrides.is_empty() {
        spec.type_overrides =
            load.overrides.iter().map(|o| TypeOverride::parse(o)).collect::<Result<_, _>>().map_err(|e| {
                CliError::usage(e.to_string(), "for example: --override embedding=vector:512")
            })?;
    }
    Ok(spec)
}

fn names(option: &str, given: &str) -> Result<Vec<String>, CliError> {
    parse_identifiers(given).map_err(|e| CliError::usage(format!("{option}: {e}"), ""))
}

/// A path as it is found from anywhere: a later refresh may run in another folder.
fn absolute(source: &str) -> String {
    let path = Path::new(source);
    if path.is_relative() && path.exists() {
        std::path::absolute(path).map_or_else(|_| source.to_owned(), |p| p.display().to_string())
    } else {
        source.to_owned()
    }
}
