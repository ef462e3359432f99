//! The bytes of a data file, wherever it is, for the Parquet reader.

use super::local::{LocalFile, LocalRead};
use super::remote::RemoteFile;
use crate::LakeError;
use crate::kernel_error::{Reading, from_io};
use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::io::{BufReader, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// A data file being read.
#[derive(Debug, Clone)]
pub(crate) struct FileBytes {
    place: Place,
    reading: Reading,
    /// The Parquet reader hands errors on as text; the error itself waits here.
    failure: Arc<Mutex<Option<LakeError>>>,
}

#[derive(Debug, Clone)]
enum Place {
    /// in memory, all of it
    Held(Bytes),
    Local(LocalFile),
    Remote(Arc<RemoteFile>),
}

impl FileBytes {
    pub(crate) fn held(bytes: Bytes, reading: Reading) -> Self {
        Self { place: Place::Held(bytes), reading, failure: Arc::default() }
    }

    pub(crate) fn local(file: LocalFile, reading: Reading) -> Self {
        Self { place: Place::Local(file), reading, failure: Arc::default() }
    }

    pub(crate) fn remote(file: RemoteFile, reading: Reading) -> Self {
        Self { place: Place::Remote(Arc::new(file)), reading, failure: Arc::default() }
    }

    /// The error that reading met, if the bytes were to blame.
    pub(crate) fn take_failure(&self) -> Option<LakeError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, error: LakeError) -> ParquetError {
        let text = error.to_string();
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        ParquetError::General(text)
    }
}

impl Length for FileBytes {
    fn len(&self) -> u64 {
        match &self.place {
            Place::Held(bytes) => bytes.len() as u64,
            Place::Local(file) => file.len(),
            Place::Remote(file) => file.len(),
        }
    }
}

impl ChunkReader for FileBytes {
    type T = FileRead;

    fn get_read(&self, start: u64) -> Result<FileRead> {
        Ok(match &self.place {
            Place::Held(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
                FileRead::Held(Cursor::new(bytes.slice(start..)))
            }
            Place::Local(file) => FileRead::Local(file.read_from(start)),
            Place::Remote(file) => {
                FileRead::Remote(RemoteRead { file: Arc::clone(file), bytes: self.clone(), position: start })
            }
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = match &self.place {
            Place::Held(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let end = start.checked_add(length).filter(|end| *end <= bytes.len());
                end.map(|end| bytes.slice(start..end)).ok_or_else(|| self.reading.damaged("it ends early"))
            }
            Place::Local(file) => file.bytes(start, length).map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => self.reading.damaged("it ends early"),
                _ => from_io(&self.reading, error),
            }),
            Place::Remote(file) => file.bytes(start, length),
        };
        bytes.map_err(|error| self.keep(error))
    }
}

/// Reads on from a position of the file.
#[derive(Debug)]
pub(crate) enum FileRead {
    Held(Cursor<Bytes>),
    Local(BufReader<LocalRead>),
    Remote(RemoteRead),
}

impl Read for FileRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Held(bytes) => bytes.read(buffer),
            Self::Local(file) => file.read(buffer),
            Self::Remote(file) => file.read(buffer),
        }
    }

    /// The headers of pages are read byte by byte, so each step counts where files are small.
    fn read_exact(&mut self, buffer: &mut [u8]) -> std::io::Result<()> {
        match self {
            Self::Held(bytes) => bytes.read_exact(buffer),
            Self::Local(file) => file.read_exact(buffer),
            Self::Remote(file) => file.read_exact(buffer),
        }
    }
}

/// Reads on in a file in a store.
#[derive(Debug)]
pub(crate) struct RemoteRead {
    file: Arc<RemoteFile>,
    /// keeps the error that reading meets
    bytes: FileBytes,
    position: u64,
}

impl Read for RemoteRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let found = self.file.at_least(self.position, 1);
        let found = found.map_err(|error| std::io::Error::other(self.bytes.keep(error)))?;
        let count = found.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), found.get(..count)) {
            to.copy_from_slice(from);
        }
        self.position += count as u64;
        Ok(count)
    }
}
