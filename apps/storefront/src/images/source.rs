//! Where pictures come from.

use bytes::Bytes;

/// Gives the picture for an `image_path` of a product, encoded as its name's ending says (`.png`, `.jpg`, …).
/// Called on a thread that may block; what it gives is kept, so it may be slow. Any such function is a source.
pub trait ImageSource: Send + Sync + 'static {
    /// The picture, or `None` when there is none. `image_path` has no leading slash and no `.` or `..` segment.
    fn image(&self, image_path: &str) -> Option<Bytes>;

    /// How many seconds a picture may be kept before it is asked for again.
    fn keep_seconds(&self) -> u64 {
        3600
    }
}

impl<F> ImageSource for F
where
    F: Fn(&str) -> Option<Bytes> + Send + Sync + 'static,
{
    fn image(&self, image_path: &str) -> Option<Bytes> {
        self(image_path)
    }
}

/// A source without pictures.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoImages;

impl ImageSource for NoImages {
    fn image(&self, _: &str) -> Option<Bytes> {
        None
    }
}
