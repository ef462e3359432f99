//! The shape of the catalogue as data: article types, colours, brands, and what goes with what.
//!
//! The tables are text files beside the code (`data/*.tsv`), read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What a product shows on its cloth or surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Pattern {
    Solid,
    Striped,
    Checked,
    Dotted,
    Floral,
    Printed,
    Colourblock,
}

impl Pattern {
    pub const ALL: [Self; 7] = [
        Self::Solid,
        Self::Striped,
        Self::Checked,
        Self::Dotted,
        Self::Floral,
        Self::Printed,
        Self::Colourblock,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Solid => "Solid",
            Self::Striped => "Striped",
            Self::Checked => "Checked",
            Self::Dotted => "Dotted",
            Self::Floral => "Floral",
            Self::Printed => "Printed",
            Self::Colourblock => "Colourblock",
        }
    }

    /// The word for it in a product's name; none for a plain one.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Solid => None,
            Self::Checked => Some("Check"),
            Self::Dotted => Some("Polka Dot"),
            other => Some(other.name()),
        }
    }
}

/// How much a brand asks for the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    Budget,
    Value,
    Premium,
    Luxury,
}

impl Tier {
    pub const ALL: [Self; 4] = [Self::Budget, Self::Value, Self::Premium, Self::Luxury];

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "budget" => Self::Budget,
            "value" => Self::Value,
            "premium" => Self::Premium,
            "luxury" => Self::Luxury,
            _ => return None,
        })
    }
}

/// How a colour shines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Plain,
    Metal,
    /// Many colours at once.
    Multi,
}

/// One of the 143 article types.
#[derive(Debug)]
pub(crate) struct Article {
    pub article_type: &'static str,
    pub sub_category: &'static str,
    pub master_category: &'static str,
    /// Products of this type in the catalogue.
    pub products: u32,
    /// The word for one piece in a product's name.
    pub noun: &'static str,
    /// The drawing for men and all, and the one for women and girls where it differs.
    pub drawing: &'static str,
    pub drawing_for_women: Option<&'static str>,
    /// Affinities in the order of the facet's values.
    pub gender: &'static [f64],
    pub usage: &'static [f64],
    pub season: &'static [f64],
    pub colour: &'static [f64],
    /// Weights in the order of [`Pattern::ALL`].
    pub pattern: &'static [f64],
    /// Least, usual and greatest price.
    pub price: (f64, f64, f64),
    /// Places in [`Reference::brands`].
    pub brands: Vec<usize>,
}

/// One of the 46 colours.
#[derive(Debug)]
pub(crate) struct Colour {
    pub name: &'static str,
    pub products: u32,
    /// Red, green, blue of the sRGB colour space.
    pub srgb: [u8; 3],
    pub finish: Finish,
}

/// An invented brand.
#[derive(Debug)]
pub(crate) struct Brand {
    pub name: &'static str,
    pub tier: Tier,
}

/// A value of a facet and how many products have it.
#[derive(Debug)]
pub(crate) struct FacetValue {
    pub value: &'static str,
    pub products: u32,
}

/// All tables together.
#[derive(Debug)]
pub(crate) struct Reference {
    pub articles: Vec<Article>,
    pub colours: Vec<Colour>,
    pub brands: Vec<Brand>,
    pub genders: Vec<FacetValue>,
    pub seasons: Vec<FacetValue>,
    pub usages: Vec<FacetValue>,
    pub years: Vec<FacetValue>,
}

/// The tables, read at first use.
pub(crate) static REFERENCE: LazyLock<Reference> = LazyLock::new(Reference::read);

/// The lines of a table after its head, each cut at tabs. A line with too few fields is left
/// out; the tests count what must be there.
pub(crate) fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    table.lines().skip(1).filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

