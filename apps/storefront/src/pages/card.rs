//! A product in a grid.

use super::link;
use crate::products::Product;

/// What a card shows.
pub struct Card {
    /// The product's page.
    pub href: String,
    /// Picture.
    pub image: Option<String>,
    /// Text in place of the picture.
    pub alt: String,
    /// Name.
    pub title: String,
    /// What it is.
    pub about: String,
    /// Price.
    pub price: String,
    /// Style class of its colour.
    pub color_class: String,
    /// It is in view at once, so its picture is not put off.
    pub eager: bool,
}

/// Cards that are in view at once on a usual screen.
const IN_VIEW: usize = 4;

impl Card {
    /// The card of a product, `place` from 0 in its grid.
    pub fn new(product: &Product<'_>, place: usize) -> Self {
        let about: Vec<_> = [product.article_type, product.base_color].into_iter().flatten().collect();
        Self {
            href: link::product(product.product_id),
            image: product.image_url.map(|url| url.to_string()),
            alt: product.picture_text().into_owned(),
            title: product.title().to_owned(),
            about: about.join(" · "),
            price: product.price_text(),
            color_class: product.base_color.map(color_class).unwrap_or_default(),
            eager: place < IN_VIEW,
        }
    }

    /// The cards of a page.
    pub fn all<'a>(products: impl Iterator<Item = Product<'a>>) -> Vec<Self> {
        products.enumerate().map(|(place, product)| Self::new(&product, place)).collect()
    }
}

/// Style class of a colour's name; the style sheet knows the usual ones.
pub fn color_class(color: &str) -> String {
    let mut class = String::with_capacity(color.len() + 2);
    class.push_str("c-");
    class.extend(color.chars().map(|character| {
        if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' }
    }));
    class
}
