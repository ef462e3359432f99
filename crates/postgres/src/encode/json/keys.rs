//! The keys of an object: no two may be the same text.

use super::super::buffer::CopyBuffer;
use super::super::reject::{RejectCause, Written};

/// Where the keys of the objects that are open stand in the text, innermost last.
#[derive(Debug, Default)]
pub(super) struct KeyTexts(Vec<(usize, usize)>);

/// Up to this many keys are compared each with each, more are sorted.
const FEW: usize = 8;
/// A key in a message is cut to this many bytes.
const SHOWN: usize = 100;

impl KeyTexts {
    /// Forgets what a refused row left behind.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Begins an object; the result goes to [`KeyTexts::close`].
    pub(super) fn open(&self) -> usize {
        self.0.len()
    }

    /// Adds a key, written from `start` to `end`, without its quotes.
    pub(super) fn add(&mut self, start: usize, end: usize) {
        self.0.push((start, end));
    }

    /// Ends an object: refuses equal keys. Escapes are unambiguous, so escaped texts are equal if the texts are.
    pub(super) fn close(&mut self, opened: usize, out: &CopyBuffer) -> Written {
        let text = |&(start, end): &(usize, usize)| out.as_slice().get(start..end).unwrap_or_default();
        let keys = self.0.get_mut(opened..).unwrap_or_default();
        let twice = if keys.len() <= FEW {
            let (mut keys, mut twice) = (&*keys, None);
            while let ([first, rest @ ..], None) = (keys, twice) {
                twice = rest.iter().find(|key| text(key) == text(first));
                keys = rest;
            }
            twice
        } else {
            keys.sort_unstable_by(|a, b| text(a).cmp(text(b)));
            keys.windows(2).find(|pair| text(&pair[0]) == text(&pair[1])).and_then(|pair| pair.first())
        };
        if let Some(key) = twice {
            let shown = text(key);
            let shown = String::from_utf8_lossy(shown.get(..SHOWN).unwrap_or(shown)).into_owned();
            return Err(Box::new(RejectCause::DuplicateMapKey { key: shown }));
        }
        self.0.truncate(opened);
        Ok(())
    }
}
