//! The products and how they are read: columns, filters, pages, SQL, and the answers.

mod catalogue;
mod column;
mod facets;
mod filter;
mod freshness;
mod health;
mod page;
mod product;
mod relation;
mod sql;

pub use catalogue::{Catalogue, Page};
pub use column::{Column, FACETS};
pub use facets::{Facets, Kind, Value};
pub use filter::Filters;
pub use freshness::Freshness;
pub use health::{Health, TableHealth};
pub use page::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MOST, PageRequest, SortOrder};
pub use product::{ImageUrl, Product};
