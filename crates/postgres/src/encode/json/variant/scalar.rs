//! Values without parts.

use super::super::super::buffer::CopyBuffer;
use super::super::super::datetime::{put_date, put_time, put_timestamp};
use super::super::super::numeric::put_decimal;
use super::super::super::reject::{RejectCause, Written};
use super::super::Purpose;
use super::super::escape::put_escaped;
use super::super::write::{put_base64, put_double, put_float, put_integer, put_not_finite};
use super::malformed;
use arrow_schema::TimeUnit;

const MICROS_PER_DAY: u64 = 86_400_000_000;

/// Writes a value of a primitive type and returns how many bytes it has behind its header.
pub(super) fn put_scalar(
    kind: usize,
    bytes: &[u8],
    out: &mut CopyBuffer,
    purpose: Purpose,
) -> Result<usize, Box<RejectCause>> {
    Ok(match kind {
        0 => put_word(out, b"null"),
        1 => put_word(out, b"true"),
        2 => put_word(out, b"false"),
        3 => read(bytes, |value| put_integer(out, i8::from_le_bytes(value)))?,
        4 => read(bytes, |value| put_integer(out, i16::from_le_bytes(value)))?,
        5 => read(bytes, |value| put_integer(out, i32::from_le_bytes(value)))?,
        6 => read(bytes, |value| put_integer(out, i64::from_le_bytes(value)))?,
        7 => read(bytes, |value| match f64::from_le_bytes(value) {
            value if value.is_finite() => put_double(out, value),
            value => put_not_finite(out, value, true),
        })?,
        8 => decimal(bytes, out, |value: [u8; 4]| i32::from_le_bytes(value).into())?,
        9 => decimal(bytes, out, |value: [u8; 8]| i64::from_le_bytes(value).into())?,
        10 => decimal(bytes, out, i128::from_le_bytes)?,
        11 => read(bytes, |value| quoted(out, |out| put_date(out, i32::from_le_bytes(value).into())))?,
        12 => timestamp(bytes, out, TimeUnit::Microsecond, true)?,
        13 => timestamp(bytes, out, TimeUnit::Microsecond, false)?,
        14 => read(bytes, |value| match f32::from_le_bytes(value) {
            value if value.is_finite() => put_float(out, value),
            value => put_not_finite(out, value.into(), true),
        })?,
        15 => {
            let binary = sized(bytes)?;
            out.put(*b"\"");
            put_base64(out, binary, purpose)?;
            out.put(*b"\"");
            4 + binary.len()
        }
        16 => {
            let text = sized(bytes)?;
            put_string(text, out, purpose)?;
            4 + text.len()
        }
        17 => {
            let micros = u64::from_le_bytes(array(bytes)?);
            if micros >= MICROS_PER_DAY {
                return Err(malformed("a time is not within a day"));
            }
            quoted(out, |out| put_time(out, micros));
            8
        }
        18 => timestamp(bytes, out, TimeUnit::Nanosecond, true)?,
        19 => timestamp(bytes, out, TimeUnit::Nanosecond, false)?,
        20 => read(bytes, |value| {
            let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
            let text = uuid::Uuid::from_bytes(value).as_hyphenated().encode_lower(&mut text);
            quoted(out, |out| out.put_slice(text.as_bytes()));
        })?,
        _ => return Err(malformed("a value has a type that the encoding does not define")),
    })
}

/// Writes a string with its quotes.
pub(super) fn put_string(text: &[u8], out: &mut CopyBuffer, purpose: Purpose) -> Written {
    std::str::from_utf8(text).map_err(|_| malformed("a string is not UTF-8"))?;
    out.put(*b"\"");
    put_escaped(out, text, purpose)?;
    out.put(*b"\"");
    Ok(())
}

fn put_word(out: &mut CopyBuffer, word: &[u8]) -> usize {
    out.put_slice(word);
    0
}

fn quoted(out: &mut CopyBuffer, write: impl FnOnce(&mut CopyBuffer)) {
    out.put(*b"\"");
    write(out);
    out.put(*b"\"");
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Box<RejectCause>> {
    bytes.first_chunk().copied().ok_or_else(|| malformed("a value ends too early"))
}

fn read<const N: usize>(bytes: &[u8], write: impl FnOnce([u8; N])) -> Result<usize, Box<RejectCause>> {
    write(array(bytes)?);
    Ok(N)
}

/// A scale, then the digits.
fn decimal<const N: usize>(
    bytes: &[u8],
    out: &mut CopyBuffer,
    digits: impl FnOnce([u8; N]) -> i128,
) -> Result<usize, Box<RejectCause>> {
    let (&scale, bytes) = bytes.split_first().ok_or_else(|| malformed("a value ends too early"))?;
    if scale > 38 {
        return Err(malformed("a decimal has a scale over 38"));
    }
    put_decimal(out, digits(array(bytes)?), scale);
    Ok(1 + N)
}

fn timestamp(
    bytes: &[u8],
    out: &mut CopyBuffer,
    unit: TimeUnit,
    utc: bool,
) -> Result<usize, Box<RejectCause>> {
    read(bytes, |value| {
        quoted(out, |out| {
            put_timestamp(out, i64::from_le_bytes(value), unit);
            if utc {
                out.put(*b"Z");
            }
        });
    })
}

/// A length of four bytes, then as many bytes.
fn sized(bytes: &[u8]) -> Result<&[u8], Box<RejectCause>> {
    let length = super::number(bytes, 0, 4).ok_or_else(|| malformed("a value ends too early"))?;
    bytes.get(4..).and_then(|bytes| bytes.get(..length)).ok_or_else(|| malformed("a value ends too early"))
}
