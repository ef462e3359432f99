//! Pictures in a folder.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::ImageSource;
use crate::settings::SettingsError;

/// Largest picture that is served.
const PICTURE_MOST: u64 = 20 * 1024 * 1024;

/// A folder whose files are named by `image_path`. Nothing outside it is served, links included.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The folder, which must exist.
    pub fn open(root: &Path) -> Result<Self, SettingsError> {
        match fs::canonicalize(root) {
            Ok(root) if root.is_dir() => Ok(Self { root }),
            _ => Err(SettingsError::ImagesDir(root.to_owned())),
        }
    }
}

impl ImageSource for Directory {
    fn image(&self, image_path: &str) -> Option<Bytes> {
        let path = fs::canonicalize(self.root.join(image_path)).ok()?;
        if !path.starts_with(&self.root) {
            return None;
        }
        let file = File::open(path).ok()?;
        let length = file.metadata().ok().filter(|about| about.is_file())?.len();
        if length > PICTURE_MOST {
            tracing::warn!(image_path, length, "a picture is larger than 20 MiB and is not served");
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).ok()?);
        file.take(PICTURE_MOST).read_to_end(&mut bytes).ok()?;
        Some(bytes.into())
    }

    /// Files are soon read again, and somebody may replace them.
    fn keep_seconds(&self) -> u64 {
        5
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.png"), b"secret").unwrap();
        let root = outside.path().join("images");
        fs::create_dir_all(root.join("tshirts")).unwrap();
        fs::write(root.join("tshirts/blue.png"), b"blue").unwrap();
        let directory = Directory::open(&root).unwrap();
        assert_eq!(directory.image("tshirts/blue.png").unwrap(), "blue");
        assert_eq!(directory.image("../secret.png"), None);
        assert_eq!(directory.image("tshirts"), None);
        assert_eq!(directory.image(outside.path().join("secret.png").to_str().unwrap()), None);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path().join("secret.png"), root.join("link.png")).unwrap();
            assert_eq!(directory.image("link.png"), None);
        }
        assert!(Directory::open(&root.join("absent")).is_err());
    }
}
