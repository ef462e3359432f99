//! Where a table or a catalog's root is: a folder, or an address in an object store.

use crate::LakeError;
use std::path::{Component, Path, PathBuf};
use url::Url;

/// The schemes that mean an object store of Azure; their user part is the container, not a secret.
const AZURE: [&str; 5] = ["az", "azure", "abfs", "abfss", "adl"];

/// A folder on this machine or in an object store. Its text never holds a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// ends with a slash, so that relative names join below it
    url: Url,
}

impl Location {
    /// Reads a source as a user gives it: a path (relative to the working directory), or an address with
    /// `file://`, `s3://` (`s3a://`), `gs://`, `az://` (`abfs://`, `abfss://`). Addresses are URLs: `#`, `?` and
    /// `%` in a name are written as `%23`, `%3F` and `%25`. Nothing is looked up.
    ///
    /// # Errors
    /// [`LakeError::BadLocation`] for another scheme, an address without bucket, or one that carries secrets.
    pub fn parse(given: &str) -> Result<Self, LakeError> {
        let given = given.trim();
        let bad = |reason: &str| LakeError::BadLocation { given: masked(given), reason: reason.to_owned() };
        if given.is_empty() {
            return Err(bad("it is empty"));
        }
        if !given.contains("://") && !given.starts_with("file:") {
            return Self::from_path(Path::new(given));
        }
        let url = Url::parse(given).map_err(|e| bad(&e.to_string()))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad(
                "an address has no ? or # (write %3F and %23 in names; credentials belong in the environment)",
            ));
        }
        match url.scheme() {
            "file" => {
                let path = url.to_file_path().map_err(|()| bad("it names no path on this machine"))?;
                Self::from_path(&path)
            }
            "s3" | "s3a" | "s3n" | "gs" if !url.username().is_empty() || url.password().is_some() => {
                Err(bad("credentials belong in the environment, not in the address"))
            }
            scheme if AZURE.contains(&scheme) && url.password().is_some() => {
                Err(bad("credentials belong in the environment, not in the address"))
            }
            "s3a" | "s3n" => Self::from_store(given, &given.replacen(url.scheme(), "s3", 1)),
            "s3" | "gs" => Self::from_store(given, given),
            scheme if AZURE.contains(&scheme) => Self::from_store(given, given),
            scheme => Err(bad(&format!(
                "\"{scheme}\" is not a store Lakefront reads: it reads paths, file://, s3://, gs:// and az:// (abfss://)"
            ))),
        }
    }

    /// The location of a folder of this machine; a relative one is below the working directory.
    ///
    /// # Errors
    /// [`LakeError::BadLocation`] when the working directory is gone or the path cannot be an address.
    pub fn from_path(path: &Path) -> Result<Self, LakeError> {
        let bad = |reason: String| LakeError::BadLocation { given: path.display().to_string(), reason };
        let mut absolute = std::path::absolute(path).map_err(|e| bad(e.to_string()))?;
        if absolute.components().any(|c| c == Component::ParentDir) {
            // What `..` means depends on links, so the file system is asked; a path that is not there keeps its text.
            absolute = std::fs::canonicalize(&absolute).unwrap_or_else(|_| without_parents(&absolute));
        }
        let url = Url::from_directory_path(&absolute).map_err(|()| bad("it is not a path".to_owned()))?;
        Ok(Self { url })
    }

    fn from_store(given: &str, address: &str) -> Result<Self, LakeError> {
        let bad = |reason: String| LakeError::BadLocation { given: masked(given), reason };
        let mut url = Url::parse(address).map_err(|e| bad(e.to_string()))?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it names no bucket or container".to_owned()));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self { url })
    }

    /// The folder `name` below this one.
    ///
    /// # Errors
    /// [`LakeError::BadLocation`] for a name that would leave the folder.
    pub fn child(&self, name: &str) -> Result<Self, LakeError> {
        let leaves = name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']);
        let mut url = self.url.clone();
        match url.path_segments_mut() {
            Ok(mut segments) if !leaves => {
                segments.pop_if_empty().push(name).push("");
            }
            _ => {
                return Err(LakeError::BadLocation {
                    given: name.to_owned(),
                    reason: format!("it cannot be the name of a folder in {self}"),
                });
            }
        }
        Ok(Self { url })
    }

    /// The path, for a folder of this machine.
    pub fn path(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file").then(|| local_path(&self.url)).flatten()
    }

    /// The address with a trailing slash, as `delta_kernel` takes it.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }
}

