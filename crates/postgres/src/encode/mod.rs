//! Binary COPY straight from Arrow.
//!
//! A [`RowEncoder`] is made once per table and bound to each batch: that chooses the encoder of each column. Rows
//! are then written one after the other into a [`CopyBuffer`], each column by its encoder, without an allocation per
//! value, in chunks that the caller bounds. Between [`COPY_HEADER`] and [`COPY_TRAILER`] they are what
//! `COPY … FROM STDIN (FORMAT binary)` reads, for columns of exactly the types of the mapping: binary COPY converts
//! nothing.
//!
//! Nothing is rounded, cut or wrapped in silence: a row with a value that its column cannot hold is a
//! [`RejectedRow`] and leaves no bytes. The exception is asked for by name: elements of a `vector` or `halfvec`
//! are rounded to the vector's element type, as pgvector does.

mod bind;
mod buffer;
mod byte_values;
mod cells;
mod copy_format;
mod copy_row;
mod datetime;
mod error;
mod json;
mod list_offsets;
mod native_array;
mod numeric;
mod reject;
mod row;
mod row_text;
mod vector;

pub use buffer::CopyBuffer;
pub use copy_format::{COPY_HEADER, COPY_TRAILER};
pub use copy_row::CopyRow;
pub use error::EncodeError;
pub use reject::{RejectCause, RejectedRow};
pub use row::{BoundBatch, Encoded, RowEncoder};
pub use row_text::RowTexts;
