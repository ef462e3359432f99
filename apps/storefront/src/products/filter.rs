//! Which products are wanted.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use super::Column;

/// Conditions that a product has to meet, all of them. They are equal whatever the order in which values were
/// given, so that they share one count; words keep their order, because people see them again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filters {
    any_of: BTreeMap<Column, Vec<String>>,
    least_price: Option<Amount>,
    most_price: Option<Amount>,
    words: Vec<String>,
}

impl Filters {
    /// The column must have this value, or another one added for it.
    pub fn add(&mut self, column: Column, value: impl Into<String>) {
        let values = self.any_of.entry(column).or_default();
        let value = value.into();
        if let Err(place) = values.binary_search(&value) {
            values.insert(place, value);
        }
    }

    /// The price must be at least this. Must be finite.
    pub fn set_least_price(&mut self, price: f64) {
        self.least_price = Some(Amount::new(price));
    }

    /// The price must be at most this. Must be finite.
    pub fn set_most_price(&mut self, price: f64) {
        self.most_price = Some(Amount::new(price));
    }

    /// The name must contain each word of the text, in any case and order.
    pub fn set_text(&mut self, text: &str) {
        self.words = text.split_whitespace().map(str::to_owned).collect();
        let mut seen = std::collections::HashSet::new();
        self.words.retain(|word| seen.insert(word.clone()));
    }

    /// Columns with the values that are allowed, in the order of the table.
    pub fn any_of(&self) -> impl Iterator<Item = (Column, &[String])> {
        self.any_of.iter().map(|(column, values)| (*column, values.as_slice()))
    }

    /// Values allowed for a column; empty when any is.
    pub fn values(&self, column: Column) -> &[String] {
        self.any_of.get(&column).map_or(&[], Vec::as_slice)
    }

    /// Least price.
    pub fn least_price(&self) -> Option<f64> {
        self.least_price.as_ref().map(|amount| amount.0)
    }

    /// Greatest price.
    pub fn most_price(&self) -> Option<f64> {
        self.most_price.as_ref().map(|amount| amount.0)
    }

    /// Words that the name must contain.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The same without one value of a column.
    #[must_use]
    pub fn without(&self, column: Column, value: &str) -> Self {
        let mut rest = self.clone();
        if let Some(values) = rest.any_of.get_mut(&column) {
            values.retain(|kept| kept != value);
            if values.is_empty() {
                rest.any_of.remove(&column);
            }
        }
        rest
    }

    /// The same for any price.
    #[must_use]
    pub fn without_prices(&self) -> Self {
        Self { least_price: None, most_price: None, ..self.clone() }
    }

    /// The same for any name.
    #[must_use]
    pub fn without_text(&self) -> Self {
        Self { words: Vec::new(), ..self.clone() }
    }
}

/// A finite number that can be compared and hashed; both zeros are one.
#[derive(Debug, Clone, Copy)]
struct Amount(f64);

impl Amount {
    fn new(value: f64) -> Self {
        Self(if value == 0.0 { 0.0 } else { value })
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Amount {}

impl Hash for Amount {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_repetition_of_values_do_not_matter() {
        let mut one = Filters::default();
        one.add(Column::Gender, "Women");
        one.add(Column::Gender, "Men");
        one.add(Column::Gender, "Women");
        one.set_text("  blue   shirt blue");
        one.set_least_price(-0.0);
        let mut other = Filters::default();
        other.set_least_price(0.0);
        other.set_text("blue shirt");
        other.add(Column::Gender, "Men");
        other.add(Column::Gender, "Women");
        assert_eq!(one, other);
        assert_eq!(one.values(Column::Gender), ["Men", "Women"]);
    }
}
