//! From the errors of the kernel, of object stores and of Parquet to ours, by their type.

use crate::{LakeError, Location};
use delta_kernel::KernelError;
use parquet::errors::ParquetError;
use std::error::Error;
use std::io::ErrorKind;

/// What was being read when something failed.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    location: Location,
    /// a data file or deletion vector; the log when absent
    file: Option<String>,
}

impl Reading {
    pub(crate) fn log(location: &Location) -> Self {
        Self { location: location.clone(), file: None }
    }

    pub(crate) fn file(location: &Location, file: &str) -> Self {
        Self { location: location.clone(), file: Some(file.to_owned()) }
    }

    pub(crate) fn location(&self) -> String {
        self.location.to_string()
    }

    /// Bytes that make no sense.
    pub(crate) fn damaged(&self, reason: impl ToString) -> LakeError {
        match &self.file {
            Some(file) => LakeError::UnreadableFile {
                location: self.location(),
                file: file.clone(),
                reason: reason.to_string(),
            },
            None => LakeError::CorruptLog { location: self.location(), detail: reason.to_string() },
        }
    }

    /// A file that is gone.
    pub(crate) fn gone(&self, path: impl ToString) -> LakeError {
        match &self.file {
            Some(file) => LakeError::MissingFile { location: self.location(), file: file.clone() },
            None => LakeError::CorruptLog {
                location: self.location(),
                detail: format!("{} is gone", path.to_string()),
            },
        }
    }

    /// A store that did not answer or a disk that failed.
    pub(crate) fn failed(&self, reason: impl ToString) -> LakeError {
        let reason = match &self.file {
            Some(file) => format!("reading {file}: {}", reason.to_string()),
            None => reason.to_string(),
        };
        LakeError::Io { location: self.location(), reason }
    }

    /// A fault of the reader.
    pub(crate) fn internal(&self, reason: impl ToString) -> LakeError {
        let reason = match &self.file {
            Some(file) => format!("reading {file}: {}", reason.to_string()),
            None => reason.to_string(),
        };
        LakeError::Internal { location: self.location(), reason }
    }

    /// No credentials to show to the store.
    pub(crate) fn without_credentials(&self, error: &object_store::Error) -> LakeError {
        let asked = match error {
            object_store::Error::Generic { source, .. } => chain(source.as_ref()),
            other => chain(other),
        };
        self.denied(format!(
            "no credentials in the environment, and this machine's role gives none ({asked})"
        ))
    }

    fn denied(&self, reason: impl ToString) -> LakeError {
        LakeError::Access { location: self.location(), reason: reason.to_string() }
    }
}

/// The kernel's errors. What it refuses ([`KernelError::Unsupported`], [`KernelError::Schema`]) is worked out by
/// `refusal` beforehand; here the kernel's own words are all there is.
pub(crate) fn from_kernel(reading: &Reading, error: KernelError) -> LakeError {
    match error {
        KernelError::Backtraced { source, .. } => from_kernel(reading, *source),
        KernelError::FileNotFound(path) => reading.gone(path),
        KernelError::ObjectStore(error) => from_object_store(reading, error),
        KernelError::IOError(error) => from_io(reading, error),
        KernelError::Parquet(error) => from_parquet(reading, error),
        KernelError::Arrow(error) => reading.damaged(error),
        KernelError::Reqwest(error) => reading.failed(chain(&error)),
        KernelError::GenericError { source } => reading.failed(chain(source.as_ref())),
        KernelError::Unsupported(what) => {
            LakeError::UnsupportedFeature { location: reading.location(), features: vec![what] }
        }
        error @ (KernelError::InternalError(_) | KernelError::JoinFailure(_)) => reading.internal(error),
        // All others say that bytes of the log or of a file do not mean what they should.
        other => reading.damaged(other),
    }
}

