//! What every request shares.

use std::sync::Arc;

use crate::{images::Pictures, products::Catalogue, settings::Settings};

/// One shop: its settings, its catalogue and its pictures. Cheap to clone.
#[derive(Clone)]
pub struct Shop {
    /// Settings in force.
    pub settings: Arc<Settings>,
    /// The products.
    pub catalogue: Arc<Catalogue>,
    /// The pictures.
    pub pictures: Arc<Pictures>,
}
