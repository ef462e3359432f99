//! SQL texts for the products. Values travel as parameters only; what is written into a text is names from the
//! catalog (quoted), words of this file, and whole numbers.

use std::fmt::Write as _;

use super::{
    Column, FACETS, Filters, PageRequest, Product, SortOrder,
    relation::{Family, Relation},
};
use crate::database::{Bind, quote_literal, quote_name};

/// A statement and its parameters.
#[derive(Debug)]
pub struct Query {
    /// The text.
    pub sql: String,
    /// The parameters, `$1` first.
    pub binds: Vec<Bind>,
}

impl Query {
    fn bind(&mut self, value: Bind) -> usize {
        self.binds.push(value);
        self.binds.len()
    }
}

/// The freshness columns, then one page of products. Always at least one row: that of an empty page has no key.
///
/// Freshness and page come from one snapshot, because they are one statement. The freshness side has exactly one
/// row, so the join keeps the order of the page.
pub fn page(relation: &Relation, request: &PageRequest) -> Query {
    let mut query = start(relation);
    query.sql.push_str(" LEFT JOIN LATERAL (SELECT ");
    push_columns(&mut query.sql, relation);
    let _ = write!(query.sql, " FROM {} t", relation.sql_name);
    push_conditions(&mut query, relation, &request.filters);
    push_order(&mut query.sql, request.sort_by, request.sort_order);
    // A limit in the text lets PostgreSQL plan once for it; the first page, asked for most, has no offset at all.
    let _ = write!(query.sql, " LIMIT {}", request.page_size);
    if request.offset() > 0 {
        let place = query.bind(Bind::Integer(request.offset()));
        let _ = write!(query.sql, " OFFSET ${place}::int8");
    }
    query.sql.push_str(") p ON true");
    query
}

/// The freshness columns alone.
pub fn freshness(relation: &Relation) -> Query {
    select(relation, "f.*")
}

/// The freshness columns and the number of products.
pub fn total(relation: &Relation, filters: &Filters) -> Query {
    let mut query = start(relation);
    let _ = write!(query.sql, ", LATERAL (SELECT count(*) AS total FROM {} t", relation.sql_name);
    push_conditions(&mut query, relation, filters);
    query.sql.push_str(") p");
    query
}

/// The freshness columns and the product with that key. `None` when the key cannot be one of this table's.
pub fn product(relation: &Relation, id: &str) -> Option<Query> {
    let mut query = start(relation);
    query.sql.push_str(" LEFT JOIN LATERAL (SELECT ");
    push_columns(&mut query.sql, relation);
    let _ = write!(query.sql, " FROM {} t WHERE ", relation.sql_name);
    push_key_is(&mut query, relation, id)?;
    query.sql.push_str(" LIMIT 1) p ON true");
    Some(query)
}

/// The freshness columns and other products of the same article type, for the same people first, then those
/// nearest in price.
pub fn related(relation: &Relation, product: &Product<'_>, limit: usize) -> Query {
    let mut query = start(relation);
    query.sql.push_str(" LEFT JOIN LATERAL (SELECT ");
    push_columns(&mut query.sql, relation);
    let _ = write!(query.sql, " FROM {} t WHERE t.product_id::text <> ", relation.sql_name);
    let place = query.bind(Bind::Text(product.product_id.to_owned()));
    let _ = write!(query.sql, "${place}::text");
    for (column, value) in [(Column::ArticleType, product.article_type), (Column::Gender, product.gender)] {
        if let Some(value) = value {
            let place = query.bind(Bind::Text(value.to_owned()));
            let _ = write!(query.sql, " AND {} = ${place}::text", text_of(relation, column));
        }
    }
    query.sql.push_str(" ORDER BY ");
    if let Some(price) = product.price.filter(|_| number_of(relation, Column::Price).is_some()) {
        let place = query.bind(Bind::Number(price));
        let _ = write!(query.sql, "abs(t.price::float8 - ${place}::float8), ");
    }
    let _ = write!(query.sql, "t.product_id LIMIT {limit}) p ON true");
    query
}

/// The freshness columns and the values of every facet with their counts, in one pass over the table. The next
/// column tells the groups apart; see [`FacetRow`]. The picture of a group is that with the least hash, so that
/// groups do not all show the colour that comes first in the alphabet; the hash and a space precede it.
pub fn facets(relation: &Relation) -> Query {
    let mut query = start(relation);
    let [gender, master, sub, article, color, season, usage] = FACETS.map(|column| text_of(relation, column));
    let price = number_of(relation, Column::Price).unwrap_or_else(|| "NULL::float8".to_owned());
    let image = text_of(relation, Column::ImagePath);
    let _ = write!(
        query.sql,
        ", LATERAL (SELECT grouping(gender, article, color, season, usage)::int4 AS groups,
           gender, master, sub, article, color, season, usage, count(*) AS products,
           min(price) FILTER (WHERE price <> 'NaN'), max(price) FILTER (WHERE price <> 'NaN'),
           min(hashtext(image)::text || ' ' || image)
         FROM (SELECT {gender} AS gender, {master} AS master, {sub} AS sub, {article} AS article, {color} AS color,
                      {season} AS season, {usage} AS usage, {price} AS price, {image} AS image
                 FROM {} t) t
         GROUP BY GROUPING SETS ((gender), (master, sub, article), (color), (season), (usage), ())) p",
        relation.sql_name
    );
    query
}

/// Which grouping set a row of [`facets`] belongs to: the value of its `grouping` column, in which a bit is set
/// for each of the five columns that is *not* grouped by.
pub struct FacetRow;

