//! Embeddings: 512 numbers of unit length that say what a product looks like.
//!
//! A look is a sum of properties (the drawing it has, its article type, colour, pattern, for
//! whom it is cut). Each property has a fixed random direction, so different properties are
//! almost at right angles, and colours lie in a perceptual space, so that near colours are near.
//! What a person likes is a point of the same space.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::catalogue::Product;
use crate::catalogue::reference::{Article, Colour, Finish, Pattern, REFERENCE};
use crate::colour_space::oklab;
use crate::random::{Stream, hash};

/// Numbers in an embedding.
pub(crate) const DIMENSIONS: usize = 512;
/// The name that the tables give to this way of making embeddings.
pub(crate) const MODEL: &str = "lakefront-demo-looks-512";

/// How much each property counts. A drawing outweighs a colour, a colour outweighs a pattern:
/// the neighbours of a red dress are red dresses of any pattern, then dresses of other colours.
mod weight {
    pub const DRAWING: f32 = 0.62;
    pub const ARTICLE: f32 = 0.50;
    pub const SUB_CATEGORY: f32 = 0.34;
    pub const MASTER_CATEGORY: f32 = 0.38;
    pub const GENDER: f32 = 0.24;
    pub const PATTERN: f32 = 0.28;
    pub const COLOUR_NAME: f32 = 0.42;
    pub const LIGHTNESS: f32 = 1.1;
    pub const HUE: f32 = 2.3;
    pub const FINISH: f32 = 0.35;
    pub const BRAND: f32 = 0.08;
    /// What is particular to one photograph.
    pub const NOISE: f32 = 0.22;
}

type Vector = [f32; DIMENSIONS];

/// The directions of all properties, weighted, in one table.
struct Directions {
    table: Vec<Vector>,
    /// Where in the table each kind of property begins.
    drawings: BTreeMap<&'static str, usize>,
    articles: usize,
    genders: usize,
    colours: usize,
    patterns: usize,
    brands: usize,
}

static DIRECTIONS: LazyLock<Directions> = LazyLock::new(Directions::make);

/// A random direction of unit length, fixed by a name.
fn direction(name: &str) -> Vector {
    let mut stream = Stream::new(hash(name));
    let step = 1.0 / (DIMENSIONS as f32).sqrt();
    let mut vector = [0.0; DIMENSIONS];
    for chunk in vector.chunks_mut(64) {
        let mut bits = stream.next();
        for number in chunk {
            *number = if bits & 1 == 0 { step } else { -step };
            bits >>= 1;
        }
    }
    vector
}

fn add(sum: &mut Vector, vector: &Vector, weight: f32) {
    for (sum, number) in sum.iter_mut().zip(vector) {
        *sum += number * weight;
    }
}

fn scaled(name: &str, weight: f32) -> Vector {
    direction(name).map(|number| number * weight)
}

impl Directions {
    fn make() -> Self {
        let reference = &*REFERENCE;
        let mut table: Vec<Vector> = Vec::new();
        let mut drawings = BTreeMap::new();
        for article in &reference.articles {
            for drawing in std::iter::once(article.drawing).chain(article.drawing_for_women) {
                drawings.entry(drawing).or_insert_with(|| {
                    table.push(scaled(&format!("drawing {drawing}"), weight::DRAWING));
                    table.len() - 1
                });
            }
        }
        let mut extend = |vectors: &mut dyn Iterator<Item = Vector>| {
            let start = table.len();
            table.extend(vectors);
            start
        };
        let articles = extend(&mut reference.articles.iter().map(of_article));
        let genders = reference.genders.iter();
        let genders = extend(&mut genders.map(|g| scaled(&format!("for {}", g.value), weight::GENDER)));
        let colours = extend(&mut reference.colours.iter().map(of_colour));
        let patterns = Pattern::ALL.iter();
        let patterns = extend(&mut patterns.map(|p| scaled(p.name(), weight::PATTERN)));
        let brands = reference.brands.iter();
        let brands = extend(&mut brands.map(|b| scaled(&format!("brand {}", b.name), weight::BRAND)));
        Self { table, drawings, articles, genders, colours, patterns, brands }
    }

    /// The places in the table that a product's properties have.
    fn places(&self, product: &Product) -> [usize; 6] {
        [
            self.drawings.get(product.look().drawing()).copied().unwrap_or_default(),
            self.articles + product.article,
            self.genders + product.gender,
            self.colours + product.colour,
            self.patterns + product.pattern as usize,
            self.brands + product.brand,
        ]
    }
}

fn of_article(article: &Article) -> Vector {
    let mut sum = scaled(&format!("article {}", article.article_type), weight::ARTICLE);
    let sub_category = direction(&format!("sub-category {}", article.sub_category));
    add(&mut sum, &sub_category, weight::SUB_CATEGORY);
    let master_category = direction(&format!("category {}", article.master_category));
    add(&mut sum, &master_category, weight::MASTER_CATEGORY);
    sum
}

