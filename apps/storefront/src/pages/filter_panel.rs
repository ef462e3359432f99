//! The filters beside the catalogue.

use super::{card::color_class, grouped};
use crate::products::{Column, Facets, Filters, Kind, Value};

/// One group of choices.
pub struct Group {
    /// What they are about.
    pub legend: &'static str,
    /// Name of the parameter.
    pub parameter: &'static str,
    /// They are shown at once.
    pub open: bool,
    /// They are colours.
    pub colors: bool,
    /// How many are chosen.
    pub chosen: usize,
    /// The choices.
    pub options: Vec<Choice>,
    /// How many are left out.
    pub more: usize,
}

/// One choice.
pub struct Choice {
    /// Value of the parameter, which is also its text.
    pub value: String,
    /// Products that have it.
    pub products: String,
    /// It is chosen.
    pub chosen: bool,
    /// Style class of the colour.
    pub color_class: String,
}

/// Most choices of one group. A phone should not load a hundred that hardly anybody picks.
const CHOICES: usize = 24;

/// Most colours; all usual ones fit.
const COLORS: usize = 60;

/// A level of the kinds: its column, and its value in a kind.
type Level = (Column, fn(&Kind) -> &str);

/// The groups, with what is chosen. Sub-categories and article types are those of the chosen categories.
pub fn groups(facets: &Facets, filters: &Filters) -> Vec<Group> {
    let master: Level = (Column::MasterCategory, |kind| &kind.master_category);
    let sub: Level = (Column::SubCategory, |kind| &kind.sub_category);
    let narrowed = |levels: &[Level]| Facets {
        kinds: facets.kinds.iter().filter(|kind| is_within(kind, levels, filters)).cloned().collect(),
        ..Facets::default()
    };
    let subs = narrowed(&[master]).by_level(|kind| &kind.sub_category);
    let articles = narrowed(&[master, sub]).by_level(|kind| &kind.article_type);
    let masters = facets.by_level(|kind| &kind.master_category);
    [
        group("For", Column::Gender, &facets.genders, filters, true),
        group("Category", Column::MasterCategory, &masters, filters, true),
        group("Sub-category", Column::SubCategory, &subs, filters, !filters.values(master.0).is_empty()),
        group("Article", Column::ArticleType, &articles, filters, !filters.values(sub.0).is_empty()),
        group("Colour", Column::BaseColor, &facets.colors, filters, true),
        group("Season", Column::Season, &facets.seasons, filters, false),
        group("Occasion", Column::Usage, &facets.usages, filters, false),
    ]
    .into_iter()
    .filter(|group| !group.options.is_empty())
    .collect()
}

/// Whether the kind is among what is chosen on these levels.
fn is_within(kind: &Kind, levels: &[Level], filters: &Filters) -> bool {
    levels.iter().all(|(column, value_of)| {
        let chosen = filters.values(*column);
        chosen.is_empty() || chosen.iter().any(|value| value == value_of(kind))
    })
}

fn group(legend: &'static str, column: Column, values: &[Value], filters: &Filters, open: bool) -> Group {
    let colors = column == Column::BaseColor;
    let most = if colors { COLORS } else { CHOICES };
    let chosen = filters.values(column);
    let choice = |value: &Value| Choice {
        value: value.name.clone(),
        products: grouped(value.products),
        chosen: chosen.contains(&value.name),
        color_class: if colors { color_class(&value.name) } else { String::new() },
    };
    let mut options: Vec<_> = values.iter().take(most).map(choice).collect();
    options.extend(values.iter().skip(most).filter(|value| chosen.contains(&value.name)).map(choice));
    // What is chosen must stay in the form, also where no product has it.
    for value in chosen {
        if options.iter().all(|option| option.value != *value) {
            options.push(choice(&Value { name: value.clone(), products: 0 }));
        }
    }
    Group {
        legend,
        parameter: column.name(),
        open: open || !chosen.is_empty(),
        colors,
        chosen: chosen.len(),
        more: values.len().saturating_sub(options.len()),
        options,
    }
}
