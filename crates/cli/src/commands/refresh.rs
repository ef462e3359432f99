//! `lakefront refresh`

use crate::args::Refresh;
use crate::context::Context;
use crate::error::{CliError, FAILED};
use crate::output::{self, Printer, changed, count, seconds};
use crate::unit;
use lakefront_model::SyncedTableSpec;
use lakefront_sync::{Progress, RefreshReport, RefreshRequest};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;

pub async fn run(context: &Context, refresh: Refresh) -> Result<ExitCode, CliError> {
    let units = unit::named(context, &refresh.which.names, refresh.which.all).await?;
    let printer = context.printer;
    let several = refresh.which.all || units.iter().map(|unit| unit.specs.len()).sum::<usize>() != 1;
    let mut documents: Vec<Value> = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for unit in units {
        let progress = Arc::new(Progress::default());
        let name = unit.name();
        let request = |spec: SyncedTableSpec| RefreshRequest { spec, full: refresh.full };
        let requests: Vec<RefreshRequest> = unit.specs.into_iter().map(request).collect();
        let work = unit.engine.refresh_together(&requests, &progress);
        let refreshed = output::watch(printer, &name, &progress, work).await;
        for (request, refreshed) in requests.iter().zip(refreshed) {
            match refreshed {
                Ok(report) => {
                    show(printer, &report);
                    documents.push(json!(report));
                }
                // A table that fails does not hold up the others.
                Err(error) if several => {
                    let error = CliError::from(error);
                    documents.push(json!({"table": request.spec.name.to_string(), "error": {
                        "condition": error.condition, "message": error.full_message(), "hint": error.hint,
                    }}));
                    if !printer.is_json() {
                        printer.tell(&error);
                    }
                    code = ExitCode::from(FAILED);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    match documents.as_slice() {
        [one] if !several => printer.document(one),
        all => printer.document(&all),
    }
    Ok(code)
}

/// One report, for people.
pub fn show(printer: Printer, report: &RefreshReport) {
    for notice in &report.notices {
        printer.note(&format!("note: {}: {notice}", report.table));
    }
    let rows = count(report.rows);
    let line = match report.refresh {
        "none" => format!("{}: {rows} rows, version {}, nothing new", report.table, report.version),
        "incremental" => format!(
            "{}: {rows} rows, version {}: {}, {} ({})",
            report.table,
            report.version,
            changed(report.inserted, report.updated, report.deleted),
            seconds(report.seconds),
            report.reason
        ),
        _ => {
            let rate = report.rows as f64 / report.seconds.max(0.001);
            format!(
                "{}: {rows} rows, version {}, {} ({} rows/s; {})",
                report.table,
                report.version,
                seconds(report.seconds),
                count(rate as u64),
                report.reason
            )
        }
    };
    printer.say(&line);
    for (reason, rows) in &report.left_out {
        printer.say(&format!("  {} rows set aside: {reason} (listed in lakefront.quarantine)", count(*rows)));
    }
}