impl Reference {
    fn read() -> Self {
        let facet = |name: &str| -> Vec<FacetValue> {
            rows::<3>(include_str!("../../data/facets.tsv"))
                .filter(|[facet, _, _]| *facet == name)
                .filter_map(|[_, value, products]| {
                    Some(FacetValue { value, products: products.parse().ok()? })
                })
                .collect()
        };
        let colours: Vec<Colour> = rows::<4>(include_str!("../../data/colours.tsv"))
            .filter_map(|[name, products, srgb, finish]| {
                Some(Colour {
                    name,
                    products: products.parse().ok()?,
                    srgb: parse_srgb(srgb)?,
                    finish: match finish {
                        "metal" => Finish::Metal,
                        "multi" => Finish::Multi,
                        _ => Finish::Plain,
                    },
                })
            })
            .collect();
        let mut brands = Vec::new();
        let mut fields: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for [name, tier, of_fields] in rows::<3>(include_str!("../../data/brands.tsv")) {
            let Some(tier) = Tier::parse(tier) else { continue };
            for field in of_fields.split(',') {
                fields.entry(field).or_default().push(brands.len());
            }
            brands.push(Brand { name, tier });
        }
        let (genders, seasons) = (facet("gender"), facet("season"));
        let (usages, years) = (facet("usage"), facet("year"));
        let names = |values: &[FacetValue]| values.iter().map(|value| value.value).collect();
        let gender = affinities("gender", names(&genders));
        let season = affinities("season", names(&seasons));
        let usage = affinities("usage", names(&usages));
        let colour = affinities("colour", colours.iter().map(|colour| colour.name).collect());
        let pattern = affinities("pattern", Pattern::ALL.iter().map(|p| p.name()).collect());
        let articles = rows::<13>(include_str!("../../data/articles.tsv"))
            .filter_map(|row| {
                let (drawing, drawing_for_women) = match row[5].split_once('/') {
                    Some((drawing, women)) => (drawing, Some(women)),
                    None => (row[5], None),
                };
                Some(Article {
                    article_type: row[0],
                    sub_category: row[1],
                    master_category: row[2],
                    products: row[3].parse().ok()?,
                    noun: row[4],
                    drawing,
                    drawing_for_women,
                    gender: gender.get(row[6])?,
                    usage: usage.get(row[7])?,
                    season: season.get(row[8])?,
                    colour: colour.get(row[9])?,
                    pattern: pattern.get(row[10])?,
                    price: parse_price(row[11])?,
                    brands: fields.get(row[12])?.clone(),
                })
            })
            .collect();
        Self { articles, colours, brands, genders, seasons, usages, years }
    }

    /// The place of a gender.
    pub fn gender(&self, name: &str) -> Option<usize> {
        self.genders.iter().position(|gender| gender.value == name)
    }
}

/// The profiles of a facet: for each, the affinity to every value in the values' order. `*` in
/// the table stands for the values that a profile does not name.
fn affinities(facet: &str, values: Vec<&str>) -> BTreeMap<&'static str, &'static [f64]> {
    let mut profiles: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for [of_facet, profile, value, weight] in rows::<4>(include_str!("../../data/affinities.tsv")) {
        let Ok(weight) = weight.parse::<f64>() else { continue };
        if of_facet != facet {
            continue;
        }
        let weights = profiles.entry(profile).or_insert_with(|| vec![0.0; values.len()]);
        for (slot, name) in weights.iter_mut().zip(&values) {
            if value == "*" || value == *name {
                *slot = weight;
            }
        }
    }
    // Read once for the life of the process, and shared by the articles.
    profiles.into_iter().map(|(name, weights)| (name, &*weights.leak())).collect()
}

fn parse_srgb(text: &str) -> Option<[u8; 3]> {
    let part = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    Some([part(0)?, part(2)?, part(4)?])
}

fn parse_price(text: &str) -> Option<(f64, f64, f64)> {
    let mut parts = text.split('-').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_tables_are_read_whole() {
        let reference = &*REFERENCE;
        let subs: BTreeSet<&str> = reference.articles.iter().map(|a| a.sub_category).collect();
        assert_eq!((reference.articles.len(), subs.len()), (143, 45));
        assert_eq!((reference.colours.len(), reference.brands.len()), (46, 100));
        let lines = |table: &str| table.lines().count() - 1;
        assert_eq!(lines(include_str!("../../data/articles.tsv")), 143);
        assert_eq!(lines(include_str!("../../data/brands.tsv")), 100);
    }

    #[test]
    fn every_facet_covers_the_whole_catalogue() {
        let reference = &*REFERENCE;
        let total = |values: &[FacetValue]| values.iter().map(|value| value.products).sum::<u32>();
        let articles: u32 = reference.articles.iter().map(|article| article.products).sum();
        let colours: u32 = reference.colours.iter().map(|colour| colour.products).sum();
        assert_eq!((articles, colours), (44_424, 44_424));
        for facet in [&reference.genders, &reference.seasons, &reference.usages, &reference.years] {
            assert_eq!(total(facet), 44_424);
        }
    }
}
