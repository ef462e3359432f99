//! Why the kernel refused a table: it says so in words only, so the log is read again for the feature or the
//! column that is to blame.

use crate::LakeError;
use crate::kernel_error::{Reading, from_kernel};
use crate::store::path_of;
use crate::table::{DeltaTable, commit_file};
use delta_kernel::KernelError;
use delta_kernel::object_store::ObjectStoreExt;
use lakefront_model::Version;
use serde_json::Value;

/// Reader features that the kernel reads (Delta protocol, appendix "Valid Feature Names in Table Features").
/// Only used to name the others in messages.
const READABLE: [&str; 16] = [
    "catalogManaged",
    "catalogOwned-preview",
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "timestampWithoutTimezone",
    "typeWidening",
    "typeWidening-preview",
    "v2Checkpoint",
    "vacuumProtocolCheck",
    "variantType",
    "variantType-preview",
    "variantShredding",
    "variantShredding-preview",
    "clustering",
    "rowTracking",
];
/// Names of types in a schema string that the kernel reads, besides `decimal(p,s)` and `interval …`
/// (Delta protocol, section "Schema Serialization Format").
const KNOWN_TYPES: [&str; 14] = [
    "string",
    "long",
    "integer",
    "short",
    "byte",
    "float",
    "double",
    "boolean",
    "binary",
    "date",
    "timestamp",
    "timestamp_ntz",
    "void",
    "variant",
];
/// Reader protocol versions that the kernel reads.
const READER_VERSIONS: std::ops::RangeInclusive<i64> = 1..=3;
/// The kernel's limit for nested types comes from its JSON reader.
const DEEPEST: usize = 120;

/// The newest protocol and metadata actions of a log's commit files, as far as these are still there.
#[derive(Default)]
struct TableActions {
    protocol: Option<Value>,
    metadata: Option<Value>,
}

/// Turns a refusal into the error that names the feature or column; any other error is translated as it is.
pub(crate) fn explain(table: &DeltaTable, version: Option<Version>, error: KernelError) -> LakeError {
    let reading = Reading::log(table.location());
    match error.without_backtrace() {
        KernelError::Unsupported(_) | KernelError::Schema(_) | KernelError::InvalidProtocol(_) => {}
        _ => {
            let error = from_kernel(&reading, error);
            let (table, unsettled) = (table.clone(), error.clone());
            let told = table.store().clone().wait_for(async move { table.told(unsettled).await });
            return told.unwrap_or(error);
        }
    }
    let actions = {
        let table = table.clone();
        table.store().clone().wait_for(async move { newest_actions(&table, version).await })
    };
    let found = actions.and_then(Result::ok).and_then(|actions| blame(&reading, &actions));
    found.unwrap_or_else(|| from_kernel(&reading, error))
}

fn blame(reading: &Reading, actions: &TableActions) -> Option<LakeError> {
    let location = reading.location();
    if let Some(schema) =
        actions.metadata.as_ref().and_then(|m| m.get("schemaString")).and_then(Value::as_str)
        && let Ok(schema) = serde_json::from_str::<Value>(schema)
        && let Some((column, data_type)) = unknown_type("", &schema, 0)
    {
        return Some(LakeError::UnsupportedType { location, column, data_type });
    }
    let protocol = actions.protocol.as_ref()?;
    let features = protocol.get("readerFeatures").and_then(Value::as_array).into_iter().flatten();
    let mut features: Vec<String> = features
        .filter_map(Value::as_str)
        .filter(|feature| !READABLE.contains(feature))
        .map(str::to_owned)
        .collect();
    if let Some(version) = protocol.get("minReaderVersion").and_then(Value::as_i64)
        && !READER_VERSIONS.contains(&version)
    {
        features.push(format!("reader version {version}"));
    }
    (!features.is_empty()).then_some(LakeError::UnsupportedFeature { location, features })
}

/// The first field of a schema whose type is none that the kernel reads, and that type.
fn unknown_type(column: &str, data_type: &Value, depth: usize) -> Option<(String, String)> {
    if depth > DEEPEST {
        return Some((column.to_owned(), "nested too deeply".to_owned()));
    }
    let below = |name: &str| if column.is_empty() { name.to_owned() } else { format!("{column}.{name}") };
    match data_type {
        Value::String(name) => {
            let known =
                KNOWN_TYPES.contains(&name.as_str()) || name.starts_with("decimal(") || is_interval(name);
            (!known).then(|| (column.to_owned(), name.clone()))
        }
        Value::Object(nested) => match nested.get("type").and_then(Value::as_str) {
            Some("struct") => nested.get("fields")?.as_array()?.iter().find_map(|field| {
                let name = field.get("name").and_then(Value::as_str).unwrap_or("?");
                unknown_type(&below(name), field.get("type")?, depth + 1)
            }),
            Some("array") => unknown_type(&below("element"), nested.get("elementType")?, depth + 1),
            Some("map") => unknown_type(&below("key"), nested.get("keyType")?, depth + 1)
                .or_else(|| unknown_type(&below("value"), nested.get("valueType")?, depth + 1)),
            other => Some((column.to_owned(), other.unwrap_or("without a name").to_owned())),
        },
        _ => None,
    }
}

/// Whether a name is an ANSI interval type, such as `interval day to second`.
fn is_interval(name: &str) -> bool {
    const FAMILIES: [&[&str]; 2] = [&["year", "month"], &["day", "hour", "minute", "second"]];
    let Some(units) = name.strip_prefix("interval ") else { return false };
    let (first, last) = units.split_once(" to ").unwrap_or((units, units));
    FAMILIES.iter().any(|family| {
        let place = |unit| family.iter().position(|&member| member == unit);
        place(first).zip(place(last)).is_some_and(|(first, last)| first <= last)
    })
}

/// Reads commit files from the newest back until both actions are found.
async fn newest_actions(table: &DeltaTable, version: Option<Version>) -> Result<TableActions, LakeError> {
    let reading = Reading::log(table.location());
    let fault = |error| crate::kernel_error::from_object_store(&reading, error);
    let mut versions = table.commit_versions().await?;
    versions.retain(|&found| version.is_none_or(|wanted| found <= wanted));
    versions.sort_unstable_by(|a, b| b.cmp(a));
    let log = table.log_url()?;
    let mut actions = TableActions::default();
    for version in versions {
        let url = log.join(&commit_file(version)).map_err(|e| reading.internal(e))?;
        let path = path_of(&url).map_err(fault)?;
        let bytes = table.store().objects().get(&path).await.map_err(fault)?.bytes().await.map_err(fault)?;
        // Lines end at \n only: values may hold other line separators.
        for line in bytes.split(|&b| b == b'\n') {
            let Ok(Value::Object(mut action)) = serde_json::from_slice(line) else { continue };
            if actions.protocol.is_none() {
                actions.protocol = action.remove("protocol");
            }
            if actions.metadata.is_none() {
                actions.metadata = action.remove("metaData");
            }
        }
        if actions.protocol.is_some() && actions.metadata.is_some() {
            break;
        }
    }
    Ok(actions)
}
