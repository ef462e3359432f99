//! One product, borrowed from the row that PostgreSQL sent.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, NaiveDateTime, Utc};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Serialize, Serializer};
use tokio_postgres::Row;
use utoipa::ToSchema;

/// Where pictures are served.
const IMAGES: &str = "/api/v1/images/";

/// What has to be encoded inside a path segment (RFC 3986, section 3.3); `/` stays.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A product: all columns of the products table, and what the shop adds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Product<'a> {
    /// Key; always text, also where the lake has whole numbers.
    pub product_id: &'a str,
    /// Men, Women, Boys, Girls or Unisex.
    pub gender: Option<&'a str>,
    /// Apparel, Accessories, Footwear, …
    pub master_category: Option<&'a str>,
    /// Topwear, Shoes, …
    pub sub_category: Option<&'a str>,
    /// Tshirts, Casual Shoes, …
    pub article_type: Option<&'a str>,
    /// Colour.
    pub base_color: Option<&'a str>,
    /// Summer, Fall, Winter or Spring.
    pub season: Option<&'a str>,
    /// Year of the collection.
    pub year: Option<i32>,
    /// Casual, Sports, Ethnic, Formal, …
    pub usage: Option<&'a str>,
    /// Name.
    pub product_display_name: Option<&'a str>,
    /// Price.
    pub price: Option<f64>,
    /// Path of the picture in the lake.
    pub image_path: Option<&'a str>,
    /// When the row entered the lake, ISO 8601.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ingested_at: Option<Ingested>,
    /// Where the picture is served, relative to this server.
    #[schema(value_type = Option<String>)]
    pub image_url: Option<ImageUrl<'a>>,
    /// Nearness to what was asked for, 0 to 1, in answers that have one.
    pub similarity_score: Option<f64>,
    /// Why it was chosen for a shopper, in answers that choose.
    pub personalization_reason: Option<&'a str>,
}

impl<'a> Product<'a> {
    /// Reads the product from the columns that start at `at`, in the order of [`super::Column::ALL`]. `None`
    /// when there is no key, which is how an empty page comes. A value that cannot be held here (a date beyond
    /// the calendar) reads as absent.
    pub(super) fn read(row: &'a Row, at: usize) -> Option<Self> {
        let text = |index: usize| row.try_get::<_, Option<&'a str>>(at + index).ok().flatten();
        let image_path = text(11);
        Some(Self {
            product_id: text(0)?,
            gender: text(1),
            master_category: text(2),
            sub_category: text(3),
            article_type: text(4),
            base_color: text(5),
            season: text(6),
            year: row.try_get(at + 7).ok().flatten(),
            usage: text(8),
            product_display_name: text(9),
            price: row.try_get(at + 10).ok().flatten(),
            image_path,
            ingested_at: Ingested::read(row, at + 12),
            image_url: image_path.and_then(ImageUrl::new),
            similarity_score: None,
            personalization_reason: None,
        })
    }

    /// What to call it: its name, or what it is.
    pub fn title(&self) -> &'a str {
        self.product_display_name.or(self.article_type).unwrap_or(self.product_id)
    }

    /// Text in place of its picture.
    pub fn picture_text(&self) -> Cow<'a, str> {
        match (self.base_color, self.article_type) {
            (Some(color), Some(article)) => Cow::Owned(format!("{article}, {color}")),
            (None, Some(article)) => Cow::Borrowed(article),
            _ => Cow::Borrowed(self.title()),
        }
    }

    /// The price as pages show it.
    pub fn price_text(&self) -> String {
        self.price.map_or_else(|| "Price on request".to_owned(), |price| format!("${price:.2}"))
    }
}

/// A moment, with zone where the column has one.
#[derive(Debug, Clone, Copy)]
pub enum Ingested {
    /// From `timestamptz`.
    Zoned(DateTime<Utc>),
    /// From `timestamp` or `date`.
    Local(NaiveDateTime),
}

impl Ingested {
    fn read(row: &Row, index: usize) -> Option<Self> {
        match row.try_get::<_, Option<DateTime<Utc>>>(index) {
            Ok(moment) => moment.map(Self::Zoned),
            Err(_) => row.try_get::<_, Option<NaiveDateTime>>(index).ok().flatten().map(Self::Local),
        }
    }

    /// Its day, for people.
    pub fn day(&self) -> String {
        match self {
            Self::Zoned(moment) => moment.format("%-d %B %Y").to_string(),
            Self::Local(moment) => moment.format("%-d %B %Y").to_string(),
        }
    }
}

impl Serialize for Ingested {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Zoned(moment) => moment.serialize(serializer),
            Self::Local(moment) => moment.serialize(serializer),
        }
    }
}

/// Address of a picture. Written without an intermediate string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageUrl<'a>(&'a str);

impl<'a> ImageUrl<'a> {
    /// Address for an `image_path`; a path that is an address already stays as it is.
    pub fn new(image_path: &'a str) -> Option<Self> {
        let path = image_path.trim_start_matches('/');
        (!path.is_empty()).then_some(Self(path))
    }
}

impl fmt::Display for ImageUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.starts_with("https://") || self.0.starts_with("http://") {
            return f.write_str(self.0);
        }
        f.write_str(IMAGES)?;
        utf8_percent_encode(self.0, SEGMENT).fmt(f)
    }
}

impl Serialize for ImageUrl<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_picture_has_an_address_that_is_one_path() {
        let url = |path| ImageUrl::new(path).unwrap().to_string();
        assert_eq!(url("tshirts/navy-blue.png"), "/api/v1/images/tshirts/navy-blue.png");
        assert_eq!(url("/Volumes/a b/ü#1?.png"), "/api/v1/images/Volumes/a%20b/%C3%BC%231%3F.png");
        assert_eq!(url("https://cdn.example.com/1.jpg"), "https://cdn.example.com/1.jpg");
        assert_eq!(ImageUrl::new("/"), None);
    }
}
