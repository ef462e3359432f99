//! The links to other pages of a list.

use super::link;
use crate::products::PageRequest;

/// A link to a page; without an address it stands for the pages left out.
pub struct PageLink {
    /// The page's number.
    pub label: String,
    /// Its address.
    pub href: String,
    /// It is the page shown.
    pub current: bool,
}

/// Links to the first, the last, and those around the page shown. Empty when there is one page.
pub fn page_links(request: &PageRequest, total: i64) -> Vec<PageLink> {
    let last = last_page(request, total);
    if last < 2 {
        return Vec::new();
    }
    let mut links = Vec::new();
    let mut before = 0;
    for page in 1..=last.min(i64::from(u32::MAX)) {
        let near = (page - request.page).abs() <= 1;
        if page != 1 && page != last && !near {
            continue;
        }
        if page > before + 1 {
            links.push(PageLink { label: String::new(), href: String::new(), current: false });
        }
        let href = link::catalogue(&PageRequest { page, ..request.clone() });
        links.push(PageLink { label: page.to_string(), href, current: page == request.page });
        before = page;
    }
    links
}

/// Number of the last page that has products.
pub fn last_page(request: &PageRequest, total: i64) -> i64 {
    (total + request.page_size - 1) / request.page_size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(page: i64, total: i64) -> String {
        let request = PageRequest { page, page_size: 10, ..PageRequest::default() };
        let links = page_links(&request, total);
        let label = |link: &PageLink| match (link.href.is_empty(), link.current) {
            (true, _) => "…".to_owned(),
            (_, true) => format!("[{}]", link.label),
            _ => link.label.clone(),
        };
        links.iter().map(label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn far_pages_are_left_out() {
        assert_eq!(labels(1, 10), "");
        assert_eq!(labels(1, 11), "[1] 2");
        assert_eq!(labels(1, 995), "[1] 2 … 100");
        assert_eq!(labels(50, 995), "1 … 49 [50] 51 … 100");
        assert_eq!(labels(100, 995), "1 … 99 [100]");
        assert_eq!(labels(200, 995), "1 … 100");
    }
}
