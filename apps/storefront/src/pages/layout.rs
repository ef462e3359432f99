//! What all pages share: navigation, search box, and where the data comes from.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{assets, link};
use crate::{
    products::{Column, Facets, Freshness, PageRequest, SortOrder},
    settings::TableNames,
};

/// The frame of a page.
pub struct Layout {
    /// Style sheet.
    pub css: &'static str,
    /// Script.
    pub js: &'static str,
    /// Navigation.
    pub nav: Vec<NavLink>,
    /// Text in the search box.
    pub q: String,
    /// Where the data comes from; absent when there is none.
    pub provenance: Option<Provenance>,
}

/// A link of the navigation.
pub struct NavLink {
    /// Its text.
    pub label: &'static str,
    /// Its address.
    pub href: String,
    /// It is the page shown.
    pub current: bool,
}

/// Where the data of a page comes from, how fresh it is, and how long it took.
pub struct Provenance {
    /// Three-part name of the table.
    pub table: String,
    /// Version of the source.
    pub version: Option<String>,
    /// How long ago it was committed, in words.
    pub age: Option<String>,
    /// When it was committed, ISO 8601.
    pub committed_at: String,
    /// Time that the query took, in words.
    pub query: String,
}

impl Layout {
    /// A frame without data, for errors.
    pub fn bare() -> Self {
        let nav = vec![NavLink { label: "Catalogue", href: link::CATALOGUE.to_owned(), current: false }];
        Self { css: assets::style(), js: assets::script(), nav, q: String::new(), provenance: None }
    }

    /// The frame of the page at `address`. Departments are those that have products.
    pub fn new(address: &str, facets: &Facets, provenance: Provenance) -> Self {
        let mut nav = Vec::new();
        for (label, genders) in
            [("Women", &["Women"] as &[&'static str]), ("Men", &["Men"]), ("Kids", &["Boys", "Girls"])]
        {
            let filters: Vec<_> = genders
                .iter()
                .filter(|gender| facets.genders.iter().any(|value| value.name == **gender))
                .map(|gender| (Column::Gender, *gender))
                .collect();
            if !filters.is_empty() {
                nav.push((label, link::filtered(&filters)));
            }
        }
        nav.push(("New in", new_in()));
        nav.push(("Catalogue", link::CATALOGUE.to_owned()));
        let nav =
            nav.into_iter().map(|(label, href)| NavLink { label, current: href == address, href }).collect();
        Self { nav, provenance: Some(provenance), ..Self::bare() }
    }
}

/// Address of the newest products.
pub fn new_in() -> String {
    link::catalogue(&PageRequest {
        sort_by: Column::IngestedAt,
        sort_order: SortOrder::Descending,
        ..PageRequest::default()
    })
}

impl Provenance {
    /// For data read from the products table.
    pub fn new(names: &TableNames, freshness: Option<Freshness>, took: Duration) -> Self {
        let committed_at = freshness.and_then(|freshness| freshness.committed_at);
        Self {
            table: names.products_name(),
            version: freshness.map(|freshness| freshness.version.to_string()),
            age: committed_at.map(|moment| ago(moment, Utc::now())),
            committed_at: committed_at.map(|moment| moment.to_rfc3339()).unwrap_or_default(),
            query: format!("{:.1} ms", took.as_secs_f64() * 1000.0),
        }
    }
}

fn ago(moment: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - moment).num_seconds();
    let (number, unit) = match seconds {
        ..1 => return "just now".to_owned(),
        1..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn ages_are_told_in_one_unit() {
        let now = Utc::now();
        let told = |seconds| ago(now - TimeDelta::seconds(seconds), now);
        assert_eq!(told(-5), "just now");
        assert_eq!(told(0), "just now");
        assert_eq!(told(1), "1 second ago");
        assert_eq!(told(59), "59 seconds ago");
        assert_eq!(told(3_599), "59 minutes ago");
        assert_eq!(told(7_200), "2 hours ago");
        assert_eq!(told(86_400 * 3), "3 days ago");
    }
}