fn of_colour(colour: &Colour) -> Vector {
    let mut sum = scaled(&format!("colour {}", colour.name), weight::COLOUR_NAME);
    let place = oklab(colour.srgb);
    let lightness = (place.lightness - 0.6) as f32;
    add(&mut sum, &direction("lightness"), lightness * weight::LIGHTNESS);
    add(&mut sum, &direction("green to red"), place.green_red as f32 * weight::HUE);
    add(&mut sum, &direction("blue to yellow"), place.blue_yellow as f32 * weight::HUE);
    match colour.finish {
        Finish::Plain => {}
        Finish::Metal => add(&mut sum, &direction("metal"), weight::FINISH),
        Finish::Multi => add(&mut sum, &direction("many colours"), weight::FINISH),
    }
    sum
}

/// The embedding of a product's picture.
pub(crate) fn of_product(product: &Product, seed: u64) -> Vector {
    let mut sum = [0.0; DIMENSIONS];
    for place in DIRECTIONS.places(product) {
        add(&mut sum, &DIRECTIONS.table[place], 1.0);
    }
    add_noise(&mut sum, &mut Stream::of(seed, "picture", product.product_id.unsigned_abs()));
    to_unit_length(&mut sum);
    sum
}

/// The point that somebody likes who likes these products, each with its weight.
pub(crate) fn of_taste<'a>(liked: impl Iterator<Item = (&'a Product, f32)>) -> Vector {
    let mut sum = [0.0; DIMENSIONS];
    // Liked products share many properties: their weights are summed first.
    let mut weights: BTreeMap<usize, f32> = BTreeMap::new();
    for (product, weight) in liked {
        for place in DIRECTIONS.places(product) {
            *weights.entry(place).or_default() += weight;
        }
    }
    for (place, weight) in weights {
        add(&mut sum, &DIRECTIONS.table[place], weight);
    }
    to_unit_length(&mut sum);
    sum
}

/// Noise of the length [`weight::NOISE`] on average: a triangle distribution from two 16-bit numbers.
fn add_noise(sum: &mut Vector, stream: &mut Stream) {
    // The variance of the sum of two numbers uniform in [-1, 1] is 2/3.
    let step = weight::NOISE / (DIMENSIONS as f32 * 2.0 / 3.0).sqrt() / 32_768.0;
    for pair in sum.chunks_mut(2) {
        let bits = stream.next();
        let part = |shift: u32| ((bits >> shift) & 0xFFFF) as i32 - 32_768;
        for (number, noise) in pair.iter_mut().zip([part(0) + part(16), part(32) + part(48)]) {
            *number += noise as f32 * step;
        }
    }
}

fn to_unit_length(vector: &mut Vector) {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        for number in vector {
            *number /= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn nearest<'a>(
        products: &'a [Product],
        embeddings: &[Vector],
        to: &Vector,
        count: usize,
    ) -> Vec<&'a Product> {
        let closeness = |vector: &Vector| -> f32 { vector.iter().zip(to).map(|(a, b)| a * b).sum() };
        let mut all: Vec<(f32, &Product)> = embeddings.iter().map(closeness).zip(products).collect();
        all.sort_by(|left, right| right.0.total_cmp(&left.0));
        all.into_iter().take(count).map(|(_, product)| product).collect()
    }

    #[test]
    fn neighbours_look_alike() {
        let products: Vec<Product> = catalogue::generate(1).into_iter().take(15_000).collect();
        let embeddings: Vec<Vector> = products.iter().map(|p| of_product(p, 1)).collect();
        for vector in &embeddings {
            let length: f32 = vector.iter().map(|number| number * number).sum();
            assert!((length - 1.0).abs() < 1e-4);
        }
        let mut checked = 0;
        for (product, vector) in products.iter().zip(&embeddings) {
            let name = (product.colour().name, product.article().article_type);
            if !matches!(name, ("Red", "Dresses") | ("Blue", "Jeans") | ("Black", "Heels")) || checked == 12 {
                continue;
            }
            checked += 1;
            let near = nearest(&products, &embeddings, vector, 5);
            let share = |test: &dyn Fn(&Product) -> bool| near.iter().filter(|p| test(p)).count();
            assert_eq!(share(&|p| p.article == product.article), 5, "{name:?}: {near:?}");
            assert!(share(&|p| p.colour == product.colour) >= 3, "{name:?}: {near:?}");
        }
        assert_eq!(checked, 12);
    }

    #[test]
    fn a_taste_is_near_what_is_liked() {
        let products: Vec<Product> = catalogue::generate(1).into_iter().take(5_000).collect();
        let embeddings: Vec<Vector> = products.iter().map(|p| of_product(p, 1)).collect();
        let sporty = |p: &&Product| p.article().article_type == "Sports Shoes" && p.colour().name == "Blue";
        let taste = of_taste(products.iter().filter(sporty).take(4).map(|product| (product, 1.0)));
        let near = nearest(&products, &embeddings, &taste, 10);
        assert!(near.iter().all(|p| p.article().article_type == "Sports Shoes"), "{near:?}");
    }
}
