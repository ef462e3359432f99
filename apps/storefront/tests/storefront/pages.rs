//! The web pages, as a browser gets them.

use axum::http::StatusCode;

use crate::{database::TestDatabase, items::invent, shop::TestShop};

/// Largest page with its style and script, uncompressed and without pictures.
const PAGE_MOST: usize = 50 * 1024;

async fn text(shop: &TestShop, path: &str) -> String {
    let response = shop.get(path).await;
    assert_eq!(response.status, StatusCode::OK, "{path}");
    assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
    response.text()
}

/// The addresses of all links, scripts, styles and pictures.
fn addresses(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in [" href=\"", " src=\""] {
        for part in page.split(attribute).skip(1) {
            found.push(part.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&"));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_a_page_links_to_is_there() {
    let database = TestDatabase::with_items(&invent(120)).await;
    database.create_freshness(5).await;
    let shop = TestShop::open(&database.settings()).await;
    let mut checked = std::collections::HashSet::new();
    for page in [
        "/",
        "/catalogue",
        "/catalogue?gender=Women&base_color=Red&min_price=10&page_size=2&page=2",
        "/product/9000",
    ] {
        let page = text(&shop, page).await;
        for address in addresses(&page) {
            assert!(address.starts_with('/') || address.starts_with('#'), "{address} leads elsewhere");
            if let Some(id) = address.strip_prefix('#') {
                assert!(page.contains(&format!("id=\"{id}\"")), "{address}");
            } else if checked.insert(address.clone()) {
                assert_eq!(shop.get(&address).await.status, StatusCode::OK, "{address}");
            }
        }
    }
    assert!(checked.len() > 60, "{}", checked.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_say_how_fresh_they_are_how_long_it_took_and_from_where() {
    let database = TestDatabase::with_items(&invent(30)).await;
    database.create_freshness(5).await;
    let shop = TestShop::open(&database.settings()).await;
    for path in ["/", "/catalogue", "/product/9000"] {
        let page = text(&shop, path).await;
        for part in [
            "ecom.fashion_demo.productsdb",
            "version 5",
            "2026-03-01T10:00:00",
            "ago</time>",
            "query ",
            " ms",
        ] {
            assert!(page.contains(part), "{path} lacks {part}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalogue_shows_what_was_asked_for() {
    let items = invent(120);
    let database = TestDatabase::with_items(&items).await;
    let shop = TestShop::open(&database.settings()).await;
    let page = text(&shop, "/catalogue?gender=Women&min_price=&max_price=&sort=price.DESC").await;
    let women: Vec<_> = items.iter().filter(|item| item.gender == "Women").collect();
    assert!(page.contains(&format!("{} products", women.len())), "{page}");
    let dearest = women.iter().max_by(|a, b| a.price.total_cmp(&b.price)).unwrap();
    let first = page.split("class=\"grid\"").nth(1).unwrap().split("</li>").next().unwrap();
    assert!(first.contains(&format!("/product/{}\"", dearest.id)), "{first}");
    assert!(page.contains("value=\"Women\" checked"));
    assert!(page.contains("value=\"price.DESC\" selected"));
    let nothing = text(&shop, "/catalogue?q=zzz").await;
    assert!(nothing.contains("No product meets all of these filters."));
    let beyond = text(&shop, "/catalogue?page=99").await;
    assert!(beyond.contains("The catalogue has fewer pages than that."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_page_shows_all_that_is_known() {
    let items = invent(120);
    let database = TestDatabase::with_items(&items).await;
    let shop = TestShop::open(&database.settings()).await;
    let item = &items[0];
    let page = text(&shop, &format!("/product/{}", item.id)).await;
    let name = item.name.replace('\'', "&#39;");
    for part in [&name, item.gender, item.article_type, item.base_color, item.season, item.usage] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains(&format!("${:.2}", item.price)));
    assert!(page.contains(&format!("More {}", item.article_type)));
    let absent = shop.get("/product/none").await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    assert!(absent.text().contains("Product none not found"));
    let nowhere = shop.get("/nowhere").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    assert!(nowhere.text().contains("There is nothing at /nowhere."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_small_strict_and_compressed() {
    let database = TestDatabase::with_items(&invent(400)).await;
    let shop = TestShop::open(&database.settings()).await;
    for path in ["/", "/catalogue", "/catalogue?master_category=Apparel", "/product/9000", "/nowhere"] {
        let response = shop.get(path).await;
        let policy = response.header("content-security-policy").to_owned();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        let page = response.text();
        assert!(!page.contains(" style=") && !page.contains("<style"), "{path}");
        assert!(
            !page.contains(" onerror=") && !page.contains(" onclick=") && !page.contains("javascript:"),
            "{path}"
        );
        let mut size = page.len();
        for address in addresses(&page).iter().filter(|address| address.contains("/assets/store.")) {
            size += shop.get(address).await.text().len();
        }
        assert!(size < PAGE_MOST, "{path}: {size}");
        for part in
            ["<html lang=\"en\">", "<main id=\"main\"", "class=\"skip\" href=\"#main\"", "<h1", "<title>"]
        {
            assert!(page.contains(part), "{path} lacks {part}");
        }
        let compressed = shop.ask("GET", path, &[("accept-encoding", "gzip")]).await;
        if page.len() > 5000 {
            assert_eq!(compressed.header("content-encoding"), "gzip", "{path}");
            assert!(compressed.body.len() < page.len() / 2);
        }
    }
}
