//! Wrong places and damaged tables each have their own clear error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lakefront_lake::{
    Catalog, CatalogError, Catalogs, FolderCatalog, Lake, LakeError, LakeOptions, Location, ScanOptions,
};
use lakefront_model::TableName;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::{golden_tables, lake, rows, snapshot};

async fn open_error(path: &Path) -> String {
    let location = Location::from_path(path).unwrap();
    let error = lake().open(&location).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&path.display().to_string()), "{text} names {}", path.display());
    text[path.display().to_string().len()..].to_owned()
}

#[tokio::test]
async fn places_without_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert_eq!(open_error(&path.join("nope")).await, ": no such folder");
    fs::create_dir(path.join("empty")).unwrap();
    let not = " is not a Delta table: no _delta_log in it; ";
    assert_eq!(open_error(&path.join("empty")).await, format!("{not}it is empty"));
    fs::create_dir_all(path.join("plain/part=1")).unwrap();
    fs::write(path.join("plain/part=1/a.parquet"), "x").unwrap();
    assert_eq!(open_error(&path.join("plain")).await, format!("{not}it holds Parquet files without a log"));
    fs::write(path.join("file.csv"), "x").unwrap();
    assert_eq!(open_error(&path.join("file.csv")).await, format!("{not}it is a file"));
    fs::create_dir_all(path.join("lake/t/_delta_log")).unwrap();
    fs::write(path.join("lake/t/_delta_log/00000000000000000000.json"), "{}").unwrap();
    assert_eq!(open_error(&path.join("lake")).await, format!("{not}there is one in its folder \"t\""));
    assert_eq!(
        open_error(&path.join("lake/t/_delta_log")).await,
        format!("{not}it is itself a table's _delta_log")
    );
}

/// A copy of a golden table that may be damaged.
fn copy(name: &str) -> Option<tempfile::TempDir> {
    fn copy_into(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy_into(&entry.path(), &target);
            } else {
                fs::write(target, fs::read(entry.path()).unwrap()).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy_into(&golden_tables()?.join(name), folder.path());
    Some(folder)
}

fn data_file(folder: &Path) -> std::path::PathBuf {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|e| e == "parquet")).min().unwrap()
}

#[tokio::test]
async fn a_vacuumed_file_is_named() {
    let Some(folder) = copy("table-with-dv-small") else { return };
    let file = data_file(folder.path());
    fs::remove_file(&file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let error = rows(&snapshot(folder.path(), None).await, ScanOptions::default()).await.unwrap_err();
    let location = folder.path().display().to_string();
    assert_eq!(error, LakeError::MissingFile { location, file: name });
}

#[tokio::test]
async fn a_missing_deletion_vector_is_named() {
    let Some(folder) = copy("table-with-dv-small") else { return };
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "bin") {
            fs::remove_file(path).unwrap();
        }
    }
    let error = rows(&snapshot(folder.path(), None).await, ScanOptions::default()).await.unwrap_err();
    assert!(
        matches!(&error, LakeError::MissingFile { file, .. } if file.starts_with("with the deletion vector of part-")),
        "{error}"
    );
}