impl FacetRow {
    /// By gender.
    pub const GENDER: i32 = 0b01111;
    /// By master category, sub-category and article type.
    pub const KIND: i32 = 0b10111;
    /// By colour.
    pub const COLOR: i32 = 0b11011;
    /// By season.
    pub const SEASON: i32 = 0b11101;
    /// By usage.
    pub const USAGE: i32 = 0b11110;
    /// All products.
    pub const ALL: i32 = 0b11111;
}

/// Number of columns that every statement here puts first, for [`super::Freshness`].
pub const FRESHNESS_COLUMNS: usize = 3;

/// `SELECT f.*, p.* FROM (the freshness, one row) f`.
fn start(relation: &Relation) -> Query {
    select(relation, "f.*, p.*")
}

fn select(relation: &Relation, columns: &str) -> Query {
    let mut sql = String::with_capacity(1024);
    let _ = write!(sql, "SELECT {columns} FROM (SELECT ");
    if relation.has_freshness {
        let (schema, table) = (quote_literal(&relation.schema), quote_literal(&relation.table));
        let _ = write!(
            sql,
            "max(version)::int8, max(committed_at)::timestamptz, max(synced_at)::timestamptz \
             FROM lakefront.freshness WHERE schema_name = {schema} AND table_name = {table}"
        );
    } else {
        sql.push_str("NULL::int8, NULL::timestamptz, NULL::timestamptz");
    }
    sql.push_str(") f");
    Query { sql, binds: Vec::new() }
}

fn push_columns(sql: &mut String, relation: &Relation) {
    for (index, column) in Column::ALL.into_iter().enumerate() {
        let name = quote_name(column.name());
        let value = match column {
            Column::Year => match relation.family(column) {
                Some(Family::Integer | Family::Fraction) => format!("t.{name}::int4"),
                _ => "NULL::int4".to_owned(),
            },
            Column::Price => number_of(relation, column).unwrap_or_else(|| "NULL::float8".to_owned()),
            Column::IngestedAt => match relation.family(column) {
                Some(Family::Moment) => format!("t.{name}"),
                Some(Family::LocalMoment) => format!("t.{name}::timestamp"),
                _ => "NULL::timestamptz".to_owned(),
            },
            _ => text_of(relation, column),
        };
        let comma = if index == 0 { "" } else { ", " };
        let _ = write!(sql, "{comma}{value}");
    }
}

/// The column's text, so written that an index on a text column can be used.
fn text_of(relation: &Relation, column: Column) -> String {
    match relation.family(column) {
        None => "NULL::text".to_owned(),
        Some(Family::Text) => format!("t.{}::text", quote_name(column.name())),
        Some(_) => format!("(t.{})::text", quote_name(column.name())),
    }
}

fn number_of(relation: &Relation, column: Column) -> Option<String> {
    match relation.family(column) {
        Some(Family::Integer | Family::Fraction) => Some(format!("t.{}::float8", quote_name(column.name()))),
        _ => None,
    }
}

fn push_conditions(query: &mut Query, relation: &Relation, filters: &Filters) {
    let mut joint = " WHERE ";
    for (column, values) in filters.any_of() {
        let text = text_of(relation, column);
        // One value compares with `=`, for which PostgreSQL knows best how many rows to expect.
        let condition = match values {
            [value] => {
                let place = query.bind(Bind::Text(value.clone()));
                format!("{text} = ${place}::text")
            }
            _ => {
                let place = query.bind(Bind::Texts(values.to_vec()));
                format!("{text} = ANY(${place}::text[])")
            }
        };
        let _ = write!(query.sql, "{joint}{condition}");
        joint = " AND ";
    }
    let price = number_of(relation, Column::Price).unwrap_or_else(|| "NULL::float8".to_owned());
    for (bound, operator) in [(filters.least_price(), ">="), (filters.most_price(), "<=")] {
        if let Some(bound) = bound {
            let place = query.bind(Bind::Number(bound));
            let _ = write!(query.sql, "{joint}{price} {operator} ${place}::float8");
            joint = " AND ";
        }
    }
    for word in filters.words() {
        // Comparing ASCII letters byte by byte is several times as fast as by the rules of a language.
        let collation = if word.is_ascii() { " COLLATE \"C\"" } else { "" };
        let name = text_of(relation, Column::ProductDisplayName);
        let place = query.bind(Bind::Text(contains_pattern(word)));
        let _ = write!(query.sql, "{joint}{name}{collation} ILIKE ${place}::text");
        joint = " AND ";
    }
}

/// The key comes last, in ascending order also for a descending sort, so that pages never overlap. Names are
/// qualified: a bare one would mean the text in the select list, which no index is sorted by.
fn push_order(sql: &mut String, by: Column, order: SortOrder) {
    let _ = write!(sql, " ORDER BY t.{} {}", quote_name(by.name()), order.name());
    if by != Column::ProductId {
        sql.push_str(", t.product_id");
    }
}

fn push_key_is(query: &mut Query, relation: &Relation, id: &str) -> Option<()> {
    // PostgreSQL's text cannot hold a zero byte, so no key has one.
    if id.contains('\0') {
        return None;
    }
    match relation.family(Column::ProductId)? {
        Family::Integer => {
            let number: i64 = id.parse().ok().filter(|number: &i64| number.to_string() == id)?;
            let place = query.bind(Bind::Integer(number));
            let _ = write!(query.sql, "t.product_id = ${place}::int8");
        }
        Family::Text => {
            let place = query.bind(Bind::Text(id.to_owned()));
            let _ = write!(query.sql, "t.product_id = ${place}::text");
        }
        _ => {
            let place = query.bind(Bind::Text(id.to_owned()));
            let _ = write!(query.sql, "t.product_id::text = ${place}::text");
        }
    }
    Some(())
}

/// A LIKE pattern for texts that contain `word` (PostgreSQL manual, "LIKE"; the escape is a backslash).
fn contains_pattern(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for character in word.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
