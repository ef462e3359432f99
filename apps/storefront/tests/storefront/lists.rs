//! Pages of products: every filter, sort and page against a naive computation.

use serde_json::Value;

use crate::{
    database::TestDatabase,
    items::{Item, invent},
    shop::TestShop,
};

/// Columns that can be sorted by: all.
const COLUMNS: [&str; 13] = [
    "product_id",
    "gender",
    "master_category",
    "sub_category",
    "article_type",
    "base_color",
    "season",
    "year",
    "usage",
    "product_display_name",
    "price",
    "image_path",
    "ingested_at",
];

/// Filters as `name`, `value`; several of one name allow several values.
type Filter = &'static [(&'static str, &'static str)];

const FILTERS: [Filter; 24] = [
    &[],
    &[("gender", "Men")],
    &[("gender", "Men"), ("gender", "Women")],
    &[("master_category", "Apparel")],
    &[("sub_category", "Topwear")],
    &[("article_type", "Casual Shoes")],
    &[("base_color", "Navy Blue")],
    &[("base_color", "Navy Blue"), ("base_color", "Red"), ("base_color", "Red")],
    &[("season", "Winter")],
    &[("usage", "Formal")],
    &[("min_price", "50")],
    &[("max_price", "49.99")],
    &[("min_price", "20"), ("max_price", "1e2")],
    &[("min_price", "100"), ("max_price", "10")],
    &[("q", "shirts")],
    &[("q", "navy SHIRTS")],
    &[("q", "o'neil")],
    &[("q", "50%")],
    &[("q", "under_score")],
    &[("q", "%")],
    &[("q", "\\")],
    &[("gender", "Nobody")],
    &[("gender", ""), ("q", "")],
    &[
        ("gender", "Men"),
        ("gender", "Unisex"),
        ("master_category", "Apparel"),
        ("season", "Summer"),
        ("season", "Fall"),
        ("usage", "Casual"),
        ("min_price", "10"),
        ("max_price", "150"),
        ("q", "black"),
    ],
];

fn wanted(items: &[Item], filter: Filter) -> Vec<&Item> {
    let meets = |item: &Item, name: &str| {
        let values: Vec<_> =
            filter.iter().filter(|(n, v)| *n == name && !v.is_empty()).map(|(_, v)| *v).collect();
        match name {
            "min_price" => values.iter().all(|value| item.price >= value.parse().unwrap()),
            "max_price" => values.iter().all(|value| item.price <= value.parse().unwrap()),
            "q" => values.iter().all(|value| {
                value.split_whitespace().all(|word| item.name.to_lowercase().contains(&word.to_lowercase()))
            }),
            column => values.is_empty() || values.contains(&item.text(column)),
        }
    };
    items.iter().filter(|item| filter.iter().all(|(name, _)| meets(item, name))).collect()
}

fn address(filter: Filter, rest: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(filter);
    query.extend_pairs(rest);
    format!("/api/v1/products?{}", query.finish())
}

#[track_caller]
fn check(answer: &Value, sorted: &[&Item], page: usize, page_size: usize, address: &str) {
    let start = ((page - 1) * page_size).min(sorted.len());
    let end = (start + page_size).min(sorted.len());
    let expected: Vec<_> = sorted[start..end].iter().map(|item| item.as_answer()).collect();
    assert_eq!(answer["products"], Value::Array(expected), "{address}");
    assert_eq!(answer["total"], sorted.len(), "{address}");
    assert_eq!(answer["page"], page, "{address}");
    assert_eq!(answer["page_size"], page_size, "{address}");
    assert_eq!(answer["has_more"], end < sorted.len(), "{address}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_gives_what_it_says_on_every_page() {
    let items = invent(400);
    let database = TestDatabase::with_items(&items).await;
    let shop = TestShop::open(&database.settings()).await;
    for filter in FILTERS {
        let mut sorted = wanted(&items, filter);
        sorted.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
        let first = address(filter, &[]);
        check(&shop.ok(&first).await, &sorted, 1, 24, &first);
        for (page, page_size) in [(1, 1), (2, 24), (3, 7), (1, 100), (5, 100), (400, 1), (1_000_000, 100)] {
            let parameters = [("page", page.to_string()), ("page_size", page_size.to_string())];
            let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let address = address(filter, &parameters);
            check(&shop.ok(&address).await, &sorted, page, page_size, &address);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_sorts_both_ways_with_ties_by_key() {
    let items = invent(150);
    let database = TestDatabase::with_items(&items).await;
    let shop = TestShop::open(&database.settings()).await;
    for column in COLUMNS {
        for order in ["ASC", "DESC", "asc", "Desc"] {
            for filter in [FILTERS[0], FILTERS[2]] {
                let mut sorted = wanted(&items, filter);
                sorted.sort_by(|a, b| {
                    let by_column = a.compare(b, column);
                    let by_column =
                        if order.eq_ignore_ascii_case("desc") { by_column.reverse() } else { by_column };
                    by_column.then(a.id.cmp(&b.id))
                });
                let rest = [("sort_by", column), ("sort_order", order), ("page", "2"), ("page_size", "20")];
                let address = address(filter, &rest);
                check(&shop.ok(&address).await, &sorted, 2, 20, &address);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_are_the_values_there_are() {
    let items = invent(200);
    let database = TestDatabase::with_items(&items).await;
    let nameless = "INSERT INTO fashion_demo.productsdb (product_id, price, product_display_name) VALUES
        (1, 'NaN', 'no gender'), (2, NULL, 'no price')";
    database.run(nameless).await;
    let shop = TestShop::open(&database.settings()).await;
    let options = shop.ok("/api/v1/products/filters/options").await;
    for (list, column) in [
        ("genders", "gender"),
        ("master_categories", "master_category"),
        ("sub_categories", "sub_category"),
        ("article_types", "article_type"),
        ("colors", "base_color"),
        ("seasons", "season"),
    ] {
        let mut values: Vec<_> = items.iter().map(|item| item.text(column)).collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(options[list], serde_json::json!(values), "{list}");
    }
    let prices = items.iter().map(|item| item.price);
    assert_eq!(options["price_range"]["min"], prices.clone().fold(f64::MAX, f64::min));
    assert_eq!(options["price_range"]["max"], prices.fold(f64::MIN, f64::max));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_table_is_an_empty_page() {
    let database = TestDatabase::with_items(&[]).await;
    let shop = TestShop::open(&database.settings()).await;
    let expected =
        serde_json::json!({"products": [], "total": 0, "page": 1, "page_size": 24, "has_more": false});
    assert_eq!(shop.ok("/api/v1/products").await, expected);
    let options = shop.ok("/api/v1/products/filters/options").await;
    assert_eq!(options["genders"], serde_json::json!([]));
    assert_eq!(options["price_range"], serde_json::json!({"min": null, "max": null}));
    assert!(shop.get("/").await.status.is_success());
}
