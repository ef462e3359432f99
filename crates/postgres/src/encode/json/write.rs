//! Values as JSON text.

use super::super::buffer::CopyBuffer;
use super::super::datetime::{put_date, put_timestamp};
use super::super::numeric::put_decimal;
use super::super::reject::{RejectCause, Written};
use super::duration::{put_micros, put_months};
use super::escape::{check_length, put_escaped};
use super::variant::put_variant;
use super::{JsonColumn, JsonField, JsonState, JsonValues, Purpose};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::ops::Range;

impl JsonColumn<'_> {
    /// Writes one value as JSON.
    ///
    /// # Errors
    /// For jsonb, the cause for which it cannot be written; what was written of it stays in `out`.
    pub(in crate::encode) fn write(
        &self,
        row: usize,
        out: &mut CopyBuffer,
        state: &mut JsonState,
    ) -> Written {
        state.keys.clear();
        self.put(row, out, state)
    }

    /// Writes one value as the content of a JSON string, which is also how a map's key is written.
    pub(in crate::encode) fn write_bare(
        &self,
        row: usize,
        out: &mut CopyBuffer,
        state: &mut JsonState,
    ) -> Written {
        state.keys.clear();
        if self.is_null(row) {
            out.put_slice(b"NULL");
            return Ok(());
        }
        self.values.put_bare(row, out, state)
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    #[inline]
    fn put(&self, row: usize, out: &mut CopyBuffer, state: &mut JsonState) -> Written {
        if self.is_null(row) {
            out.put(*b"null");
            return Ok(());
        }
        self.values.put(row, out, state)
    }
}

impl JsonValues<'_> {
    fn put(&self, row: usize, out: &mut CopyBuffer, state: &mut JsonState) -> Written {
        match self {
            Self::String(_)
            | Self::Binary(_)
            | Self::Date(_)
            | Self::Timestamp { .. }
            | Self::Months(_)
            | Self::Micros(_) => {
                out.put(*b"\"");
                self.put_bare(row, out, state)?;
                out.put(*b"\"");
                Ok(())
            }
            Self::Float32(values) if !values[row].is_finite() => {
                put_not_finite(out, values[row].into(), true);
                Ok(())
            }
            Self::Float64(values) if !values[row].is_finite() => {
                put_not_finite(out, values[row], true);
                Ok(())
            }
            Self::List { offsets, elements } => put_list(offsets.range(row), elements, out, state),
            Self::Map { offsets, keys, values } => {
                put_map(offsets[row] as usize..offsets[row + 1] as usize, keys, values, out, state)
            }
            Self::Struct(fields) => put_struct(row, fields, out, state),
            Self::Variant { metadata, value } => put_variant(metadata.get(row), value.get(row), out, state),
            Self::Dictionary { places, values } => values.put(places[row], out, state),
            _ => self.put_bare(row, out, state),
        }
    }

    /// The value's text without quotes around it, fit to stand between them.
    fn put_bare(&self, row: usize, out: &mut CopyBuffer, state: &mut JsonState) -> Written {
        match self {
            Self::Null => out.put(*b"null"),
            Self::Boolean(values) if values.value(row) => out.put(*b"true"),
            Self::Boolean(_) => out.put(*b"false"),
            Self::Int8(values) => put_integer(out, values[row]),
            Self::Int16(values) => put_integer(out, values[row]),
            Self::Int32(values) => put_integer(out, values[row]),
            Self::Int64(values) => put_integer(out, values[row]),
            Self::Float32(values) => put_float(out, values[row]),
            Self::Float64(values) => put_double(out, values[row]),
            Self::Decimal { values, scale } => put_decimal(out, values[row], *scale),
            Self::String(values) => return put_escaped(out, values.get(row), state.purpose),
            Self::Binary(values) => return put_base64(out, values.get(row), state.purpose),
            Self::Date(values) => put_date(out, values[row].into()),
            Self::Timestamp { values, unit, utc } => {
                put_timestamp(out, values[row], *unit);
                if *utc {
                    out.put(*b"Z");
                }
            }
            Self::Months(values) => put_months(out, values[row]),
            Self::Micros(values) => put_micros(out, values[row]),
            Self::Dictionary { places, values } => return values.values.put_bare(places[row], out, state),
            Self::List { .. } | Self::Map { .. } | Self::Struct(_) | Self::Variant { .. } => {
                let mut nested = CopyBuffer::default();
                let mut inner = JsonState::new(state.purpose);
                self.put(row, &mut nested, &mut inner)?;
                return put_escaped(out, nested.as_slice(), state.purpose);
            }
        }
        Ok(())
    }
}

fn put_list(
    places: Range<usize>,
    elements: &JsonColumn<'_>,
    out: &mut CopyBuffer,
    state: &mut JsonState,
) -> Written {
    out.put(*b"[");
    let first = places.start;
    for place in places {
        if place != first {
            out.put(*b",");
        }
        elements.put(place, out, state)?;
    }
    out.put(*b"]");
    Ok(())
}

fn put_map(
    places: Range<usize>,
    keys: &JsonColumn<'_>,
    values: &JsonColumn<'_>,
    out: &mut CopyBuffer,
    state: &mut JsonState,
) -> Written {
    let opened = state.keys.open();
    out.put(*b"{");
    let first = places.start;
    for place in places {
        out.put_slice(if place == first { b"\"" } else { b",\"" });
        let start = out.len();
        match (keys.is_null(place), state.purpose) {
            (false, _) => keys.values.put_bare(place, out, state)?,
            (true, Purpose::Record) => out.put(*b"null"),
            (true, Purpose::Jsonb(_)) => return Err(Box::new(RejectCause::NullMapKey)),
        }
        if state.purpose != Purpose::Record {
            state.keys.add(start, out.len());
        }
        out.put(*b"\":");
        values.put(place, out, state)?;
    }
    out.put(*b"}");
    state.keys.close(opened, out)
}

fn put_struct(row: usize, fields: &[JsonField<'_>], out: &mut CopyBuffer, state: &mut JsonState) -> Written {
    if fields.is_empty() {
        out.put(*b"{");
    }
    for field in fields {
        out.put_slice(&field.opening);
        field.values.put(row, out, state)?;
    }
    out.put(*b"}");
    Ok(())
}

pub(super) fn put_integer(out: &mut CopyBuffer, value: impl itoa::Integer) {
    out.put_slice(itoa::Buffer::new().format(value).as_bytes());
}

pub(super) fn put_float(out: &mut CopyBuffer, value: f32) {
    if value.is_finite() {
        out.put_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        put_not_finite(out, value.into(), false);
    }
}

pub(super) fn put_double(out: &mut CopyBuffer, value: f64) {
    if value.is_finite() {
        out.put_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        put_not_finite(out, value, false);
    }
}

/// JSON has no number for these.
pub(super) fn put_not_finite(out: &mut CopyBuffer, value: f64, quoted: bool) {
    let text: &[u8] = match (value.is_nan(), value > 0.0) {
        (true, _) => b"\"NaN\"",
        (false, true) => b"\"Infinity\"",
        (false, false) => b"\"-Infinity\"",
    };
    out.put_slice(if quoted { text } else { text.get(1..text.len() - 1).unwrap_or_default() });
}

pub(super) fn put_base64(out: &mut CopyBuffer, bytes: &[u8], purpose: Purpose) -> Written {
    let length = bytes.len().div_ceil(3) * 4;
    check_length(length, purpose)?;
    // The place has the length of the text, so there is nothing to fail.
    let _ = STANDARD.encode_slice(bytes, out.extend_by(length));
    Ok(())
}
