//! What a new table shall be, and how its files are cut.

use std::collections::BTreeMap;

use arrow_schema::SchemaRef;

/// The property that switches the change data feed on.
pub(crate) const CHANGE_DATA_FEED: &str = "delta.enableChangeDataFeed";

/// How many rows go into a data file and into a row group of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLayout {
    /// Greatest number of rows in one data file. A row change rewrites whole files, so small
    /// files make changes cheap and large ones make scans cheap.
    pub rows_per_file: usize,
    /// Greatest number of rows in one row group, the unit in which readers work in parallel.
    pub rows_per_group: usize,
}

impl Default for FileLayout {
    /// A million rows a file, 128 Ki rows a group: about what Spark writes for narrow tables.
    fn default() -> Self {
        Self { rows_per_file: 1_000_000, rows_per_group: 128 * 1024 }
    }
}

/// A table to be created.
#[derive(Debug, Clone)]
pub struct TableSpec {
    pub(crate) schema: SchemaRef,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) layout: FileLayout,
}

impl TableSpec {
    /// A table of these columns, without properties. Types: those that Delta has, with
    /// timestamps in microseconds (zone `UTC`, or none for `timestamp_ntz`).
    #[must_use]
    pub fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            name: None,
            description: None,
            properties: BTreeMap::new(),
            layout: FileLayout::default(),
        }
    }

    /// The table's name, informative only.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The table's comment.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Records row changes from the first commit on (Delta protocol, "Add CDC File").
    #[must_use]
    pub fn with_change_data_feed(self) -> Self {
        self.with_property(CHANGE_DATA_FEED, "true")
    }

    /// Sets a table property such as `delta.logRetentionDuration`.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }

    /// Cuts files in another way than the default.
    #[must_use]
    pub fn with_layout(mut self, layout: FileLayout) -> Self {
        self.layout = layout;
        self
    }
}
