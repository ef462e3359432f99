//! Names and files of the demo's tables.

use std::path::{Path, PathBuf};

use lakefront_delta_writer::{DeltaTable, DeltaWriteError, FileLayout};

/// The schema that the four tables are in, a folder of the lake.
pub const SCHEMA: &str = "fashion_demo";
/// The catalogue of products, key `product_id`.
pub const PRODUCTS_TABLE: &str = "productsdb";
/// The users, key `user_id`.
pub const USERS_TABLE: &str = "usersdb";
/// What products look like, key `product_id`.
pub const EMBEDDINGS_TABLE: &str = "product_image_embeddingsdb";
/// What users like, key `user_id`.
pub const USER_FEATURES_TABLE: &str = "user_style_featuresdb";

/// Rows in a data file of a table. A change of rows rewrites the files that hold them: about
/// 100 KB of products, 1 MB of embeddings, so that a shop's activity stays cheap.
pub(crate) fn layout_of(table: &str) -> FileLayout {
    let rows = match table {
        PRODUCTS_TABLE => 2_000,
        EMBEDDINGS_TABLE => 512,
        USER_FEATURES_TABLE => 1_000,
        _ => 2_500,
    };
    FileLayout { rows_per_file: rows, rows_per_group: rows }
}

/// The folder of a table under a lake's root.
pub(crate) fn table_path(root: &Path, table: &str) -> PathBuf {
    root.join(SCHEMA).join(table)
}

/// Opens a table of the demo for changes.
pub(crate) fn open_table(root: &Path, table: &str) -> Result<DeltaTable, DeltaWriteError> {
    Ok(DeltaTable::open(table_path(root, table))?.with_layout(layout_of(table)))
}
