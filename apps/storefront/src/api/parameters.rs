//! Query parameters of the list of products, and what is wrong with them.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::products::{Column, FACETS, PAGE_SIZE_MOST, PageRequest, SortOrder};

/// Longest text of a value, in characters. No product has a longer one, and PostgreSQL is spared.
const VALUE_MOST: usize = 200;

/// Most values of one filter.
const VALUES_MOST: usize = 100;

/// One wrong parameter.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Violation {
    /// Where it is: `query` and its name.
    #[schema(value_type = Vec<String>)]
    pub loc: [&'static str; 2],
    /// What is wrong and what would be right.
    pub msg: String,
    /// The rule that it breaks.
    pub r#type: &'static str,
    /// What was given.
    pub input: String,
}

/// Body of a 422.
#[derive(Debug, Serialize, ToSchema)]
pub struct Violations {
    /// Each wrong parameter.
    pub detail: Vec<Violation>,
}

/// Reads the parameters of a list from a query string. Repeating a filter allows several values; of any other
/// parameter the last counts; unknown ones and empty filters are passed over.
///
/// `sortable` are the columns that the table has.
pub fn read_page_request(query: Option<&str>, sortable: &[Column]) -> Result<PageRequest, Vec<Violation>> {
    let mut reader = Reader { request: PageRequest::default(), wrong: Vec::new(), sortable };
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        reader.read(&name, value);
    }
    // Of a repeated parameter that is wrong twice, one complaint is enough.
    reader.wrong.dedup_by(|a, b| a.loc == b.loc && a.r#type == b.r#type);
    if reader.wrong.is_empty() { Ok(reader.request) } else { Err(reader.wrong) }
}

struct Reader<'a> {
    request: PageRequest,
    wrong: Vec<Violation>,
    sortable: &'a [Column],
}

