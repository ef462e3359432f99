//! The front page.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    card::Card,
    error::PageError,
    grouped,
    layout::{Layout, Provenance, new_in},
    link, render,
};
use crate::{
    products::{Column, Facets, ImageUrl, PageRequest, SortOrder},
    shop::Shop,
};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    layout: Layout,
    products: String,
    new_in: String,
    collage: Vec<String>,
    categories: Vec<Tile>,
    popular: Vec<Chip>,
    cards: Vec<Card>,
}

struct Tile {
    name: String,
    products: String,
    href: String,
    image: Option<String>,
}

struct Chip {
    label: String,
    href: String,
}

/// Newest products shown.
const NEW_PRODUCTS: i64 = 12;

/// Categories shown: the small ones are found in the catalogue.
const CATEGORIES: usize = 4;

/// Article types shown.
const POPULAR: usize = 12;

/// Pictures beside the greeting; the template lays out exactly these.
const COLLAGE: usize = 4;

/// Greeting, categories, and what is new.
pub async fn home(State(shop): State<Shop>) -> Result<Response, PageError> {
    let (facets, counting) = shop.catalogue.facets().await?;
    let newest = PageRequest {
        page_size: NEW_PRODUCTS,
        sort_by: Column::IngestedAt,
        sort_order: SortOrder::Descending,
        ..PageRequest::default()
    };
    // A table without that column shows its first products by name.
    let sortable = shop.catalogue.columns().await?.contains(&Column::IngestedAt);
    let newest =
        if sortable { newest } else { PageRequest { page_size: NEW_PRODUCTS, ..Default::default() } };
    let page = shop.catalogue.page(&newest).await?;
    let provenance = Provenance::new(shop.catalogue.names(), page.freshness, page.took + counting);
    let home = HomePage {
        layout: Layout::new("/", &facets, provenance),
        products: grouped(facets.products),
        new_in: new_in(),
        collage: collage(&facets),
        categories: categories(&facets),
        popular: popular(&facets),
        cards: Card::all(page.products()),
    };
    Ok(render(StatusCode::OK, &home))
}

fn collage(facets: &Facets) -> Vec<String> {
    let mut shown: Vec<(&str, String)> = Vec::new();
    for kind in &facets.kinds {
        if shown.iter().any(|(sub_category, _)| *sub_category == kind.sub_category) {
            continue;
        }
        if let Some(image) = kind.image_path.as_deref().and_then(ImageUrl::new) {
            shown.push((&kind.sub_category, image.to_string()));
        }
        if shown.len() == COLLAGE {
            break;
        }
    }
    shown.into_iter().map(|(_, image)| image).collect()
}

fn categories(facets: &Facets) -> Vec<Tile> {
    let tile = |name: String, products: i64| {
        // Not the greatest kind, whose picture the greeting shows, where there is another.
        let mut pictures = facets.kinds.iter().filter(|kind| kind.master_category == name);
        let first = pictures.next();
        let image = pictures.next().or(first).and_then(|kind| kind.image_path.as_deref());
        Tile {
            href: link::filtered(&[(Column::MasterCategory, &name)]),
            products: grouped(products),
            image: image.and_then(ImageUrl::new).map(|url| url.to_string()),
            name,
        }
    };
    let values = facets.by_level(|kind| &kind.master_category);
    values.into_iter().take(CATEGORIES).map(|value| tile(value.name, value.products)).collect()
}

fn popular(facets: &Facets) -> Vec<Chip> {
    let values = facets.by_level(|kind| &kind.article_type);
    values
        .into_iter()
        .take(POPULAR)
        .map(|value| Chip { href: link::filtered(&[(Column::ArticleType, &value.name)]), label: value.name })
        .collect()
}
