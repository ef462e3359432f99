//! The catalogue of 44,424 products, generated from a seed.

mod naming;
mod pricing;
mod quota;
pub(crate) mod reference;

pub(crate) use naming::display_name;
pub(crate) use pricing::{price, to_cents};

use crate::look::Look;
use crate::random::Stream;
use reference::{Article, Brand, Colour, Pattern, REFERENCE};

/// The number of the first product.
const FIRST_PRODUCT_ID: i64 = 10_001;

/// One product as places in the reference tables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Product {
    pub product_id: i64,
    pub article: usize,
    pub gender: usize,
    pub colour: usize,
    pub season: usize,
    pub usage: usize,
    pub year: usize,
    pub brand: usize,
    pub pattern: Pattern,
    /// A word of style in the name, or none.
    pub style: Option<&'static str>,
    pub price: f64,
}

impl Product {
    pub fn article(&self) -> &'static Article {
        &REFERENCE.articles[self.article]
    }

    pub fn colour(&self) -> &'static Colour {
        &REFERENCE.colours[self.colour]
    }

    pub fn brand(&self) -> &'static Brand {
        &REFERENCE.brands[self.brand]
    }

    pub fn gender(&self) -> &'static str {
        REFERENCE.genders[self.gender].value
    }

    pub fn look(&self) -> Look {
        let women = matches!(self.gender(), "Women" | "Girls");
        Look {
            article: self.article,
            colour: self.colour,
            pattern: self.pattern,
            for_women: women && self.article().drawing_for_women.is_some(),
        }
    }
}

/// The whole catalogue of a seed, by `product_id`.
pub(crate) fn generate(seed: u64) -> Vec<Product> {
    let reference = &*REFERENCE;
    let mut articles: Vec<usize> = Vec::new();
    for (place, article) in reference.articles.iter().enumerate() {
        articles.extend(std::iter::repeat_n(place, article.products as usize));
    }
    Stream::of(seed, "order of products", 0).shuffle(&mut articles);
    let facet = |name: &str, quotas: Vec<u32>, wish: &dyn Fn(&'static Article) -> &'static [f64]| {
        let wishes: Vec<_> = articles.iter().map(|place| wish(&reference.articles[*place])).collect();
        quota::assign(&quotas, &wishes, &mut Stream::of(seed, name, 0))
    };
    let quotas = |values: &[reference::FacetValue]| values.iter().map(|v| v.products).collect();
    let colour_quotas = reference.colours.iter().map(|colour| colour.products).collect();
    let genders = facet("gender", quotas(&reference.genders), &|article| article.gender);
    let colours = facet("colour", colour_quotas, &|article| article.colour);
    let seasons = facet("season", quotas(&reference.seasons), &|article| article.season);
    let usages = facet("usage", quotas(&reference.usages), &|article| article.usage);
    let years = facet("year", quotas(&reference.years), &|_| &[1.0; 13]);
    articles
        .iter()
        .enumerate()
        .map(|(index, place)| {
            let article = &reference.articles[*place];
            let mut stream = Stream::of(seed, "product", index as u64);
            let weights = article.pattern.iter().copied();
            let pattern = stream.weighted(weights).map_or(Pattern::Solid, |p| Pattern::ALL[p]);
            let brand = stream.pick(&article.brands).copied().unwrap_or(0);
            let style = naming::style(&mut stream);
            Product {
                product_id: FIRST_PRODUCT_ID + index as i64,
                article: *place,
                gender: genders[index],
                colour: colours[index],
                season: seasons[index],
                usage: usages[index],
                year: years[index],
                brand,
                pattern,
                style,
                price: price(article, reference.brands[brand].tier, &mut stream),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn count<K: Ord>(products: &[Product], key: impl Fn(&Product) -> K) -> BTreeMap<K, usize> {
        let mut counts = BTreeMap::new();
        for product in products {
            *counts.entry(key(product)).or_default() += 1;
        }
        counts
    }

    #[test]
    fn the_catalogue_has_the_shape_of_the_public_one() {
        let products = generate(1);
        assert_eq!(products.len(), 44_424);
        let types = count(&products, |p| p.article().article_type);
        for (name, wanted) in [
            ("Tshirts", 7_067),
            ("Shirts", 3_217),
            ("Casual Shoes", 2_845),
            ("Watches", 2_542),
            ("Sports Shoes", 2_036),
            ("Kurtas", 1_844),
            ("Tops", 1_762),
            ("Handbags", 1_759),
            ("Heels", 1_323),
            ("Sunglasses", 1_073),
        ] {
            assert_eq!(types[name], wanted, "{name}");
        }
        let colours = count(&products, |p| p.colour().name);
        for (name, wanted) in [
            ("Black", 9_728),
            ("White", 5_538),
            ("Blue", 4_918),
            ("Brown", 3_494),
            ("Grey", 2_741),
            ("Red", 2_455),
        ] {
            assert_eq!(colours[name], wanted, "{name}");
        }
        let masters = count(&products, |p| p.article().master_category);
        let percent = |name: &str| masters[name] * 100 / products.len();
        assert_eq!(percent("Apparel"), 48);
        assert_eq!(percent("Accessories"), 25);
        assert_eq!(percent("Footwear"), 20);
        assert_eq!(percent("Personal Care"), 5);
        let usages = count(&products, |p| REFERENCE.usages[p.usage].value);
        assert!(usages["Casual"] > usages["Sports"]);
        assert!(usages["Sports"] > usages["Ethnic"]);
        assert!(usages["Ethnic"] > usages["Formal"]);
    }

    #[test]
    fn products_make_sense() {
        let products = generate(1);
        let share = |of: &str, test: &dyn Fn(&Product) -> bool| {
            let all: Vec<_> = products.iter().filter(|p| p.article().article_type == of).collect();
            all.iter().filter(|p| test(p)).count() as f64 / all.len() as f64
        };
        let metal = |p: &Product| p.colour().finish == reference::Finish::Metal;
        assert!(share("Tshirts", &metal) < 0.02, "metal T-shirts");
        assert!(share("Earrings", &metal) > 0.5, "metal earrings");
        assert!(share("Sarees", &|p| p.gender() == "Women") > 0.99);
        assert!(share("Ties", &|p| p.gender() == "Men") > 0.99);
        assert!(share("Sports Shoes", &|p| REFERENCE.usages[p.usage].value == "Sports") > 0.9);
        assert!(share("Kurtas", &|p| REFERENCE.usages[p.usage].value == "Ethnic") > 0.9);
        assert!(share("Lipstick", &|p| p.colour().name == "Green") < 0.02);
        assert!(
            share("Jeans", &|p| matches!(p.colour().name, "Blue" | "Navy Blue" | "Black" | "Grey")) > 0.8
        );
        for product in &products {
            let (least, _, greatest) = product.article().price;
            assert!(product.price > least * 0.5 && product.price < greatest * 1.2);
            assert_eq!(product.price, to_cents(product.price));
        }
    }

    #[test]
    fn another_seed_gives_another_catalogue_and_the_same_seed_the_same() {
        let first = generate(5);
        assert_eq!(first, generate(5));
        assert_ne!(first, generate(6));
    }
}
