//! From where on a full refresh replaces an incremental one.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The share of a table's rows from which their changes are not applied one by one: everything is copied again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullRefreshThreshold {
    /// when the changes take out or replace more than so many percent of the rows
    Percent(u32),
    /// whatever the changes are
    Never,
}

/// How [`FullRefreshThreshold::Never`] is written.
const NEVER: &str = "never";

impl Serialize for FullRefreshThreshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Percent(percent) => serializer.serialize_u32(*percent),
            Self::Never => serializer.serialize_str(NEVER),
        }
    }
}

impl<'de> Deserialize<'de> for FullRefreshThreshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = FullRefreshThreshold;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole percentage of the table's rows from 1 on, or \"never\"")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        match u32::try_from(value) {
            Ok(percent) if percent > 0 => Ok(FullRefreshThreshold::Percent(percent)),
            _ => Err(E::invalid_value(Unexpected::Signed(value), &self)),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.visit_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        match value {
            NEVER => Ok(FullRefreshThreshold::Never),
            _ => Err(E::invalid_value(Unexpected::Str(value), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_percentage_or_never() {
        let read = |json: &str| serde_json::from_str::<FullRefreshThreshold>(json);
        assert_eq!(read("60").unwrap(), FullRefreshThreshold::Percent(60));
        assert_eq!(read("250").unwrap(), FullRefreshThreshold::Percent(250));
        assert_eq!(read("\"never\"").unwrap(), FullRefreshThreshold::Never);
        for wrong in ["0", "-1", "0.6", "\"60 %\"", "true"] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("a whole percentage"), "{wrong}: {error}");
        }
        for threshold in [FullRefreshThreshold::Percent(60), FullRefreshThreshold::Never] {
            let json = serde_json::to_string(&threshold).unwrap();
            assert_eq!(read(&json).unwrap(), threshold);
        }
    }
}