pub(crate) fn from_object_store(reading: &Reading, error: object_store::Error) -> LakeError {
    match error {
        object_store::Error::NotFound { path, .. } => reading.gone(path),
        object_store::Error::PermissionDenied { source, .. } => reading.denied(chain(source.as_ref())),
        object_store::Error::Unauthenticated { source, .. } => reading.denied(chain(source.as_ref())),
        object_store::Error::Generic { source, .. } => match io_in(source.as_ref()) {
            Some(ErrorKind::PermissionDenied) => reading.denied(chain(source.as_ref())),
            _ => reading.failed(chain(source.as_ref())),
        },
        error @ object_store::Error::JoinError { .. } => reading.internal(error),
        other => reading.failed(chain(&other)),
    }
}

pub(crate) fn from_io(reading: &Reading, error: std::io::Error) -> LakeError {
    match error.kind() {
        ErrorKind::NotFound => reading.gone(&error),
        ErrorKind::PermissionDenied => reading.denied(&error),
        ErrorKind::UnexpectedEof => reading.damaged(&error),
        _ => match error.downcast::<LakeError>() {
            Ok(inner) => inner,
            Err(error) => reading.failed(error),
        },
    }
}

pub(crate) fn from_parquet(reading: &Reading, error: ParquetError) -> LakeError {
    match error {
        // Sources of bytes put their own errors in here.
        ParquetError::External(source) => match source.downcast::<LakeError>() {
            Ok(inner) => *inner,
            Err(source) => match source.downcast::<std::io::Error>() {
                Ok(error) => from_io(reading, *error),
                Err(source) => match source.downcast::<object_store::Error>() {
                    Ok(error) => from_object_store(reading, *error),
                    Err(source) => reading.damaged(source),
                },
            },
        },
        other => reading.damaged(other),
    }
}

/// Arrow wraps what its Parquet reader meets.
pub(crate) fn from_arrow(reading: &Reading, error: arrow_schema::ArrowError) -> LakeError {
    match error {
        arrow_schema::ArrowError::ExternalError(source) => match source.downcast::<ParquetError>() {
            Ok(error) => from_parquet(reading, *error),
            Err(source) => match source.downcast::<LakeError>() {
                Ok(inner) => *inner,
                Err(source) => reading.damaged(source),
            },
        },
        arrow_schema::ArrowError::IoError(_, error) => from_io(reading, error),
        other => reading.damaged(other),
    }
}

fn io_in(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

/// What a store said in XML, as `Code: Message`, in place of the whole document.
fn without_markup(text: &str) -> String {
    let between = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>")).map(|(found, _)| found.trim())
    };
    match (text.split_once("<?xml"), between("Code"), between("Message")) {
        (Some((before, _)), Some(code), Some(message)) => format!("{before}{code}: {message}"),
        _ => text.to_owned(),
    }
}

/// An error with its causes, each said once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = without_markup(&error.to_string());
    let mut next = error.source();
    while let Some(cause) = next {
        let said = without_markup(&cause.to_string());
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_quoted_without_their_markup() {
        let answer = "status 403: <?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>no</Message><Key>k</Key></Error>";
        assert_eq!(without_markup(answer), "status 403: AccessDenied: no");
        assert_eq!(without_markup("plain <Code>"), "plain <Code>");
    }

    #[test]
    fn kinds_of_errors_are_kept() -> Result<(), LakeError> {
        let reading = Reading::file(&Location::parse("/t")?, "a.parquet");
        let io = |kind: ErrorKind| KernelError::from(std::io::Error::from(kind));
        assert!(matches!(from_kernel(&reading, io(ErrorKind::NotFound)), LakeError::MissingFile { .. }));
        assert!(matches!(from_kernel(&reading, io(ErrorKind::PermissionDenied)), LakeError::Access { .. }));
        assert!(matches!(from_kernel(&reading, io(ErrorKind::TimedOut)), LakeError::Io { .. }));
        let parquet = KernelError::from(ParquetError::EOF("early".to_owned()));
        assert!(matches!(from_kernel(&reading, parquet), LakeError::UnreadableFile { .. }));
        let wrapped = ParquetError::External(Box::new(reading.gone("a.parquet")));
        assert!(matches!(from_parquet(&reading, wrapped), LakeError::MissingFile { .. }));
        Ok(())
    }
}
