//! `lakefront verify`

use crate::args::Named;
use crate::context::Context;
use crate::error::{CliError, FAILED, USAGE};
use crate::output::{self, Printer, count, seconds};
use lakefront_model::Condition;
use lakefront_sync::{Progress, VerifyReport};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;

pub async fn run(context: &Context, named: Named) -> Result<ExitCode, CliError> {
    // Whatever keeps the comparison from being made ends with 2: 1 means a difference.
    let known = context.named(&named.names, named.all).await.map_err(|e| e.with_code(USAGE))?;
    let several = named.all || known.len() != 1;
    let printer = context.printer;
    let mut documents: Vec<Value> = Vec::new();
    let (mut differs, mut uncompared) = (false, false);
    for table in known {
        let name = table.spec.name.to_string();
        let progress = Arc::new(Progress::default());
        let compared = match &table.entry {
            Some(entry) => {
                let work = table.engine.verify(entry, &progress);
                output::watch(printer, &name, &progress, work).await.map_err(CliError::from)
            }
            None => Err(CliError::failed(
                Condition::ResourceDoesNotExist,
                format!("{name}: there is no copy yet"),
                format!("run: lakefront refresh {name}"),
            )),
        };
        match compared {
            Ok(report) => {
                differs |= !report.same;
                show(printer, &report);
                documents.push(json!(report));
            }
            Err(error) if several => {
                uncompared = true;
                documents.push(json!({"table": name, "error": {
                    "condition": error.condition, "message": error.full_message(), "hint": error.hint,
                }}));
                if !printer.is_json() {
                    printer.tell(&error);
                }
            }
            Err(error) => return Err(error.with_code(USAGE)),
        }
    }
    match documents.as_slice() {
        [one] if !several => printer.document(one),
        all => printer.document(&all),
    }
    Ok(match (uncompared, differs) {
        (true, _) => ExitCode::from(USAGE),
        (false, true) => ExitCode::from(FAILED),
        (false, false) => ExitCode::SUCCESS,
    })
}

fn show(printer: Printer, report: &VerifyReport) {
    let (table, version) = (&report.table, report.version);
    if report.same {
        printer.say(&format!(
            "{table}: same as its source at version {version}: {} rows compared in {}",
            count(report.rows),
            seconds(report.seconds)
        ));
        return;
    }
    printer.say(&format!(
        "{table}: differs from its source at version {version}: {} rows missing, {} surplus, {} with other values",
        count(report.missing),
        count(report.surplus),
        count(report.different)
    ));
    for example in &report.examples {
        let columns = if example.columns.is_empty() {
            String::new()
        } else {
            format!(": {}", example.columns.join(", "))
        };
        printer.say(&format!("  {:<9} {}{columns}", example.kind, example.key));
    }
    printer.note(&format!("hint: lakefront refresh {table} --full makes them the same again"));
}
