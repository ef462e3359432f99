//! The page of one product.

use askama::Template;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};

use super::{
    card::Card,
    error::PageError,
    layout::{Layout, Provenance},
    link, render,
};
use crate::{
    api::{ApiError, no_product},
    products::{Column, Product},
    shop::Shop,
};

#[derive(Template)]
#[template(path = "product.html")]
struct ProductPage {
    layout: Layout,
    card: Card,
    crumbs: Vec<Crumb>,
    facts: Vec<Fact>,
    article: String,
    all: String,
    cards: Vec<Card>,
}

struct Crumb {
    label: String,
    href: String,
}

struct Fact {
    label: &'static str,
    value: String,
    href: String,
}

/// Other products shown.
const RELATED: usize = 8;

/// Picture, facts, and more of the same kind.
pub async fn product(
    State(shop): State<Shop>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let Path(id) = id.map_err(ApiError::from)?;
    let one = shop.catalogue.product(&id).await?;
    let Some(product) = one.product() else {
        return Err(ApiError::NotFound(no_product(&id)).into());
    };
    let (facets, counting) = shop.catalogue.facets().await?;
    let related = shop.catalogue.related(&product, RELATED).await?;
    let took = one.took + related.took + counting;
    let provenance = Provenance::new(shop.catalogue.names(), one.freshness, took);
    let article = product.article_type.unwrap_or_default();
    let page = ProductPage {
        layout: Layout::new(&link::product(&id), &facets, provenance),
        card: Card::new(&product, 0),
        crumbs: crumbs(&product),
        facts: facts(&product),
        article: article.to_owned(),
        all: link::filtered(&[(Column::ArticleType, article)]),
        // They are below the product, so none is in view at once.
        cards: related.products().map(|product| Card { eager: false, ..Card::new(&product, 0) }).collect(),
    };
    Ok(render(StatusCode::OK, &page))
}

/// The way down to the product, each step narrower.
fn crumbs(product: &Product<'_>) -> Vec<Crumb> {
    let levels = [
        (Column::MasterCategory, product.master_category),
        (Column::SubCategory, product.sub_category),
        (Column::ArticleType, product.article_type),
    ];
    let mut path: Vec<(Column, &str)> = Vec::new();
    let mut crumbs = Vec::new();
    for (column, value) in levels {
        let Some(value) = value else { continue };
        path.push((column, value));
        let repeats = crumbs.last().is_some_and(|crumb: &Crumb| crumb.label == value);
        let crumb = Crumb { label: value.to_owned(), href: link::filtered(&path) };
        if repeats {
            crumbs.pop();
        }
        crumbs.push(crumb);
    }
    crumbs
}

fn facts(product: &Product<'_>) -> Vec<Fact> {
    let linked = |label, column, value: Option<&str>| {
        value.map(|value| Fact { label, value: value.to_owned(), href: link::filtered(&[(column, value)]) })
    };
    let plain = |label, value: Option<String>| value.map(|value| Fact { label, value, href: String::new() });
    [
        linked("For", Column::Gender, product.gender),
        linked("Article", Column::ArticleType, product.article_type),
        linked("Colour", Column::BaseColor, product.base_color),
        linked("Season", Column::Season, product.season),
        linked("Occasion", Column::Usage, product.usage),
        plain("Collection", product.year.map(|year| year.to_string())),
        plain("Added", product.ingested_at.map(|moment| moment.day())),
        plain("Product number", Some(product.product_id.to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect()
}