impl Reader<'_> {
    fn read(&mut self, name: &str, value: Cow<'_, str>) {
        if let Some(column) = FACETS.into_iter().find(|column| column.name() == name) {
            if let Some(value) = self.text(column.name(), value).filter(|value| !value.is_empty()) {
                self.request.filters.add(column, value);
                if self.request.filters.values(column).len() > VALUES_MOST {
                    let rule = format!("Input should have at most {VALUES_MOST} values");
                    self.complain(column.name(), rule, "too_long", String::new());
                }
            }
            return;
        }
        match name {
            "page" => {
                if let Some(page) = self.whole("page", &value, i64::MAX) {
                    self.request.page = page;
                }
            }
            "page_size" => {
                if let Some(size) = self.whole("page_size", &value, PAGE_SIZE_MOST) {
                    self.request.page_size = size;
                }
            }
            "min_price" => {
                if let Some(price) = self.number("min_price", &value) {
                    self.request.filters.set_least_price(price);
                }
            }
            "max_price" => {
                if let Some(price) = self.number("max_price", &value) {
                    self.request.filters.set_most_price(price);
                }
            }
            "q" => {
                if let Some(text) = self.text("q", value) {
                    self.request.filters.set_text(&text);
                }
            }
            "sort_by" => self.sort_by(&value),
            "sort_order" => match SortOrder::named(&value) {
                Some(order) => self.request.sort_order = order,
                None => {
                    let rule = "Input should be 'ASC' or 'DESC'".to_owned();
                    self.complain("sort_order", rule, "enum", value.into_owned());
                }
            },
            _ => {}
        }
    }

    fn sort_by(&mut self, value: &str) {
        match Column::named(value).filter(|column| self.sortable.contains(column)) {
            Some(column) => self.request.sort_by = column,
            None => {
                let names: Vec<_> =
                    self.sortable.iter().map(|column| format!("'{}'", column.name())).collect();
                let rule = match names.split_last() {
                    Some((last, rest)) if !rest.is_empty() => {
                        format!("Input should be {} or {last}", rest.join(", "))
                    }
                    _ => "Input should be a column of the table".to_owned(),
                };
                self.complain("sort_by", rule, "enum", value.to_owned());
            }
        }
    }

    fn whole(&mut self, name: &'static str, value: &str, most: i64) -> Option<i64> {
        // FastAPI's rules: surrounding space and a sign are allowed, nothing else beside digits.
        let Ok(number) = value.trim().parse::<i64>() else {
            let rule = "Input should be a valid integer, unable to parse string as an integer";
            self.complain(name, rule.to_owned(), "int_parsing", value.to_owned());
            return None;
        };
        if number < 1 {
            let rule = "Input should be greater than or equal to 1";
            self.complain(name, rule.to_owned(), "greater_than_equal", value.to_owned());
            return None;
        }
        if number > most {
            let rule = format!("Input should be less than or equal to {most}");
            self.complain(name, rule, "less_than_equal", value.to_owned());
            return None;
        }
        Some(number)
    }

    fn number(&mut self, name: &'static str, value: &str) -> Option<f64> {
        let Ok(number) = value.trim().parse::<f64>() else {
            let rule = "Input should be a valid number, unable to parse string as a number";
            self.complain(name, rule.to_owned(), "float_parsing", value.to_owned());
            return None;
        };
        if !number.is_finite() {
            let rule = "Input should be a finite number".to_owned();
            self.complain(name, rule, "finite_number", value.to_owned());
            return None;
        }
        Some(number)
    }

    fn text(&mut self, name: &'static str, value: Cow<'_, str>) -> Option<String> {
        if value.contains('\0') {
            let rule = "Input should not contain a zero byte".to_owned();
            self.complain(name, rule, "string_pattern_mismatch", value.replace('\0', "\u{fffd}"));
            return None;
        }
        if value.chars().count() > VALUE_MOST {
            let rule = format!("String should have at most {VALUE_MOST} characters");
            let start: String = value.chars().take(VALUE_MOST).collect();
            self.complain(name, rule, "string_too_long", start + "…");
            return None;
        }
        Some(value.into_owned())
    }

    fn complain(&mut self, name: &'static str, msg: String, rule: &'static str, input: String) {
        self.wrong.push(Violation { loc: ["query", name], msg, r#type: rule, input });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(query: &str) -> Result<PageRequest, Vec<Violation>> {
        read_page_request(Some(query), &Column::ALL)
    }

    #[test]
    fn nothing_said_means_the_first_page_by_name() {
        assert_eq!(read("").unwrap(), PageRequest::default());
        assert_eq!(read_page_request(None, &Column::ALL).unwrap(), PageRequest::default());
        assert_eq!(read("gender=&q=&unknown=1").unwrap(), PageRequest::default());
    }

    #[test]
    fn values_are_decoded_and_repeated_filters_collected() {
        let request = read("gender=Men&gender=Women&base_color=Navy+Blue&min_price=1e1&max_price=20&q=caf%C3%A9&page=2&page_size=5&sort_by=price&sort_order=desc").unwrap();
        assert_eq!(request.filters.values(Column::Gender), ["Men", "Women"]);
        assert_eq!(request.filters.values(Column::BaseColor), ["Navy Blue"]);
        assert_eq!((request.filters.least_price(), request.filters.most_price()), (Some(10.0), Some(20.0)));
        assert_eq!(request.filters.words(), ["café"]);
        assert_eq!((request.page, request.page_size, request.offset()), (2, 5, 5));
        assert_eq!((request.sort_by, request.sort_order), (Column::Price, SortOrder::Descending));
    }

    #[test]
    fn each_wrong_parameter_is_named() {
        let wrong = read("page=0&page_size=101&min_price=NaN&max_price=cheap&sort_by=password&sort_order=up&gender=%00&q=a%00").unwrap_err();
        let named: Vec<_> = wrong.iter().map(|violation| (violation.loc[1], violation.r#type)).collect();
        assert_eq!(
            named,
            [
                ("page", "greater_than_equal"),
                ("page_size", "less_than_equal"),
                ("min_price", "finite_number"),
                ("max_price", "float_parsing"),
                ("sort_by", "enum"),
                ("sort_order", "enum"),
                ("gender", "string_pattern_mismatch"),
                ("q", "string_pattern_mismatch"),
            ]
        );
        let sort_by = &wrong.iter().find(|violation| violation.loc[1] == "sort_by").unwrap().msg;
        assert!(
            sort_by.contains("'product_id', 'gender'") && sort_by.ends_with("or 'ingested_at'"),
            "{sort_by}"
        );
        for odd in ["page=1.5", "page=", "page=9999999999999999999", "page=0x10", "page_size=ten"] {
            assert_eq!(read(odd).unwrap_err()[0].r#type, "int_parsing", "{odd}");
        }
        assert_eq!(read(&format!("q={}", "x".repeat(201))).unwrap_err()[0].r#type, "string_too_long");
    }

    #[test]
    fn a_page_beyond_all_numbers_stays_a_number() {
        assert_eq!(read(&format!("page={}&page_size=100", i64::MAX)).unwrap().offset(), i64::MAX);
    }
}
