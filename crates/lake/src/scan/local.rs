//! A file of this machine as Parquet reads it.

use crate::LakeError;
use crate::kernel_error::{Reading, from_io};
use bytes::Bytes;
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Enough for a page header in one read of the system.
const HEADER_BYTES: usize = 4096;

/// An open file, read at positions: unlike [`File`] as the parquet crate reads it, clones have no cursor in common and
/// no read needs a duplicated descriptor.
#[derive(Debug, Clone)]
pub(crate) struct LocalFile {
    file: Arc<File>,
    len: u64,
}

impl LocalFile {
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), len })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// All its bytes.
    pub(crate) fn whole(&self, reading: &Reading) -> Result<Bytes, LakeError> {
        let length = usize::try_from(self.len).map_err(|_| reading.damaged("it is too large"))?;
        self.bytes(0, length).map_err(|error| from_io(reading, error))
    }

    pub(crate) fn read_from(&self, position: u64) -> BufReader<LocalRead> {
        BufReader::with_capacity(HEADER_BYTES, LocalRead { file: Arc::clone(&self.file), position })
    }

    pub(crate) fn bytes(&self, start: u64, length: usize) -> std::io::Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, start)?;
        Ok(buffer.into())
    }
}

/// Reads on from a position.
#[derive(Debug)]
pub(crate) struct LocalRead {
    file: Arc<File>,
    position: u64,
}

impl Read for LocalRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}
