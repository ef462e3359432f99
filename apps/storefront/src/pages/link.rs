//! Addresses of the catalogue with filters, sort and page.

use form_urlencoded::Serializer;

use crate::products::{Column, Filters, PAGE_SIZE_DEFAULT, PageRequest};

/// The catalogue's address.
pub const CATALOGUE: &str = "/catalogue";

/// Address of a request; what is at its default is left out.
pub fn catalogue(request: &PageRequest) -> String {
    let standard = PageRequest::default();
    let mut query = Serializer::new(String::new());
    let words = request.filters.words();
    if !words.is_empty() {
        query.append_pair("q", &words.join(" "));
    }
    for (column, values) in request.filters.any_of() {
        for value in values {
            query.append_pair(column.name(), value);
        }
    }
    for (name, price) in
        [("min_price", request.filters.least_price()), ("max_price", request.filters.most_price())]
    {
        if let Some(price) = price {
            query.append_pair(name, &price.to_string());
        }
    }
    if request.sort_by != standard.sort_by || request.sort_order != standard.sort_order {
        query.append_pair("sort_by", request.sort_by.name());
        query.append_pair("sort_order", request.sort_order.name());
    }
    if request.page_size != PAGE_SIZE_DEFAULT {
        query.append_pair("page_size", &request.page_size.to_string());
    }
    if request.page != 1 {
        query.append_pair("page", &request.page.to_string());
    }
    let query = query.finish();
    if query.is_empty() { CATALOGUE.to_owned() } else { format!("{CATALOGUE}?{query}") }
}

/// Address of all products that have these values.
pub fn filtered(values: &[(Column, &str)]) -> String {
    let mut request = PageRequest::default();
    for (column, value) in values {
        request.filters.add(*column, *value);
    }
    catalogue(&request)
}

/// Address of the same request with other filters, from its first page.
pub fn with_filters(request: &PageRequest, filters: Filters) -> String {
    catalogue(&PageRequest { filters, page: 1, ..request.clone() })
}

/// Address of a product's page.
pub fn product(id: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    format!("/product/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::api::read_page_request;

    #[test]
    fn an_address_reads_back_as_the_same_request() {
        for query in [
            "",
            "page=3",
            "q=blue+shirt&gender=Men&gender=Women&base_color=Navy+Blue&min_price=9.5&max_price=20",
            "sort_by=price&sort_order=DESC&page_size=48&page=2",
            "article_type=A%26B%3D%22C%22",
        ] {
            let request = read_page_request(Some(query), &Column::ALL).unwrap();
            let address = catalogue(&request);
            let query = address.split_once('?').map(|(_, query)| query);
            assert_eq!(read_page_request(query, &Column::ALL).unwrap(), request, "{address}");
        }
    }

    #[test]
    fn an_odd_key_stays_one_segment() {
        assert_eq!(product("a/b?c"), "/product/a%2Fb%3Fc");
    }
}
