//! What stops an update: its condition, what happened, and what to do. The one place where errors are judged.

use lakefront_lake::{CatalogError, LakeError};
use lakefront_model::{Condition, MappingError, NameError};
use lakefront_postgres::PgError;
use lakefront_postgres::connect::ConnectError;
use lakefront_postgres::encode::EncodeError;

/// Why work on a synced table ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncError {
    /// the condition, as the control-plane API names it
    pub condition: Condition,
    /// what happened, with the names of what it happened to
    pub message: String,
    /// what lies behind it, outermost first
    pub causes: Vec<String>,
    /// what the operator can do, empty where there is nothing to say
    pub hint: String,
    /// whether the same work may succeed later although nobody changes anything
    pub is_transient: bool,
}

impl std::fmt::Display for SyncError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyncError {}

impl SyncError {
    /// An error that lasts until somebody changes something.
    pub fn new(condition: Condition, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            condition,
            message: message.into(),
            causes: Vec::new(),
            hint: hint.into(),
            is_transient: false,
        }
    }

    /// The same, with the table's name before the message.
    #[must_use]
    pub fn of_table(mut self, table: &impl std::fmt::Display) -> Self {
        self.message = format!("{table}: {}", self.message);
        self
    }
}

/// What should not happen.
pub(crate) fn internal(message: String) -> SyncError {
    SyncError::new(Condition::InternalError, message, "")
}

impl From<LakeError> for SyncError {
    fn from(error: LakeError) -> Self {
        let condition = match &error {
            LakeError::BadLocation { .. } => Condition::InvalidParameterValue,
            LakeError::UnsupportedFeature { .. } | LakeError::UnsupportedType { .. } => {
                Condition::UnsupportedType
            }
            LakeError::VersionNotAvailable { .. } => Condition::DeltaTruncatedTransactionLog,
            LakeError::Internal { .. } => Condition::InternalError,
            _ => Condition::SourceReadError,
        };
        Self {
            condition,
            causes: causes_of(&error),
            hint: error.hint().to_owned(),
            is_transient: error.is_transient(),
            message: error.to_string(),
        }
    }
}

/// The texts of the errors behind an error.
fn causes_of(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(error.source(), |e| e.source()).map(ToString::to_string).collect()
}

impl From<CatalogError> for SyncError {
    fn from(error: CatalogError) -> Self {
        if let CatalogError::Lake { source, .. } = &error {
            return Self { message: error.to_string(), causes: Vec::new(), ..Self::from(source.clone()) };
        }
        Self::new(
            Condition::ResourceDoesNotExist,
            error.to_string(),
            "check the name and the [catalogs] of the configuration file",
        )
    }
}

impl From<NameError> for SyncError {
    fn from(error: NameError) -> Self {
        Self::new(Condition::InvalidParameterValue, error.to_string(), "")
    }
}

impl From<MappingError> for SyncError {
    fn from(error: MappingError) -> Self {
        let (condition, hint) = match &error {
            MappingError::KeyColumnMissing { .. }
            | MappingError::KeyColumnTwice(_)
            | MappingError::KeyTooWide(_)
            | MappingError::KeyType { .. } => (
                Condition::InvalidParameterValue,
                "name columns of a scalar type that together identify a row",
            ),
            MappingError::NameTooLong(_) | MappingError::SystemColumn(_) => {
                (Condition::UnsupportedType, "rename the column at the source")
            }
            MappingError::TooManyColumns(_) | MappingError::NoColumns => (Condition::UnsupportedType, ""),
            _ => (Condition::InvalidParameterValue, ""),
        };
        Self::new(condition, error.to_string(), hint)
    }
}

impl From<ConnectError> for SyncError {
    fn from(error: ConnectError) -> Self {
        let condition = match &error {
            ConnectError::Address(_) => Condition::InvalidParameterValue,
            ConnectError::MissingDatabase { .. } => Condition::DatabaseDoesNotExist,
            ConnectError::Refused { .. } => Condition::PermissionDenied,
            _ => Condition::ConnectionError,
        };
        Self {
            condition,
            is_transient: error.is_transient(),
            causes: causes_of(&error),
            hint: error.hint().unwrap_or_default(),
            message: error.to_string(),
        }
    }
}

