//! Pictures kept in memory, so that a drawn one is drawn once.

use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::Mutex as Lane;

use super::ImageSource;

/// Memory for kept pictures.
const BYTES_KEPT: usize = 48 * 1024 * 1024;

/// Pictures drawn or read at the same time; more would starve the requests of the cores they need. A picture
/// always takes the same lane, so that it is drawn once however many ask.
const LANES: usize = 2;

/// A picture ready to be sent.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The encoded picture.
    pub bytes: Bytes,
    /// Its media type.
    pub content_type: &'static str,
    /// Strong validator, in quotes.
    pub etag: String,
}

/// A source and the pictures kept from it.
pub struct Pictures {
    source: Arc<dyn ImageSource>,
    keep: Duration,
    kept: Mutex<Kept>,
    lanes: [Lane<()>; LANES],
}

#[derive(Default)]
struct Kept {
    pictures: HashMap<String, (Picture, Instant)>,
    bytes: usize,
}

impl Pictures {
    /// Pictures of a source.
    pub fn new(source: Arc<dyn ImageSource>) -> Self {
        let keep = Duration::from_secs(source.keep_seconds());
        Self { source, keep, kept: Mutex::default(), lanes: Default::default() }
    }

    /// The picture for an `image_path`. `None` when there is none or the path is no plain path.
    pub async fn picture(&self, image_path: &str) -> Option<Picture> {
        let content_type = content_type(image_path)?;
        if !is_plain(image_path) {
            return None;
        }
        if let Some(picture) = self.kept(image_path) {
            return Some(picture);
        }
        let lane = self.lanes.get(hash(image_path.as_bytes()) as usize % LANES)?;
        let _turn = lane.lock().await;
        // Whoever had the lane before may have fetched the same one.
        if let Some(picture) = self.kept(image_path) {
            return Some(picture);
        }
        let (source, path) = (self.source.clone(), image_path.to_owned());
        let bytes = tokio::task::spawn_blocking(move || source.image(&path)).await.ok()??;
        let picture = Picture { etag: etag(&bytes), bytes, content_type };
        self.keep(image_path, picture.clone());
        Some(picture)
    }

    fn kept(&self, image_path: &str) -> Option<Picture> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (picture, since) = kept.pictures.get(image_path)?;
        (since.elapsed() < self.keep).then(|| picture.clone())
    }

    fn keep(&self, image_path: &str, picture: Picture) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let size = picture.bytes.len() + image_path.len();
        if size > BYTES_KEPT / 4 {
            return;
        }
        if kept.bytes + size > BYTES_KEPT {
            // Pictures are cheap to get again and browsers keep them: starting over needs no bookkeeping of use.
            kept.pictures.clear();
            kept.bytes = 0;
        }
        kept.bytes += size;
        if let Some((old, _)) = kept.pictures.insert(image_path.to_owned(), (picture, Instant::now())) {
            kept.bytes -= old.bytes.len() + image_path.len();
        }
    }
}

/// Names made of segments that are no steps to elsewhere.
fn is_plain(path: &str) -> bool {
    !path.contains(['\\', '\0'])
        && path.split('/').all(|segment| !segment.is_empty() && segment != "." && segment != "..")
}

/// Media type by the ending of the name; `None` for what is no picture.
fn content_type(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

fn etag(bytes: &Bytes) -> String {
    format!("\"{:016x}-{:x}\"", hash(bytes), bytes.len())
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_picture_is_drawn_once_and_odd_paths_never() {
        let drawn = Arc::new(AtomicUsize::new(0));
        let counter = drawn.clone();
        let pictures = Pictures::new(Arc::new(move |path: &str| {
            counter.fetch_add(1, Ordering::SeqCst);
            path.starts_with("tshirts/").then(|| Bytes::from(path.to_owned()))
        }));
        let asked = futures::future::join_all((0..8).map(|_| pictures.picture("tshirts/blue.png"))).await;
        assert!(asked.iter().all(|picture| picture.as_ref().unwrap().bytes == "tshirts/blue.png"));
        assert_eq!(asked[0].as_ref().unwrap().content_type, "image/png");
        assert_eq!(drawn.load(Ordering::SeqCst), 1);
        for odd in
            ["../a.png", "a/../b.png", "/etc/a.png", "a//b.png", "a\\b.png", "./a.png", "passwd", "a.txt"]
        {
            assert!(pictures.picture(odd).await.is_none(), "{odd}");
        }
        assert_eq!(drawn.load(Ordering::SeqCst), 1);
    }
}
