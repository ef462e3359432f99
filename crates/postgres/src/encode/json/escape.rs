//! Strings inside JSON (RFC 8259, section 7).

use super::super::buffer::CopyBuffer;
use super::super::reject::{RejectCause, Written};
use super::Purpose;
use lakefront_model::NulBytePolicy;

/// Bytes are looked at in blocks of this many, which compiles to vector instructions.
const BLOCK: usize = 16;

/// The most bytes of a string inside jsonb (`JENTRY_OFFLENMASK`).
const MAX_STRING: usize = 0x0fff_ffff;

/// Refuses a string that jsonb cannot hold. (A container of more bytes cannot be held either, but how many bytes
/// it will have, only the server knows.)
#[inline]
pub(super) fn check_length(bytes: usize, purpose: Purpose) -> Written {
    if bytes > MAX_STRING && purpose != Purpose::Record {
        return Err(Box::new(RejectCause::TooLarge {
            what: "a string inside jsonb",
            bytes,
            max: MAX_STRING,
        }));
    }
    Ok(())
}

/// Writes a string's content, without the quotes around it.
pub(super) fn put_escaped(out: &mut CopyBuffer, text: &[u8], purpose: Purpose) -> Written {
    check_length(text.len(), purpose)?;
    if is_clean(text) {
        out.put_slice(text);
        return Ok(());
    }
    let mut rest = text;
    loop {
        let (clean, after) = rest.split_at(clean_prefix(rest));
        out.put_slice(clean);
        let Some((&byte, after)) = after.split_first() else { return Ok(()) };
        match byte {
            b'"' | b'\\' => out.put([b'\\', byte]),
            b'\n' => out.put(*b"\\n"),
            b'\r' => out.put(*b"\\r"),
            b'\t' => out.put(*b"\\t"),
            0 if purpose == Purpose::Jsonb(NulBytePolicy::Strip) => {}
            0 if purpose != Purpose::Record => return Err(Box::new(RejectCause::NulByte)),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let digit = |nibble: u8| HEX[usize::from(nibble & 15)];
                out.put([b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
            }
        }
        rest = after;
    }
}

/// Whether no byte needs an escape: block by block, the last block overlapping the one before.
#[inline]
fn is_clean(text: &[u8]) -> bool {
    const HALF: usize = BLOCK / 2;
    if let Some(last) = text.last_chunk::<BLOCK>() {
        text.as_chunks::<BLOCK>().0.iter().all(is_clean_block) && is_clean_block(last)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<HALF>(), text.last_chunk::<HALF>()) {
        is_clean_block(first) & is_clean_block(last)
    } else {
        !text.iter().any(|&byte| is_special(byte))
    }
}

/// Looks at all bytes, without leaving early.
#[inline(always)]
fn is_clean_block<const N: usize>(block: &[u8; N]) -> bool {
    !block.iter().fold(false, |any, &byte| any | is_special(byte))
}

/// How many bytes at the start need no escape.
#[inline]
fn clean_prefix(text: &[u8]) -> usize {
    let clean = BLOCK * text.as_chunks::<BLOCK>().0.iter().take_while(|block| is_clean_block(block)).count();
    let rest = text.get(clean..).unwrap_or_default();
    clean + rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len())
}

#[inline(always)]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn escaped(text: &str, purpose: Purpose) -> Result<String, RejectCause> {
        let mut out = CopyBuffer::default();
        put_escaped(&mut out, text.as_bytes(), purpose).map_err(|cause| *cause)?;
        Ok(String::from_utf8(out.as_slice().to_vec()).unwrap())
    }

    #[test]
    fn every_character_reads_back() {
        let all: String = (0..=0x2100).filter_map(char::from_u32).collect();
        for from in 0..40 {
            let text: String = all.chars().skip(from).chain("\u{10ffff}".chars()).collect();
            let quoted = format!("\"{}\"", escaped(&text, Purpose::Record).unwrap());
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }

    #[test]
    fn a_string_too_long_for_jsonb_is_refused() {
        let jsonb = Purpose::Jsonb(NulBytePolicy::Fail);
        assert!(check_length(MAX_STRING, jsonb).is_ok());
        assert!(check_length(MAX_STRING + 1, Purpose::Record).is_ok());
        assert!(matches!(*check_length(MAX_STRING + 1, jsonb).unwrap_err(), RejectCause::TooLarge { .. }));
    }

    #[test]
    fn a_nul_byte_follows_the_policy() {
        let text = "a\0\"b\0";
        assert_eq!(escaped(text, Purpose::Jsonb(NulBytePolicy::Strip)).unwrap(), "a\\\"b");
        assert_eq!(escaped(text, Purpose::Record).unwrap(), "a\\u0000\\\"b\\u0000");
        for policy in [NulBytePolicy::Fail, NulBytePolicy::Quarantine] {
            assert_eq!(escaped(text, Purpose::Jsonb(policy)), Err(RejectCause::NulByte));
        }
    }
}
