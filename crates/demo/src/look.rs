//! Looks: what a product's picture shows. Products that look the same share one picture.

use std::collections::BTreeMap;

use crate::catalogue::Product;
use crate::catalogue::reference::{Article, Colour, Pattern, REFERENCE};

/// An article type in one colour and pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Look {
    pub article: usize,
    pub colour: usize,
    pub pattern: Pattern,
    /// Cut for women, where the article has such a cut.
    pub for_women: bool,
}

impl Look {
    pub fn article(&self) -> &'static Article {
        &REFERENCE.articles[self.article]
    }

    pub fn colour(&self) -> &'static Colour {
        &REFERENCE.colours[self.colour]
    }

    /// The drawing that shows it.
    pub fn drawing(&self) -> &'static str {
        let article = self.article();
        let for_women = article.drawing_for_women.filter(|_| self.for_women);
        for_women.unwrap_or(article.drawing)
    }

    /// `image_path` of products with this look, such as `tshirts/navy-blue-striped.png`.
    pub fn image_path(&self) -> String {
        let mut path = format!("{}/{}", slug(self.article().article_type), slug(self.colour().name));
        if self.pattern != Pattern::Solid {
            path.push('-');
            path.push_str(&slug(self.pattern.name()));
        }
        if self.for_women {
            path.push_str("-women");
        }
        path.push_str(".png");
        path
    }
}

/// The looks of a catalogue by `image_path`.
#[derive(Debug)]
pub(crate) struct LookBook(BTreeMap<String, Look>);

impl LookBook {
    pub fn of(products: &[Product]) -> Self {
        let mut looks: Vec<Look> = products.iter().map(Product::look).collect();
        looks.sort_unstable();
        looks.dedup();
        Self(looks.into_iter().map(|look| (look.image_path(), look)).collect())
    }

    pub fn get(&self, image_path: &str) -> Option<Look> {
        self.0.get(image_path).copied()
    }

    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn slug(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn paths_name_looks_one_to_one() {
        let products = catalogue::generate(1);
        let looks: std::collections::BTreeSet<Look> = products.iter().map(Product::look).collect();
        let book = LookBook::of(&products);
        assert_eq!(book.paths().len(), looks.len());
        for look in looks {
            assert_eq!(book.get(&look.image_path()), Some(look));
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-/.".contains(c);
        assert!(book.paths().all(|path| path.chars().all(plain) && path.matches('/').count() == 1));
        assert!(book.get("tshirts/navy-blue-striped.png").is_some());
    }
}
