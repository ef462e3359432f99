//! Printing, the one place for it: data on stdout, all else on stderr.

pub mod log;
mod numbers;
mod progress;
mod table;

pub use numbers::{bytes, changed, count, seconds};
pub use progress::watch;
pub use table::Table;

use crate::args::Global;
use crate::error::CliError;
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Knows what the user wants to see.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    json: bool,
    quiet: bool,
    /// whether stderr is a terminal that takes colour and moving bars
    lively: bool,
}

impl Printer {
    pub fn new(global: &Global) -> Self {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { json: global.json, quiet: global.quiet, lively: std::io::stderr().is_terminal() && colour }
    }

    /// Prints documents, whatever else was typed.
    pub fn for_json() -> Self {
        Self { json: true, quiet: false, lively: false }
    }

    pub fn is_json(self) -> bool {
        self.json
    }

    pub fn is_quiet(self) -> bool {
        self.quiet
    }

    pub fn is_lively(self) -> bool {
        self.lively
    }

    /// A line about what is going on.
    pub fn note(self, line: &str) {
        if !self.quiet {
            self.to_stderr(line);
        }
    }

    /// A line that is always shown.
    pub fn warn(self, line: &str) {
        self.to_stderr(line);
    }

    /// A line of results, for people; nothing where JSON is wanted.
    pub fn say(self, line: &str) {
        if !self.json {
            let mut out = std::io::stdout().lock();
            // A closed pipe, as in `| head`, is no failure of the work.
            drop(writeln!(out, "{line}").and_then(|()| out.flush()));
        }
    }

    /// The document of `--json`.
    pub fn document(self, document: &impl Serialize) {
        if self.json {
            let text = serde_json::to_string_pretty(document)
                .unwrap_or_else(|e| format!("{{\"error\": {{\"condition\": \"INTERNAL_ERROR\", \"message\": \"{e}\", \"hint\": \"\"}}}}"));
            let mut out = std::io::stdout().lock();
            drop(writeln!(out, "{text}").and_then(|()| out.flush()));
        }
    }

    /// Ends with an error: as the document where JSON is wanted, and gives its exit code.
    pub fn fail(self, error: &CliError) -> ExitCode {
        if self.json {
            self.document(&serde_json::json!({"error": {
                "condition": error.condition, "message": error.full_message(), "hint": error.hint,
            }}));
        } else {
            self.tell(error);
        }
        ExitCode::from(error.code)
    }

    /// Tells of an error, for people: what happened, its causes, and what to do.
    pub fn tell(self, error: &CliError) {
        self.to_stderr(&format!("{} {}", self.bold_red("error:"), error.message));
        for cause in &error.causes {
            self.to_stderr(&format!("  {cause}"));
        }
        if !error.hint.is_empty() {
            self.to_stderr(&format!("\nhint: {}", error.hint));
        }
    }

    fn bold_red(self, text: &str) -> String {
        if self.lively { format!("\x1b[1;31m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn to_stderr(self, line: &str) {
        drop(writeln!(std::io::stderr().lock(), "{line}"));
    }
}
