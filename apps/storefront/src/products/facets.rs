//! What shoppers can filter by: the values of each facet, counted.

use std::collections::BTreeSet;

use tokio_postgres::Row;

use super::{
    Freshness,
    sql::{FRESHNESS_COLUMNS, FacetRow},
};

/// A value of a facet and the number of products that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The value.
    pub name: String,
    /// Products with it.
    pub products: i64,
}

/// A kind of product: category, sub-category and article type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Master category.
    pub master_category: String,
    /// Sub-category.
    pub sub_category: String,
    /// Article type.
    pub article_type: String,
    /// Products of this kind.
    pub products: i64,
    /// Picture of one of them.
    pub image_path: Option<String>,
}

/// The values of all facets, each list with the most frequent first.
#[derive(Debug, Clone, Default)]
pub struct Facets {
    /// Genders.
    pub genders: Vec<Value>,
    /// Kinds of products.
    pub kinds: Vec<Kind>,
    /// Colours.
    pub colors: Vec<Value>,
    /// Seasons.
    pub seasons: Vec<Value>,
    /// Usages.
    pub usages: Vec<Value>,
    /// Least and greatest price.
    pub prices: Option<(f64, f64)>,
    /// All products.
    pub products: i64,
    /// State of the table that was counted.
    pub freshness: Option<Freshness>,
}

impl Facets {
    /// From the rows of [`super::sql::facets`]. NULL is no value.
    pub(super) fn read(rows: &[Row]) -> Self {
        let mut facets = Self { freshness: rows.first().and_then(Freshness::read), ..Self::default() };
        for row in rows {
            facets.add(row);
        }
        for list in [&mut facets.genders, &mut facets.colors, &mut facets.seasons, &mut facets.usages] {
            list.sort_by(|a, b| b.products.cmp(&a.products).then_with(|| a.name.cmp(&b.name)));
        }
        facets
            .kinds
            .sort_by(|a, b| b.products.cmp(&a.products).then_with(|| a.article_type.cmp(&b.article_type)));
        facets
    }

    fn add(&mut self, row: &Row) {
        let at = FRESHNESS_COLUMNS;
        let text = |index: usize| row.get::<_, Option<String>>(at + index);
        let products: i64 = row.get(at + 8);
        let value = |index: usize| text(index).map(|name| Value { name, products });
        match row.get::<_, i32>(at) {
            FacetRow::GENDER => self.genders.extend(value(1)),
            FacetRow::KIND => {
                if let (Some(master_category), Some(sub_category), Some(article_type)) =
                    (text(2), text(3), text(4))
                {
                    let image_path =
                        text(11).and_then(|hashed| hashed.split_once(' ').map(|(_, path)| path.to_owned()));
                    self.kinds.push(Kind {
                        master_category,
                        sub_category,
                        article_type,
                        products,
                        image_path,
                    });
                }
            }
            FacetRow::COLOR => self.colors.extend(value(5)),
            FacetRow::SEASON => self.seasons.extend(value(6)),
            FacetRow::USAGE => self.usages.extend(value(7)),
            FacetRow::ALL => {
                self.products = products;
                self.prices = row.get::<_, Option<f64>>(at + 9).zip(row.get::<_, Option<f64>>(at + 10));
            }
            _ => {}
        }
    }

    /// Counts by one level of the kinds, most frequent first.
    pub fn by_level<'a>(&'a self, level: impl Fn(&'a Kind) -> &'a str) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for kind in &self.kinds {
            let name = level(kind);
            match values.iter_mut().find(|value| value.name == name) {
                Some(value) => value.products += kind.products,
                None => values.push(Value { name: name.to_owned(), products: kind.products }),
            }
        }
        values.sort_by(|a, b| b.products.cmp(&a.products).then_with(|| a.name.cmp(&b.name)));
        values
    }

    /// The distinct values of one level of the kinds, in alphabetical order.
    pub fn names<'a>(&'a self, level: impl Fn(&'a Kind) -> &'a str) -> Vec<&'a str> {
        self.kinds.iter().map(level).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
