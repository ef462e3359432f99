//! Which part of the products is wanted, and in which order.

use super::{Column, Filters};

/// Products per page when nothing is said.
pub const PAGE_SIZE_DEFAULT: i64 = 24;

/// Most products per page.
pub const PAGE_SIZE_MOST: i64 = 100;

/// Direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortOrder {
    /// Least first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

impl SortOrder {
    /// As SQL and as the parameter.
    pub fn name(self) -> &'static str {
        match self {
            SortOrder::Ascending => "ASC",
            SortOrder::Descending => "DESC",
        }
    }

    /// From a parameter, in any case.
    pub fn named(name: &str) -> Option<Self> {
        [SortOrder::Ascending, SortOrder::Descending]
            .into_iter()
            .find(|order| order.name().eq_ignore_ascii_case(name))
    }
}

/// One page of the filtered, sorted products. Ties are in the order of the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// Which products.
    pub filters: Filters,
    /// From 1.
    pub page: i64,
    /// 1 to [`PAGE_SIZE_MOST`].
    pub page_size: i64,
    /// Sort column.
    pub sort_by: Column,
    /// Sort direction.
    pub sort_order: SortOrder,
}

impl PageRequest {
    /// Products before this page.
    pub fn offset(&self) -> i64 {
        (self.page - 1).saturating_mul(self.page_size)
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            filters: Filters::default(),
            page: 1,
            page_size: PAGE_SIZE_DEFAULT,
            sort_by: Column::ProductDisplayName,
            sort_order: SortOrder::Ascending,
        }
    }
}