impl std::fmt::Display for Location {
    /// A path for folders of this machine, an address for the others, both without a trailing slash.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&shown(&self.url))
    }
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Location({self})")
    }
}

impl std::str::FromStr for Location {
    type Err = LakeError;

    fn from_str(given: &str) -> Result<Self, LakeError> {
        Self::parse(given)
    }
}

/// A folder's or file's address as people write it.
pub(crate) fn shown(url: &Url) -> String {
    if url.scheme() == "file"
        && let Some(path) = local_path(url)
    {
        return path.display().to_string();
    }
    url.as_str().trim_end_matches('/').to_owned()
}

/// The path of a `file` address, without a trailing slash.
fn local_path(url: &Url) -> Option<PathBuf> {
    url.to_file_path().ok().map(|path| path.components().collect())
}

/// An address with whatever might be a secret left out.
fn masked(given: &str) -> String {
    let Ok(mut url) = Url::parse(given) else { return given.to_owned() };
    if url.cannot_be_a_base() {
        return given.to_owned();
    }
    let secret_user = url.password().is_some() || !AZURE.contains(&url.scheme());
    if secret_user && !url.username().is_empty() {
        let _ = url.set_username("…");
    }
    let _ = url.set_password(None);
    if url.query().is_some() {
        url.set_query(Some("…"));
    }
    url.to_string()
}

fn without_parents(path: &Path) -> PathBuf {
    let mut kept = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            kept.pop();
        } else {
            kept.push(part);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_become_absolute() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(Location::parse("lake/t").unwrap().path().unwrap(), here.join("lake/t"));
        assert_eq!(Location::parse("./lake/../t/").unwrap().path().unwrap(), here.join("t"));
        assert_eq!(Location::parse("/a b/ü#?%20").unwrap().to_string(), "/a b/ü#?%20");
        assert_eq!(Location::parse("file:///a%20b/").unwrap().to_string(), "/a b");
        assert_eq!(Location::parse("file:/a").unwrap().to_string(), "/a");
    }

    #[test]
    fn addresses_keep_their_store() {
        for (given, expected) in [
            ("s3://bucket/a/b", "s3://bucket/a/b/"),
            ("s3a://bucket/a/b/", "s3://bucket/a/b/"),
            ("s3://bucket", "s3://bucket/"),
            ("gs://bucket/a", "gs://bucket/a/"),
            ("abfss://box@account.dfs.core.windows.net/a", "abfss://box@account.dfs.core.windows.net/a/"),
            ("az://box/a", "az://box/a/"),
        ] {
            assert_eq!(Location::parse(given).unwrap().url().as_str(), expected);
        }
        assert_eq!(Location::parse("s3://bucket/a/").unwrap().to_string(), "s3://bucket/a");
    }

    #[test]
    fn secrets_are_refused_and_not_shown() {
        for given in
            ["s3://key:hush@bucket/t", "s3://hush@bucket/t", "az://box/t?sig=hush", "hdfs://u:hush@host/t"]
        {
            let error = Location::parse(given).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn other_schemes_are_named() {
        let error = Location::parse("hdfs://host/t").unwrap_err().to_string();
        assert!(error.contains("\"hdfs\" is not a store Lakefront reads"), "{error}");
        assert!(Location::parse("s3:///t").is_err());
        assert!(Location::parse("  ").is_err());
    }

    #[test]
    fn children_stay_below() {
        let root = Location::parse("s3://bucket/lake").unwrap();
        assert_eq!(root.child("a b").unwrap().url().as_str(), "s3://bucket/lake/a%20b/");
        assert_eq!(Location::parse("/lake").unwrap().child("100%").unwrap().to_string(), "/lake/100%");
        for name in ["", ".", "..", "a/b", "a\\b"] {
            assert!(root.child(name).is_err(), "{name}");
        }
    }
}
