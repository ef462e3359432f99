//! Variants (Apache Parquet, `VariantEncoding.md`) as JSON text.
//!
//! The bytes come from files that anybody may have written. Each value is paid for from the length of the whole,
//! so that a variant whose parts overlap cannot make more text than its size allows, and nesting is bounded.

mod container;
mod dictionary;
mod scalar;

use super::super::buffer::CopyBuffer;
use super::super::reject::{RejectCause, Written};
use super::escape::put_escaped;
use super::write::put_base64;
use super::{JsonState, Purpose};
use container::Container;
use dictionary::Dictionary;

/// Levels of nesting. PostgreSQL's own limit is its stack (`max_stack_depth`), which takes several times as many;
/// 1,000 is also what the JSON parser in front of Spark's variants takes.
const MAX_DEPTH: usize = 1_000;

/// Writes a variant as JSON.
///
/// # Errors
/// For jsonb, malformed bytes, equal keys, 0x00 by the policy, or too many levels. A record of the row gets the
/// two binaries in base64 instead.
pub(super) fn put_variant(
    metadata: &[u8],
    value: &[u8],
    out: &mut CopyBuffer,
    state: &mut JsonState,
) -> Written {
    let start = out.len();
    let written = Dictionary::parse(metadata).and_then(|names| {
        let mut walk = Walk { names, left: value.len(), out, state };
        walk.put(value, 1)
    });
    if written.is_err() && state.purpose == Purpose::Record {
        out.truncate(start);
        out.put_slice(b"{\"metadata\":\"");
        put_base64(out, metadata, state.purpose)?;
        out.put_slice(b"\",\"value\":\"");
        put_base64(out, value, state.purpose)?;
        out.put_slice(b"\"}");
        return Ok(());
    }
    written
}

struct Walk<'a> {
    names: Dictionary<'a>,
    /// bytes of the value that nothing has been written for yet
    left: usize,
    out: &'a mut CopyBuffer,
    state: &'a mut JsonState,
}

impl Walk<'_> {
    /// Writes the value that begins with the first byte.
    fn put(&mut self, value: &[u8], depth: usize) -> Written {
        if depth > MAX_DEPTH {
            return Err(Box::new(RejectCause::TooDeep { max: MAX_DEPTH }));
        }
        let (&header, rest) = value.split_first().ok_or_else(|| malformed("a value has no bytes"))?;
        match (header & 3, usize::from(header >> 2)) {
            (0, kind) => {
                let used = scalar::put_scalar(kind, rest, self.out, self.state.purpose)?;
                self.pay(1 + used)
            }
            (1, length) => {
                self.pay(1 + length)?;
                let text = rest.get(..length).ok_or_else(|| malformed("a string ends too early"))?;
                scalar::put_string(text, self.out, self.state.purpose)
            }
            (2, _) => self.put_object(value, depth),
            _ => self.put_array(value, depth),
        }
    }

    fn put_object(&mut self, value: &[u8], depth: usize) -> Written {
        let object = Container::object(value)?;
        self.pay(object.head_bytes())?;
        let opened = self.state.keys.open();
        self.out.put(*b"{");
        for place in 0..object.len() {
            self.out.put_slice(if place == 0 { b"\"" } else { b",\"" });
            let name = self.names.get(object.name(place)?)?;
            let start = self.out.len();
            put_escaped(self.out, name.as_bytes(), self.state.purpose)?;
            if self.state.purpose != Purpose::Record {
                self.state.keys.add(start, self.out.len());
            }
            self.out.put(*b"\":");
            self.put(object.value(place)?, depth + 1)?;
        }
        self.out.put(*b"}");
        self.state.keys.close(opened, self.out)
    }

    fn put_array(&mut self, value: &[u8], depth: usize) -> Written {
        let array = Container::array(value)?;
        self.pay(array.head_bytes())?;
        self.out.put(*b"[");
        for place in 0..array.len() {
            if place > 0 {
                self.out.put(*b",");
            }
            self.put(array.value(place)?, depth + 1)?;
        }
        self.out.put(*b"]");
        Ok(())
    }

    fn pay(&mut self, bytes: usize) -> Written {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| malformed("its parts overlap"))?;
        Ok(())
    }
}

fn malformed(reason: &'static str) -> Box<RejectCause> {
    Box::new(RejectCause::InvalidVariant(reason))
}

/// A little-endian number of 1 to 4 bytes.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
}
