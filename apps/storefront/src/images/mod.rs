//! Pictures of the products.

mod directory;
mod source;
mod store;

pub use directory::Directory;
pub use source::{ImageSource, NoImages};
pub use store::{Picture, Pictures};
