//! The catalogue: filters, sort, a page of products.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use form_urlencoded::{Serializer, parse};

use super::{
    card::Card,
    error::PageError,
    filter_panel::{Group, groups},
    grouped,
    layout::{Layout, Provenance},
    link,
    paging::{PageLink, last_page, page_links},
    render,
};
use crate::{
    api::read_page_request,
    products::{Column, Filters, PageRequest, SortOrder},
    shop::Shop,
};

#[derive(Template)]
#[template(path = "catalogue.html")]
struct CataloguePage {
    layout: Layout,
    heading: String,
    total: String,
    page: i64,
    groups: Vec<Group>,
    least: String,
    most: String,
    least_hint: String,
    most_hint: String,
    sorts: Vec<Sort>,
    chips: Vec<Chip>,
    cards: Vec<Card>,
    pages: Vec<PageLink>,
    previous: Option<String>,
    next: Option<String>,
    back: String,
}

struct Sort {
    value: String,
    label: &'static str,
    chosen: bool,
}

struct Chip {
    label: String,
    href: String,
}

/// The sorts that are offered.
const SORTS: [(Column, SortOrder, &str); 6] = [
    (Column::ProductDisplayName, SortOrder::Ascending, "Name, A to Z"),
    (Column::ProductDisplayName, SortOrder::Descending, "Name, Z to A"),
    (Column::Price, SortOrder::Ascending, "Price, low to high"),
    (Column::Price, SortOrder::Descending, "Price, high to low"),
    (Column::IngestedAt, SortOrder::Descending, "Newest in the shop"),
    (Column::Year, SortOrder::Descending, "Latest collection"),
];

/// A page of the catalogue.
pub async fn catalogue(State(shop): State<Shop>, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    let sortable = shop.catalogue.columns().await?;
    let request = read_page_request(Some(&as_api(query.as_deref().unwrap_or_default())), &sortable)?;
    let (facets, counting) = shop.catalogue.facets().await?;
    let page = shop.catalogue.page(&request).await?;
    let provenance = Provenance::new(shop.catalogue.names(), page.freshness, page.took + counting);
    let at = |page| link::catalogue(&PageRequest { page, ..request.clone() });
    let price = |price: Option<f64>| price.map(|price| price.to_string()).unwrap_or_default();
    let mut layout = Layout::new(&at(1), &facets, provenance);
    layout.q = request.filters.words().join(" ");
    let last = last_page(&request, page.total);
    let view = CataloguePage {
        layout,
        heading: heading(&request),
        total: grouped(page.total),
        page: request.page,
        groups: groups(&facets, &request.filters),
        least: price(request.filters.least_price()),
        most: price(request.filters.most_price()),
        least_hint: price(facets.prices.map(|prices| prices.0.floor())),
        most_hint: price(facets.prices.map(|prices| prices.1.ceil())),
        sorts: sorts(&request, &sortable),
        chips: chips(&request),
        cards: Card::all(page.products()),
        pages: page_links(&request, page.total),
        previous: (request.page > 1 && request.page - 1 <= last).then(|| at(request.page - 1)),
        next: page.has_more.then(|| at(request.page + 1)),
        back: if request.page > 1 { at(1) } else { link::CATALOGUE.to_owned() },
    };
    Ok(render(StatusCode::OK, &view))
}

/// The form's parameters as the API has them: empty fields mean nothing, and one field holds the whole sort.
fn as_api(query: &str) -> String {
    let mut api = Serializer::new(String::new());
    for (name, value) in parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
        match (name.as_ref(), value.split_once('.')) {
            ("sort", Some((by, order))) => {
                api.append_pair("sort_by", by).append_pair("sort_order", order);
            }
            ("sort", None) => {
                api.append_pair("sort_by", &value);
            }
            _ => {
                api.append_pair(&name, &value);
            }
        }
    }
    api.finish()
}

/// What the list is, in a few words.
fn heading(request: &PageRequest) -> String {
    let filters = &request.filters;
    if !filters.words().is_empty() {
        return format!("Results for “{}”", filters.words().join(" "));
    }
    let only = |column| match filters.values(column) {
        [value] => Some(value.as_str()),
        _ => None,
    };
    let kind = [Column::ArticleType, Column::SubCategory, Column::MasterCategory].into_iter().find_map(only);
    match (only(Column::Gender), kind) {
        (Some(gender), Some(kind)) => format!("{kind} for {gender}"),
        (None, Some(kind)) => kind.to_owned(),
        (Some(gender), None) => gender.to_owned(),
        (None, None) => "Catalogue".to_owned(),
    }
}

fn sorts(request: &PageRequest, sortable: &[Column]) -> Vec<Sort> {
    let value = |by: Column, order: SortOrder| format!("{}.{}", by.name(), order.name());
    let mut sorts: Vec<_> = SORTS
        .into_iter()
        .filter(|(by, ..)| sortable.contains(by))
        .map(|(by, order, label)| Sort {
            value: value(by, order),
            label,
            chosen: (by, order) == (request.sort_by, request.sort_order),
        })
        .collect();
    if sorts.iter().all(|sort| !sort.chosen) {
        let value = value(request.sort_by, request.sort_order);
        sorts.push(Sort { value, label: "As in the address", chosen: true });
    }
    sorts
}

/// What is chosen, each with the address without it.
fn chips(request: &PageRequest) -> Vec<Chip> {
    let filters = &request.filters;
    let mut chips = Vec::new();
    let mut push = |label: String, rest: Filters| {
        chips.push(Chip { label, href: link::with_filters(request, rest) });
    };
    if !filters.words().is_empty() {
        push(format!("“{}”", filters.words().join(" ")), filters.without_text());
    }
    for (column, values) in filters.any_of() {
        for value in values {
            push(value.clone(), filters.without(column, value));
        }
    }
    match (filters.least_price(), filters.most_price()) {
        (Some(least), Some(most)) => push(format!("${least} to ${most}"), filters.without_prices()),
        (Some(least), None) => push(format!("From ${least}"), filters.without_prices()),
        (None, Some(most)) => push(format!("Up to ${most}"), filters.without_prices()),
        (None, None) => {}
    }
    chips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_speaks_the_language_of_the_api() {
        assert_eq!(
            as_api("min_price=&q=&gender=Men&sort=price.DESC&gender=Women"),
            "gender=Men&sort_by=price&sort_order=DESC&gender=Women"
        );
    }

    #[test]
    fn a_heading_says_what_the_list_is() {
        let mut request = PageRequest::default();
        assert_eq!(heading(&request), "Catalogue");
        request.filters.add(Column::Gender, "Women");
        assert_eq!(heading(&request), "Women");
        request.filters.add(Column::MasterCategory, "Footwear");
        request.filters.add(Column::ArticleType, "Heels");
        assert_eq!(heading(&request), "Heels for Women");
        request.filters.add(Column::ArticleType, "Flats");
        assert_eq!(heading(&request), "Footwear for Women");
        request.filters.set_text("red");
        assert_eq!(heading(&request), "Results for “red”");
    }
}
