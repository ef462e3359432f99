//! Pictures of the products, drawn when they are first asked for and kept on disk.

mod art;
mod cloth;
mod drawing;
mod palette;
mod scene;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::SEED;
use crate::catalogue;
use crate::error::{DemoError, io_at};
use crate::look::LookBook;
use crate::random::hash;

/// The pictures that `image_path` of the demo's products names.
#[derive(Debug)]
pub struct Pictures {
    looks: LookBook,
    cache: PathBuf,
    /// Tells apart files that threads of this process write at the same time.
    writes: AtomicU64,
}

impl Pictures {
    /// Pictures kept under `cache_dir`, which is made where it is missing. Pictures of other
    /// drawings than this program's lie in other folders there and are not used.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(cache_dir: impl AsRef<Path>) -> Result<Self, DemoError> {
        let drawings = art::all_text().fold(0, |sum: u64, svg| sum.rotate_left(7) ^ hash(svg));
        let version = env!("CARGO_PKG_VERSION");
        let cache = cache_dir.as_ref().join(format!("drawn-{version}-{drawings:016x}"));
        fs::create_dir_all(&cache).map_err(io_at(&cache))?;
        let looks = LookBook::of(&catalogue::generate(SEED));
        Ok(Self { looks, cache, writes: AtomicU64::new(0) })
    }

    /// The picture as PNG, 360 by 480 pixels; `None` when no product of the demo has this
    /// `image_path`. Only such paths ever reach the file system, so no other file can be had.
    ///
    /// A cache that cannot be written costs time, not the picture.
    #[must_use]
    pub fn get(&self, image_path: &str) -> Option<Vec<u8>> {
        let look = self.looks.get(image_path)?;
        let kept = self.cache.join(image_path);
        if let Ok(png) = fs::read(&kept) {
            return Some(png);
        }
        let png = drawing::render(&look)?;
        if let Err(error) = self.keep(&kept, &png) {
            tracing::warn!(path = %kept.display(), %error, "the picture could not be kept");
        }
        Some(png)
    }

    /// Every `image_path` that has a picture, sorted.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.looks.paths()
    }

    /// Draws all pictures that are not kept yet, until `stop` is set; `progress` is told how
    /// many of how many are there. Gives the number that were drawn.
    pub fn render_all(&self, stop: &AtomicBool, mut progress: impl FnMut(usize, usize)) -> usize {
        let total = self.paths().len();
        let mut drawn = 0;
        for (done, path) in self.paths().enumerate() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            if !self.cache.join(path).exists() && self.get(path).is_some() {
                drawn += 1;
            }
            progress(done + 1, total);
        }
        drawn
    }

    /// Whole or not at all: written aside, then renamed.
    fn keep(&self, path: &Path, png: &[u8]) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let aside = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
        fs::write(&aside, png)?;
        fs::rename(&aside, path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::drawing::render;
    use super::*;
    use crate::catalogue::reference::{Pattern, REFERENCE};
    use crate::look::Look;
    use std::collections::BTreeSet;

    #[test]
    fn each_drawing_shows_in_each_pattern_and_colours_differ() {
        let mut seen = BTreeSet::new();
        for (place, article) in REFERENCE.articles.iter().enumerate() {
            for for_women in [false, true] {
                let look = |colour, pattern| Look { article: place, colour, pattern, for_women };
                if !seen.insert(look(0, Pattern::Solid).drawing()) {
                    continue;
                }
                let black = render(&look(0, Pattern::Solid)).unwrap();
                let blue = render(&look(2, Pattern::Solid)).unwrap();
                assert_ne!(black, blue, "{}", article.article_type);
            }
        }
        let tops = REFERENCE.articles.iter().position(|a| a.article_type == "Tops").unwrap();
        let look = |pattern| Look { article: tops, colour: 5, pattern, for_women: true };
        let pictures: BTreeSet<_> = Pattern::ALL.iter().map(|p| render(&look(*p)).unwrap()).collect();
        assert_eq!(pictures.len(), Pattern::ALL.len() - 1, "a plain drawing has no colour blocks");
    }

    #[test]
    fn pictures_are_drawn_once_and_kept() {
        let cache = tempfile::tempdir().unwrap();
        let pictures = Pictures::new(cache.path()).unwrap();
        let path = "tshirts/navy-blue-striped.png";
        let first = pictures.get(path).unwrap();
        assert_eq!(first.get(..8), Some(b"\x89PNG\r\n\x1a\n".as_slice()));
        let kept = pictures.cache.join(path);
        assert_eq!(fs::read(&kept).unwrap(), first);
        fs::write(&kept, b"what is kept is given").unwrap();
        assert_eq!(pictures.get(path).unwrap(), b"what is kept is given");
    }

    #[test]
    fn only_what_the_catalogue_names_is_given() {
        let cache = tempfile::tempdir().unwrap();
        let pictures = Pictures::new(cache.path()).unwrap();
        for path in [
            "",
            "tshirts",
            "tshirts/plaid.png",
            "../tshirts/black.png",
            "tshirts/../tshirts/black.png",
            "/etc/passwd",
            "tshirts/black.png/",
            "TSHIRTS/black.png",
            "tshirts\\black.png",
        ] {
            assert_eq!(pictures.get(path), None, "{path}");
        }
    }

    #[test]
    fn all_pictures_can_be_drawn_in_advance_and_stopped() {
        let cache = tempfile::tempdir().unwrap();
        let pictures = Pictures::new(cache.path()).unwrap();
        let stop = AtomicBool::new(false);
        let drawn = pictures.render_all(&stop, |done, total| {
            assert!(done <= total);
            stop.store(done == 3, Ordering::Relaxed);
        });
        assert_eq!(drawn, 3);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(pictures.render_all(&stop, |_, _| {}), 0);
    }
}