#[tokio::test]
async fn a_truncated_file_is_named() {
    let Some(folder) = copy("table-without-dv-small") else { return };
    let file = data_file(folder.path());
    let bytes = fs::read(&file).unwrap();
    for length in [0, 10, bytes.len() - 5] {
        fs::write(&file, &bytes[..length]).unwrap();
        let error = rows(&snapshot(folder.path(), None).await, ScanOptions::default()).await.unwrap_err();
        assert!(matches!(&error, LakeError::UnreadableFile { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn damaged_logs_are_told() {
    let Some(folder) = copy("cdf-table-simple") else { return };
    let log = folder.path().join("_delta_log");
    let table = lake().open(&Location::from_path(folder.path()).unwrap()).await.unwrap();
    let latest = table.snapshot(None).await.unwrap().version();
    assert!(latest >= 2);
    fs::remove_file(log.join(format!("{:020}.json", latest - 1))).unwrap();
    let error = table.snapshot(None).await.unwrap_err();
    assert!(matches!(&error, LakeError::CorruptLog { .. }), "{error:?}");
    fs::write(log.join(format!("{:020}.json", latest - 1)), "{\"commitInfo\":").unwrap();
    let error = table.snapshot(None).await.unwrap_err();
    assert!(matches!(&error, LakeError::CorruptLog { .. }), "{error:?}");
}

#[tokio::test]
async fn unknown_features_are_named() {
    let Some(folder) = copy("table-without-dv-small") else { return };
    let log = folder.path().join("_delta_log");
    let table = lake().open(&Location::from_path(folder.path()).unwrap()).await.unwrap();
    let next = table.snapshot(None).await.unwrap().version() + 1;
    let commit = log.join(format!("{next:020}.json"));
    let protocol = |features: &str| {
        format!(
            "{{\"protocol\":{{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[{features}],\"writerFeatures\":[{features}]}}}}\n"
        )
    };
    fs::write(&commit, protocol("\"deletionVectors\",\"timeTurner\",\"collations-preview\"")).unwrap();
    let error = table.snapshot(None).await.unwrap_err();
    let location = folder.path().display().to_string();
    let features = vec!["timeTurner".to_owned(), "collations-preview".to_owned()];
    assert_eq!(error, LakeError::UnsupportedFeature { location: location.clone(), features });
    fs::write(&commit, "{\"protocol\":{\"minReaderVersion\":4,\"minWriterVersion\":7}}\n").unwrap();
    let error = table.snapshot(None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{location} uses a feature of Delta that Lakefront cannot read: reader version 4")
    );
}

#[tokio::test]
async fn versions_that_are_not_there() {
    let Some(folder) = golden_tables() else { return };
    let path = folder.join("cdf-table");
    let table = lake().open(&Location::from_path(&path).unwrap()).await.unwrap();
    let location = path.display().to_string();
    let error = table.snapshot(Some(9)).await.unwrap_err();
    assert_eq!(
        error,
        LakeError::VersionNotAvailable { location, version: 9, earliest: Some(0), latest: Some(3) }
    );
    assert!(error.to_string().ends_with("has no version 9: it has versions 0 to 3"), "{error}");
}

#[tokio::test]
async fn versions_cut_from_the_log() {
    let Some(folder) = copy("v1-single-part-struct-stats-only") else { return };
    let log = folder.path().join("_delta_log");
    let table = lake().open(&Location::from_path(folder.path()).unwrap()).await.unwrap();
    let latest = table.snapshot(None).await.unwrap().version();
    let checkpoint = fs::read_dir(&log).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".checkpoint.parquet").and_then(|version| version.parse::<u64>().ok())
    });
    let checkpoint = checkpoint.max().unwrap();
    assert!(checkpoint > 0);
    for version in 0..checkpoint {
        let _ = fs::remove_file(log.join(format!("{version:020}.json")));
    }
    let error = table.snapshot(Some(0)).await.unwrap_err();
    assert!(
        matches!(error, LakeError::VersionNotAvailable { version: 0, earliest: Some(e), latest: Some(l), .. } if e == checkpoint && l == latest),
        "{error:?}"
    );
    assert_eq!(table.snapshot(None).await.unwrap().version(), latest);
}

#[tokio::test]
async fn missing_credentials_are_told() {
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() {
        eprintln!("SKIPPED: this environment has credentials");
        return;
    }
    let nowhere = "http://127.0.0.1:1".to_owned();
    let names = ["AWS_METADATA_ENDPOINT", "AWS_ENDPOINT_URL"];
    let settings = names.map(|name| (name.to_owned(), nowhere.clone())).into();
    let lake = Lake::new(LakeOptions { settings }).unwrap();
    let error = lake.open(&Location::parse("s3://bucket/t").unwrap()).await.unwrap_err();
    let expected =
        "s3://bucket/t: access denied: no credentials in the environment, and this machine's role gives none";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test]
async fn catalogs_name_the_table_and_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("shop/products")).unwrap();
    let root = Location::from_path(folder.path()).unwrap();
    let mut catalogs = Catalogs::default();
    let resolve = |name: &str| TableName::parse(name).unwrap();
    let error = catalogs.resolve(&resolve("main.shop.products")).await.unwrap_err();
    assert_eq!(error.to_string(), "source main.shop.products: there is no catalog \"main\"; there is: none");
    catalogs.add_catalog("main", Arc::new(FolderCatalog::new(root.clone())));
    let found = catalogs.resolve(&resolve("main.shop.products")).await.unwrap();
    assert_eq!(found.path().unwrap(), folder.path().join("shop/products"));
    let error = catalogs.resolve(&resolve("main.shop.users")).await.unwrap_err();
    let looked_in = folder.path().join("shop/users").display().to_string();
    assert_eq!(error.to_string(), format!("source main.shop.users: no such table; looked in {looked_in}"));
    let error = catalogs.resolve(&resolve("shop.users")).await.unwrap_err();
    assert!(matches!(error, CatalogError::NoCatalog { .. }));
    let error = FolderCatalog::new(root.clone()).resolve(&resolve("main.\"..\".users")).await.unwrap_err();
    assert!(matches!(error, CatalogError::Lake { .. }), "{error}");
    catalogs.add_table(&resolve("main.shop.users"), root.clone());
    assert_eq!(catalogs.resolve(&resolve("main.shop.users")).await.unwrap(), root);
}
