//! Strings inside JSON (RFC 8259, section 7).

use super::super::buffer::CopyBuffer;
use super::super::reject::{RejectCause, Written};
use super::Purpose;
use lakefront_model::NulBytePolicy;

/// Bytes are looked at in blocks of this many, which compiles to vector instructions.
const BLOCK: usize = 16;

/// Writes a string's content, without the quotes around it.
pub(super) fn put_escaped(out: &mut CopyBuffer, text: &[u8], purpose: Purpose) -> Written {
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

/// How many bytes at the start need no escape.
#[inline]
fn clean_prefix(text: &[u8]) -> usize {
    let blocks = text.chunks_exact(BLOCK);
    let clean = BLOCK * blocks.take_while(|block| !block.iter().fold(false, |any, &b| any | is_special(b))).count();
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
    fn a_nul_byte_follows_the_policy() {
        let text = "a\0\"b\0";
        assert_eq!(escaped(text, Purpose::Jsonb(NulBytePolicy::Strip)).unwrap(), "a\\\"b");
        assert_eq!(escaped(text, Purpose::Record).unwrap(), "a\\u0000\\\"b\\u0000");
        for policy in [NulBytePolicy::Fail, NulBytePolicy::Quarantine] {
            assert_eq!(escaped(text, Purpose::Jsonb(policy)), Err(RejectCause::NulByte));
        }
    }
}