impl From<EncodeError> for SyncError {
    fn from(error: EncodeError) -> Self {
        Self::new(Condition::UnsupportedType, error.to_string(), "")
    }
}

impl From<PgError> for SyncError {
    fn from(error: PgError) -> Self {
        let condition = condition_of(&error);
        let hint = match condition {
            Condition::ResourceConflict => return Self::new(condition, error.to_string(), way_out(&error)),
            Condition::TargetDatabaseFull => {
                "free disk space or memory on the database server; the last good copy is untouched"
            }
            Condition::LockTimeout => {
                "another session holds a lock on the table; it is tried again at the next refresh"
            }
            Condition::PermissionDenied => {
                "connect as a user that may create schemas and roles, or ask its administrator for: GRANT CREATE ON DATABASE"
            }
            Condition::ColumnTypeChangeNotSupported => {
                "drop what the message says is in the way, refresh, and make it again; the last good data stays until then"
            }
            Condition::ConnectionError => "check that the server runs and can be reached; nothing was lost",
            _ => "",
        };
        let is_transient = matches!(condition, Condition::ConnectionError | Condition::LockTimeout);
        Self {
            condition,
            message: error.to_string(),
            causes: Vec::new(),
            hint: hint.to_owned(),
            is_transient,
        }
    }
}

/// What a refusal of PostgreSQL means (PostgreSQL manual, appendix A).
fn condition_of(error: &PgError) -> Condition {
    let Some(state) = error.sqlstate() else {
        return match error.left_out_by() {
            None => Condition::ConnectionError,
            Some([]) => Condition::InternalError,
            Some(_) => Condition::ResourceConflict,
        };
    };
    let (code, class) = (state.code(), state.code().get(..2).unwrap_or_default());
    match code {
        // What users built on the column: it cannot follow the wider type, be taken away, or be made again.
        _ if error.is_of_type_change() && matches!(class, "0A" | "2B" | "42") => {
            Condition::ColumnTypeChangeNotSupported
        }
        "53100" | "53200" => Condition::TargetDatabaseFull,
        "22021" | "22P05" => Condition::CharacterNotInRepertoire,
        "22003" | "22008" | "22001" => Condition::ValueOutOfRange,
        "55P03" => Condition::LockTimeout,
        "3D000" => Condition::DatabaseDoesNotExist,
        "42501" | "28000" | "28P01" => Condition::PermissionDenied,
        "42704" | "0A000" => Condition::UnsupportedType,
        _ if class == "08" || code.starts_with("57P") => Condition::ConnectionError,
        _ if class == "42" => Condition::InvalidParameterValue,
        // Constraints, dependent objects, triggers and functions of users. What the source's own keys break is known
        // before (`Run::is_key_taken`, the key of the stage) and does not come here.
        _ if matches!(class, "23" | "27" | "2B" | "38" | "39" | "44" | "P0") => Condition::ResourceConflict,
        _ => Condition::InternalError,
    }
}

/// What to do about something of users' own that is in the way.
fn way_out(error: &PgError) -> String {
    const KEPT: &str = "the last good data stays until then";
    let Some(refusal) = error.refusal() else {
        return format!("drop or disable what the message names, or let it take all rows; {KEPT}");
    };
    let table = [refusal.schema(), refusal.table()].map(Option::unwrap_or_default).join(".");
    let name = refusal.constraint().unwrap_or_default();
    let in_the_end =
        "make it a constraint that is DEFERRABLE INITIALLY DEFERRED if the data are right in the end";
    match refusal.code().code() {
        "23502" => {
            let column = refusal.column().unwrap_or_default();
            format!("drop NOT NULL from column \"{column}\" of {table}, or fill it at the source; {KEPT}")
        }
        "23503" => {
            format!(
                "drop the constraint \"{name}\" of {table}, {in_the_end}, or change what refers to the rows; {KEPT}"
            )
        }
        "23505" | "23P01" => {
            format!(
                "drop \"{name}\" of {table}, or what declares it, {in_the_end}, or change the source; {KEPT}"
            )
        }
        "23514" => format!("drop the constraint \"{name}\" of {table}, or change the source; {KEPT}"),
        "2BP01" => "drop what the message names first".to_owned(),
        _ => format!("correct or drop the trigger or function that refused; {KEPT}"),
    }
}
