//! What ends a command early, and with which exit code.

use lakefront_model::Condition;
use lakefront_sync::SyncError;

/// Exit codes, fixed: scripts depend on them.
pub const FAILED: u8 = 1;
/// Wrong usage or configuration; for `verify`: could not compare.
pub const USAGE: u8 = 2;
/// Ended by a signal from the terminal.
pub const INTERRUPTED: u8 = 130;

/// What is printed, and the exit code.
#[derive(Debug, Clone)]
pub struct CliError {
    pub condition: &'static str,
    pub message: String,
    pub causes: Vec<String>,
    pub hint: String,
    pub code: u8,
}

impl CliError {
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            condition: Condition::InvalidParameterValue.name(),
            message: message.into(),
            causes: Vec::new(),
            hint: hint.into(),
            code: USAGE,
        }
    }

    /// What was typed is no command.
    pub fn mistyped(error: &clap::Error) -> Self {
        let told = error.to_string();
        // Usage and tips follow after an empty line.
        let first = told.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        let message = first.split_whitespace().collect::<Vec<_>>().join(" ");
        Self::usage(message, "lakefront --help lists the commands, lakefront COMMAND --help what each takes")
    }

    pub fn failed(condition: Condition, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            condition: condition.name(),
            message: message.into(),
            causes: Vec::new(),
            hint: hint.into(),
            code: FAILED,
        }
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::failed(Condition::InternalError, message, "")
    }

    /// Message and causes in one line.
    pub fn full_message(&self) -> String {
        std::iter::once(&self.message).chain(&self.causes).map(String::as_str).collect::<Vec<_>>().join(": ")
    }

    /// The same, ending with another code.
    #[must_use]
    pub fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

impl From<SyncError> for CliError {
    fn from(error: SyncError) -> Self {
        let code = if error.condition == Condition::InvalidParameterValue { USAGE } else { FAILED };
        Self {
            condition: error.condition.name(),
            message: error.message,
            causes: error.causes,
            hint: error.hint,
            code,
        }
    }
}
