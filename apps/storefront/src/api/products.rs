//! Products: a page, one, and the values to filter by.

use std::fmt;

use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiError,
    answer::{json, with_provenance},
    error::Problem,
    parameters::{Violations, read_page_request},
};
use crate::{
    products::{Page, Product, Value},
    shop::Shop,
};

/// Body of a page of products.
#[derive(Serialize, ToSchema)]
pub struct ProductPage<'a> {
    /// The products of this page.
    #[schema(value_type = Vec<Product>)]
    products: Listed<'a>,
    /// Products that meet the filters, on all pages.
    total: i64,
    /// This page, from 1.
    page: i64,
    /// Products per page.
    page_size: i64,
    /// There are products after this page.
    has_more: bool,
}

/// Writes the products straight from the rows.
struct Listed<'a>(&'a Page);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.products())
    }
}

/// The parameters of a page, for the documentation; they are read by [`read_page_request`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct PageParameters {
    /// Page, from 1.
    #[param(minimum = 1, default = 1)]
    page: Option<i64>,
    /// Products per page.
    #[param(minimum = 1, maximum = 100, default = 24)]
    page_size: Option<i64>,
    /// One or more genders.
    gender: Option<Vec<String>>,
    /// One or more master categories.
    master_category: Option<Vec<String>>,
    /// One or more sub-categories.
    sub_category: Option<Vec<String>>,
    /// One or more article types.
    article_type: Option<Vec<String>>,
    /// One or more colours.
    base_color: Option<Vec<String>>,
    /// One or more seasons.
    season: Option<Vec<String>>,
    /// One or more usages.
    usage: Option<Vec<String>>,
    /// Least price.
    min_price: Option<f64>,
    /// Greatest price.
    max_price: Option<f64>,
    /// Words that the name must contain, in any case and order.
    #[param(max_length = 200)]
    q: Option<String>,
    /// A product column to sort by; ties are in the order of the key.
    #[param(default = "product_display_name")]
    sort_by: Option<String>,
    /// `ASC` or `DESC`, in any case. NULL counts as the greatest value.
    #[param(default = "ASC")]
    sort_order: Option<String>,
}

/// A page of the products that meet all filters.
#[utoipa::path(
    get,
    path = "/api/v1/products",
    tag = "products",
    operation_id = "list_products",
    params(PageParameters),
    responses(
        (status = 200, description = "The page", body = ProductPage),
        (status = 422, description = "A parameter is wrong; it is named", body = Violations),
        (status = 503, description = "The database or the table is not there", body = Problem),
    )
)]
pub async fn list(State(shop): State<Shop>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let sortable = shop.catalogue.columns().await?;
    let request = read_page_request(query.as_deref(), &sortable).map_err(ApiError::Parameters)?;
    let page = shop.catalogue.page(&request).await?;
    let body = ProductPage {
        products: Listed(&page),
        total: page.total,
        page: request.page,
        page_size: request.page_size,
        has_more: page.has_more,
    };
    Ok(with_provenance(json(StatusCode::OK, &body), page.freshness, page.took))
}

/// One product.
#[utoipa::path(
    get,
    path = "/api/v1/products/{product_id}",
    tag = "products",
    operation_id = "get_product",
    params(("product_id" = String, Path, description = "Key of the product")),
    responses(
        (status = 200, description = "The product", body = Product),
        (status = 404, description = "There is no such product; the message has its id", body = Problem),
        (status = 503, description = "The database or the table is not there", body = Problem),
    )
)]
pub async fn one(
    State(shop): State<Shop>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let one = shop.catalogue.product(&id).await?;
    let Some(product) = one.product() else {
        return Err(ApiError::NotFound(no_product(&id)));
    };
    Ok(with_provenance(json(StatusCode::OK, &product), one.freshness, one.took))
}

/// Says that there is no product with this id.
pub fn no_product(id: impl fmt::Display) -> String {
    format!("Product {id} not found")
}

/// Body of the values to filter by, each list in alphabetical order.
#[derive(Serialize, ToSchema)]
pub struct FilterOptions<'a> {
    /// Genders.
    genders: Vec<&'a str>,
    /// Master categories.
    master_categories: Vec<&'a str>,
    /// Sub-categories.
    sub_categories: Vec<&'a str>,
    /// Article types.
    article_types: Vec<&'a str>,
    /// Colours.
    colors: Vec<&'a str>,
    /// Seasons.
    seasons: Vec<&'a str>,
    /// Least and greatest price.
    price_range: PriceRange,
}

/// Least and greatest price; null when no product has one.
#[derive(Serialize, ToSchema)]
pub struct PriceRange {
    /// Least.
    min: Option<f64>,
    /// Greatest.
    max: Option<f64>,
}

/// The values that products can be filtered by.
#[utoipa::path(
    get,
    path = "/api/v1/products/filters/options",
    tag = "products",
    operation_id = "get_filter_options",
    responses(
        (status = 200, description = "The values", body = FilterOptions),
        (status = 503, description = "The database or the table is not there", body = Problem),
    )
)]
pub async fn options(State(shop): State<Shop>) -> Result<Response, ApiError> {
    let (facets, took) = shop.catalogue.facets().await?;
    let body = FilterOptions {
        genders: sorted(&facets.genders),
        master_categories: facets.names(|kind| &kind.master_category),
        sub_categories: facets.names(|kind| &kind.sub_category),
        article_types: facets.names(|kind| &kind.article_type),
        colors: sorted(&facets.colors),
        seasons: sorted(&facets.seasons),
        price_range: PriceRange { min: facets.prices.map(|p| p.0), max: facets.prices.map(|p| p.1) },
    };
    Ok(with_provenance(json(StatusCode::OK, &body), facets.freshness, took))
}

fn sorted(values: &[Value]) -> Vec<&str> {
    let mut names: Vec<_> = values.iter().map(|value| value.name.as_str()).collect();
    names.sort_unstable();
    names
}
