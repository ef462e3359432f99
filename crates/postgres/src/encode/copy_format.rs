//! The frame of binary COPY (PostgreSQL manual, COPY, "Binary Format").

/// What comes before the first row: the signature, no flags, no extension.
pub const COPY_HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What comes after the last row.
pub const COPY_TRAILER: [u8; 2] = (-1i16).to_be_bytes();

/// A field that is NULL: a length of −1 and nothing behind it.
pub(super) const NULL_FIELD: [u8; 4] = (-1i32).to_be_bytes();

/// The most bytes that PostgreSQL takes for a row, and so for a field (`MaxAllocSize`).
pub(super) const MAX_ROW_BYTES: usize = 0x3fff_ffff;
