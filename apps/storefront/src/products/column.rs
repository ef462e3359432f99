//! The columns of a product.

/// A column of the products table that this application knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// Key; a whole number in some lakes and text in others.
    ProductId,
    /// Men, Women, Boys, Girls, Unisex.
    Gender,
    /// Apparel, Footwear, …
    MasterCategory,
    /// Topwear, Shoes, …
    SubCategory,
    /// Tshirts, Casual Shoes, …
    ArticleType,
    /// Navy Blue, …
    BaseColor,
    /// Summer, Fall, Winter, Spring.
    Season,
    /// Year of the collection.
    Year,
    /// Casual, Sports, …
    Usage,
    /// The name shoppers see.
    ProductDisplayName,
    /// Price.
    Price,
    /// Path of the picture.
    ImagePath,
    /// When the row entered the lake.
    IngestedAt,
}

/// The columns with few values that shoppers filter by.
pub const FACETS: [Column; 7] = [
    Column::Gender,
    Column::MasterCategory,
    Column::SubCategory,
    Column::ArticleType,
    Column::BaseColor,
    Column::Season,
    Column::Usage,
];

impl Column {
    /// All columns, in the order of the table.
    pub const ALL: [Column; 13] = [
        Column::ProductId,
        Column::Gender,
        Column::MasterCategory,
        Column::SubCategory,
        Column::ArticleType,
        Column::BaseColor,
        Column::Season,
        Column::Year,
        Column::Usage,
        Column::ProductDisplayName,
        Column::Price,
        Column::ImagePath,
        Column::IngestedAt,
    ];

    /// Its name in the table, in JSON and as a parameter.
    pub fn name(self) -> &'static str {
        match self {
            Column::ProductId => "product_id",
            Column::Gender => "gender",
            Column::MasterCategory => "master_category",
            Column::SubCategory => "sub_category",
            Column::ArticleType => "article_type",
            Column::BaseColor => "base_color",
            Column::Season => "season",
            Column::Year => "year",
            Column::Usage => "usage",
            Column::ProductDisplayName => "product_display_name",
            Column::Price => "price",
            Column::ImagePath => "image_path",
            Column::IngestedAt => "ingested_at",
        }
    }

    /// The column of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}
