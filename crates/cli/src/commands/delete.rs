//! `lakefront delete`

use crate::args::Delete;
use crate::context::Context;
use crate::error::CliError;
use lakefront_model::Condition;
use std::process::ExitCode;

pub async fn run(context: &Context, delete: Delete) -> Result<ExitCode, CliError> {
    let mut known = context.named(std::slice::from_ref(&delete.name), false).await?;
    let found = known.pop().and_then(|k| k.entry.map(|entry| (k.engine, entry)));
    let Some((engine, entry)) = found else {
        return Err(CliError::failed(
            Condition::ResourceDoesNotExist,
            format!("{} is declared in the configuration file and was never copied", delete.name),
            "take it out of the file",
        ));
    };
    let report = engine.delete(&entry, delete.purge).await?;
    if report.purged {
        context.printer.say(&format!("{}: deleted, its table dropped", report.table));
    } else {
        context.printer.say(&format!(
            "{}: deleted; its table stays in PostgreSQL and is no longer refreshed",
            report.table
        ));
    }
    context.printer.document(&report);
    Ok(ExitCode::SUCCESS)
}
