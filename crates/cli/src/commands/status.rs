//! `lakefront status`

use crate::args::Status;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, changed, count, seconds};
use lakefront_model::Trigger;
use lakefront_sync::TableStatus;
use std::process::ExitCode;
use std::time::Duration;

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_secs(1);

pub async fn run(context: &Context, status: Status) -> Result<ExitCode, CliError> {
    loop {
        let all = collect(context, status.name.as_deref()).await?;
        if context.printer.is_json() {
            context.printer.document(&all);
        } else {
            if status.watch {
                // Clears the screen and goes to its top-left corner.
                context.printer.say("\x1b[2J\x1b[H");
            }
            show(context, &all);
        }
        if !status.watch {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn collect(context: &Context, name: Option<&str>) -> Result<Vec<TableStatus>, CliError> {
    let known = match name {
        Some(name) => context.named(&[name.to_owned()], false).await?,
        None => context.all().await?,
    };
    let mut all = Vec::new();
    for table in known {
        all.push(match table.entry {
            Some(entry) => table.engine.status_of(entry, &table.spec).await?,
            None => TableStatus::declared(&table.spec),
        });
    }
    Ok(all)
}

fn show(context: &Context, all: &[TableStatus]) {
    if all.is_empty() {
        context.printer.say("no synced tables yet");
        context.printer.note("hint: make one with: lakefront load SOURCE --into SCHEMA.TABLE --key COLUMN");
        return;
    }
    let mut heading =
        vec!["NAME", "POLICY", "STATE", "ROWS", "VERSION", "SOURCE", "BEHIND", "LAG", "UPDATED"];
    let has_triggers = all.iter().any(|status| status.trigger.is_some());
    if has_triggers {
        heading.push("NEXT");
    }
    let mut table = Table::new(&heading).numbers(&[3, 4, 5, 6, 7]);
    for status in all {
        let synced = status.last_update.as_ref().and_then(|u| u.ended_at).map_or_else(String::new, |at| {
            let ago = (chrono::Utc::now() - at).num_milliseconds().max(0) as f64 / 1000.0;
            format!("{} ago", seconds(ago))
        });
        let mut cells = vec![
            status.name.clone(),
            status.policy.clone(),
            short(&status.state).to_owned(),
            status.rows.map_or_else(String::new, count),
            status.version.map_or_else(String::new, |v| v.to_string()),
            status.source_version.map_or_else(String::new, |v| v.to_string()),
            status.lag_versions.map_or_else(String::new, |v| v.to_string()),
            status.lag_seconds.filter(|&lag| lag > 0.0).map_or_else(String::new, seconds),
            synced,
        ];
        if has_triggers {
            cells.push(next(status));
        }
        table.row(cells);
    }
    context.printer.say(&table.to_string());
    if let [status] = all
        && let Some(update) = &status.last_update
        && let (Some(way), Some(reason)) = (&update.refresh, &update.reason)
    {
        let [inserted, updated, deleted] =
            [update.inserted, update.updated, update.deleted].map(Option::unwrap_or_default);
        let rows = changed(inserted, updated, deleted);
        context.printer.say(&format!("\nlast update: {way}, {rows} ({reason})"));
    }
    for status in all {
        if let Some(message) = &status.message {
            context.printer.say(&format!("\n{}: {message}", status.name));
        }
        if status.quarantined > 0 {
            context.printer.say(&format!(
                "\n{}: {} rows set aside (listed in lakefront.quarantine)",
                status.name,
                count(status.quarantined)
            ));
        }
    }
}

/// What has a table refreshed by itself, and when.
fn next(status: &TableStatus) -> String {
    match (&status.trigger, status.next_refresh) {
        (Some(Trigger::SourceChange { .. }), _) => "when the source changes".to_owned(),
        (Some(Trigger::Schedule(_)), Some(at)) => {
            let left = at - chrono::Utc::now();
            if left.num_hours() < 24 {
                format!("in {}", seconds(left.num_milliseconds().max(0) as f64 / 1000.0))
            } else {
                at.format("%Y-%m-%d %H:%M UTC").to_string()
            }
        }
        (Some(Trigger::Schedule(_)) | None, _) => String::new(),
    }
}

/// The API's state in a word or two.
fn short(state: &str) -> &str {
    match state {
        "SYNCED_TABLE_PROVISIONING" => "new",
        "SYNCED_TABLE_PROVISIONING_INITIAL_SNAPSHOT" => "first copy",
        "SYNCED_TABLE_ONLINE_NO_PENDING_UPDATE" => "online",
        "SYNCED_TABLE_ONLINE_TRIGGERED_UPDATE" => "updating",
        "SYNCED_TABLE_ONLINE_PIPELINE_FAILED" => "online, failed",
        "SYNCED_TABLE_OFFLINE_FAILED" => "failed",
        other => other,
    }
}
