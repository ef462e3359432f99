//! Progress of long work: a bar on a terminal, a line now and then elsewhere.

use super::{Printer, bytes, count, seconds};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lakefront_sync::{Phase, Progress, ProgressSnapshot};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a bar moves.
const BAR: Duration = Duration::from_millis(100);
/// How often a plain line is printed; work that takes less prints none.
const LINE: Duration = Duration::from_secs(5);

/// Shows the progress of `work` until it ends.
pub async fn watch<T>(
    printer: Printer,
    name: &str,
    progress: &Arc<Progress>,
    work: impl Future<Output = T>,
) -> T {
    if printer.is_quiet() || printer.is_json() && !printer.is_lively() {
        return work.await;
    }
    let started = Instant::now();
    let bar = printer.is_lively().then(|| bar(name));
    let mut tick = tokio::time::interval(if bar.is_some() { BAR } else { LINE });
    tick.tick().await;
    tokio::pin!(work);
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = tick.tick() => {
                let line = line(&progress.snapshot(), started.elapsed());
                match &bar {
                    Some(bar) => move_bar(bar, &progress.snapshot(), line),
                    None => printer.note(&format!("{name}: {line}")),
                }
            }
        }
    };
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    result
}

fn bar(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{prefix} {bar:24.cyan/dim} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("━━─"));
    bar.set_prefix(name.to_owned());
    bar
}

fn move_bar(bar: &ProgressBar, now: &ProgressSnapshot, line: String) {
    bar.set_position((share(now) * 100.0) as u64);
    bar.set_message(line);
}

/// How much of the copying is done, 0 to 1.
fn share(now: &ProgressSnapshot) -> f64 {
    match now.phase {
        Phase::Planning => 0.0,
        Phase::Copying if now.total_rows > 0 => (now.rows as f64 / now.total_rows as f64).min(1.0),
        Phase::Copying if now.total_bytes > 0 => (now.bytes as f64 / now.total_bytes as f64).min(1.0),
        Phase::Copying => 0.0,
        Phase::Indexing | Phase::Applying | Phase::Comparing => 1.0,
    }
}

fn line(now: &ProgressSnapshot, elapsed: Duration) -> String {
    let done = share(now);
    let spent = elapsed.as_secs_f64();
    let mut line = format!("{}  {} rows  {}", now.phase.label(), count(now.rows), bytes(now.bytes));
    if now.phase == Phase::Copying && spent > 0.0 {
        line += &format!("  {} rows/s", count((now.rows as f64 / spent) as u64));
        if done > 0.0 {
            line += &format!("  {} left", seconds(spent * (1.0 - done) / done));
        }
    }
    line
}
