//! Which protocol a table needs, and which tables this writer may touch
//! (Delta protocol, "Valid Feature Names in Table Features").

use std::collections::BTreeMap;
use std::path::Path;

use arrow_schema::Schema;

use crate::action::{Metadata, Protocol};
use crate::error::DeltaWriteError;
use crate::schema::has_timestamp_ntz;
use crate::spec::CHANGE_DATA_FEED;

/// Features that this writer keeps to when a table names them.
const WRITER_FEATURES: [&str; 4] = ["appendOnly", "changeDataFeed", "invariants", "timestampNtz"];
/// Reader features whose data this writer reads and rewrites correctly.
const READER_FEATURES: [&str; 1] = ["timestampNtz"];
/// The last writer version before features are named one by one; up to it each version implies its features.
const LAST_IMPLIED_WRITER_VERSION: i32 = 4;
/// The writer version whose features are named one by one.
const FEATURES_WRITER_VERSION: i32 = 7;

/// The smallest protocol for a table, or the present one widened by what is missing.
pub(crate) fn needed(
    schema: &Schema,
    properties: &BTreeMap<String, String>,
    present: Option<&Protocol>,
) -> Protocol {
    let mut writer = Vec::new();
    let mut reader = Vec::new();
    if is_on(properties, CHANGE_DATA_FEED) {
        writer.push("changeDataFeed".to_owned());
    }
    if is_on(properties, "delta.appendOnly") {
        writer.push("appendOnly".to_owned());
    }
    if has_timestamp_ntz(schema.fields()) {
        writer.push("timestampNtz".to_owned());
        reader.push("timestampNtz".to_owned());
    }
    if let Some(present) = present {
        if covers(present, &reader, &writer) {
            return present.clone();
        }
        writer.extend(implied_or_named(present));
        reader.extend(present.reader_features.clone().unwrap_or_default());
    }
    for features in [&mut writer, &mut reader] {
        features.sort();
        features.dedup();
    }
    if writer.is_empty() {
        return Protocol {
            min_reader_version: 1,
            min_writer_version: 2,
            reader_features: None,
            writer_features: None,
        };
    }
    Protocol {
        min_reader_version: if reader.is_empty() { 1 } else { 3 },
        min_writer_version: FEATURES_WRITER_VERSION,
        reader_features: (!reader.is_empty()).then_some(reader),
        writer_features: Some(writer),
    }
}

fn covers(present: &Protocol, reader: &[String], writer: &[String]) -> bool {
    let has = implied_or_named(present);
    let reads = present.reader_features.clone().unwrap_or_default();
    writer.iter().all(|feature| has.contains(feature)) && reader.iter().all(|feature| reads.contains(feature))
}

fn implied_or_named(protocol: &Protocol) -> Vec<String> {
    if protocol.min_writer_version >= FEATURES_WRITER_VERSION {
        return protocol.writer_features.clone().unwrap_or_default();
    }
    let implied: &[(i32, &str)] = &[(2, "appendOnly"), (2, "invariants"), (4, "changeDataFeed")];
    implied
        .iter()
        .filter(|(version, _)| protocol.min_writer_version >= *version)
        .map(|(_, feature)| (*feature).to_owned())
        .collect()
}

/// Refuses a table whose rules this writer could break.
pub(crate) fn check_writable(
    path: &Path,
    protocol: &Protocol,
    metadata: &Metadata,
) -> Result<(), DeltaWriteError> {
    let refuse =
        |feature: String| Err(DeltaWriteError::UnsupportedFeature { path: path.to_path_buf(), feature });
    let unknown = |features: &Option<Vec<String>>, known: &[&str]| {
        let mut names = features.iter().flatten();
        names.find(|name| !known.contains(&name.as_str())).cloned()
    };
    let version = protocol.min_writer_version;
    if version > LAST_IMPLIED_WRITER_VERSION && version != FEATURES_WRITER_VERSION {
        return refuse(format!("writer version {version}"));
    }
    if let Some(feature) = unknown(&protocol.writer_features, &WRITER_FEATURES)
        .or_else(|| unknown(&protocol.reader_features, &READER_FEATURES))
    {
        return refuse(format!("the table feature {feature}"));
    }
    if !metadata.partition_columns.is_empty() {
        return refuse("partitioning".to_owned());
    }
    if let Some(key) = metadata.configuration.keys().find(|key| key.starts_with("delta.constraints.")) {
        return refuse(format!("the check constraint {key}"));
    }
    for rule in ["delta.invariants", "delta.generationExpression"] {
        if metadata.schema_string.contains(rule) {
            return refuse(format!("a column with {rule}"));
        }
    }
    Ok(())
}

/// Whether a boolean table property is on.
pub(crate) fn is_on(properties: &BTreeMap<String, String>, key: &str) -> bool {
    properties.get(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_schema::{DataType, Field, TimeUnit};

    fn properties(keys: &[&str]) -> BTreeMap<String, String> {
        keys.iter().map(|key| ((*key).to_owned(), "true".to_owned())).collect()
    }

    #[test]
    fn change_data_feed_names_its_feature_and_stays_readable_by_all() {
        let protocol = needed(&Schema::empty(), &properties(&[CHANGE_DATA_FEED]), None);
        assert_eq!((protocol.min_reader_version, protocol.min_writer_version), (1, 7));
        assert_eq!(protocol.writer_features, Some(vec!["changeDataFeed".to_owned()]));
        assert_eq!(protocol.reader_features, None);
    }

    #[test]
    fn a_protocol_only_grows() {
        let legacy = Protocol {
            min_reader_version: 1,
            min_writer_version: 2,
            reader_features: None,
            writer_features: None,
        };
        let ntz = DataType::Timestamp(TimeUnit::Microsecond, None);
        let schema = Schema::new(vec![Field::new("at", ntz, true)]);
        let grown = needed(&schema, &properties(&[CHANGE_DATA_FEED]), Some(&legacy));
        assert_eq!((grown.min_reader_version, grown.min_writer_version), (3, 7));
        let features = grown.writer_features.clone().unwrap_or_default();
        assert_eq!(features, ["appendOnly", "changeDataFeed", "invariants", "timestampNtz"]);
        assert_eq!(needed(&Schema::empty(), &properties(&[]), Some(&grown)), grown);
    }
}
