//! One person's taste, drawn from a segment, and the products that it chooses.

use std::collections::BTreeMap;

use crate::catalogue::Product;
use crate::catalogue::reference::Tier;
use crate::people::segment::Segment;
use crate::random::Stream;

/// Products by sub-category and by who wears them, so that choosing is cheap.
pub(crate) struct Shelves<'a> {
    by_category: BTreeMap<(&'static str, bool), Vec<&'a Product>>,
}

impl<'a> Shelves<'a> {
    pub fn of(products: &'a [Product]) -> Self {
        let mut by_category: BTreeMap<_, Vec<&Product>> = BTreeMap::new();
        for product in products {
            let category = product.article().sub_category;
            let gender = product.gender();
            if matches!(gender, "Women" | "Unisex") {
                by_category.entry((category, true)).or_default().push(product);
            }
            if matches!(gender, "Men" | "Unisex") {
                by_category.entry((category, false)).or_default().push(product);
            }
        }
        Self { by_category }
    }

    fn shelf(&self, category: &'static str, women: bool) -> &[&'a Product] {
        self.by_category.get(&(category, women)).map_or(&[], Vec::as_slice)
    }
}

/// What one person likes.
pub(crate) struct Taste {
    women: bool,
    tiers: Vec<f64>,
    pub categories: Vec<&'static str>,
    pub colours: Vec<&'static str>,
}

/// Least and greatest number of products that a person has looked at.
const LIKED: (usize, usize) = (12, 28);
/// Products weighed against each other for each one that is liked.
const CANDIDATES: usize = 6;
/// How much a colour counts that is none of the favourites.
const OTHER_COLOUR: f64 = 0.12;

impl Taste {
    pub fn draw(segment: &Segment, women: bool, stream: &mut Stream) -> Self {
        let categories = if women { &segment.women } else { &segment.men };
        let count = 2 + stream.below(3);
        let categories = draw_distinct(categories, count, stream);
        let count = 2 + stream.below(3);
        Self {
            women,
            tiers: segment.tiers.clone(),
            categories,
            colours: draw_distinct(&segment.colours, count, stream),
        }
    }

    /// The products that the person has looked at, each with how often.
    pub fn choose(&self, shelves: &Shelves<'_>, stream: &mut Stream) -> Vec<(Product, u32)> {
        let count = LIKED.0 + stream.below(LIKED.1 - LIKED.0 + 1);
        let mut liked = Vec::with_capacity(count);
        for _ in 0..count {
            // The first category is looked at most often.
            let ranks = (0..self.categories.len()).map(|rank| 1.0 / (rank + 1) as f64);
            let Some(rank) = stream.weighted(ranks) else { continue };
            let shelf = shelves.shelf(self.categories[rank], self.women);
            let candidates: Vec<&Product> =
                (0..CANDIDATES).filter_map(|_| stream.pick(shelf).copied()).collect();
            let appeal = candidates.iter().map(|product| self.appeal(product));
            if let Some(chosen) = stream.weighted(appeal) {
                liked.push((*candidates[chosen], 1 + stream.below(6) as u32));
            }
        }
        liked
    }

    fn appeal(&self, product: &Product) -> f64 {
        let favourite = self.colours.contains(&product.colour().name);
        let colour = if favourite { 1.0 } else { OTHER_COLOUR };
        let tier = Tier::ALL.iter().position(|tier| *tier == product.brand().tier);
        let tier = tier.and_then(|tier| self.tiers.get(tier)).copied().unwrap_or_default();
        // Squared, so that segments differ clearly; never 0, so that a shelf of one tier still has appeal.
        colour * (tier * tier + 0.05)
    }

    /// The master categories of the liked sub-categories, each once.
    pub fn master_categories(&self, shelves: &Shelves<'_>) -> Vec<&'static str> {
        let mut names = Vec::new();
        for category in &self.categories {
            let first = shelves.shelf(category, self.women).first();
            if let Some(name) = first.map(|product| product.article().master_category)
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    }
}

/// The brands met most often among liked products, at most four, ties by name.
pub(crate) fn favourite_brands(liked: &[(Product, u32)]) -> Vec<&'static str> {
    let mut times: BTreeMap<&'static str, u32> = BTreeMap::new();
    for (product, count) in liked {
        *times.entry(product.brand().name).or_default() += count;
    }
    let mut brands: Vec<_> = times.into_iter().collect();
    brands.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    brands.into_iter().take(4).map(|(brand, _)| brand).collect()
}

/// Some of the weighted items, none twice, the likelier ones first more often.
fn draw_distinct(items: &[(&'static str, f64)], count: usize, stream: &mut Stream) -> Vec<&'static str> {
    let mut left = items.to_vec();
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count {
        let Some(index) = stream.weighted(left.iter().map(|(_, weight)| *weight)) else {
            break;
        };
        drawn.push(left.remove(index).0);
    }
    drawn
}
