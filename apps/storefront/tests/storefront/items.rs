//! Invented products, and what the API should say about them, worked out naively.

use std::cmp::Ordering;

use serde_json::Value;
use tokio_postgres::{Client, types::ToSql};

/// A product as the test knows it.
#[derive(Debug, Clone)]
pub struct Item {
    pub id: i64,
    pub gender: &'static str,
    pub master_category: &'static str,
    pub sub_category: &'static str,
    pub article_type: &'static str,
    pub base_color: &'static str,
    pub season: &'static str,
    pub year: i32,
    pub usage: &'static str,
    pub name: String,
    pub price: f64,
    pub image_path: String,
    pub ingested_at: chrono::DateTime<chrono::Utc>,
}

const KINDS: [(&str, &str, &str); 6] = [
    ("Apparel", "Topwear", "Tshirts"),
    ("Apparel", "Topwear", "Shirts"),
    ("Apparel", "Bottomwear", "Jeans"),
    ("Footwear", "Shoes", "Casual Shoes"),
    ("Accessories", "Watches", "Watches"),
    ("Accessories", "Bags", "Handbags"),
];

/// Products from a fixed seed; names repeat, so that ties in the sort happen.
pub fn invent(count: usize) -> Vec<Item> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    (0..count)
        .map(|index| {
            let (master_category, sub_category, article_type) = KINDS[next(KINDS.len())];
            let gender = ["Men", "Women", "Boys", "Girls", "Unisex"][next(5)];
            let base_color = ["Black", "White", "Navy Blue", "Red", "Off White"][next(5)];
            let style = ["Classic", "Slim", "50% Wool", "Under_score", "O'Neil"][next(5)];
            Item {
                // Not in the order of names, and with gaps.
                id: 9000 - 3 * index as i64,
                gender,
                master_category,
                sub_category,
                article_type,
                base_color,
                season: ["Summer", "Fall", "Winter", "Spring"][next(4)],
                year: 2007 + next(13) as i32,
                usage: ["Casual", "Sports", "Formal"][next(3)],
                name: format!("{style} {base_color} {article_type}"),
                price: (next(20_000) as f64) / 100.0,
                image_path: format!("{}/{}.png", article_type.to_lowercase().replace(' ', "-"), next(9)),
                ingested_at: chrono::DateTime::from_timestamp(1_770_000_000 + next(100_000) as i64, 0)
                    .unwrap(),
            }
        })
        .collect()
}

/// Adds the items to the products table, whatever its key's type.
pub async fn insert(client: &Client, items: &[Item]) {
    let statement = client
        .prepare_typed(
            "INSERT INTO fashion_demo.productsdb
             SELECT (jsonb_populate_record(null::fashion_demo.productsdb, $1::jsonb)).*",
            &[tokio_postgres::types::Type::JSONB],
        )
        .await
        .unwrap();
    for item in items {
        let row = item.to_json();
        let binds: [&(dyn ToSql + Sync); 1] = [&row];
        client.execute(&statement, &binds).await.unwrap();
    }
}

impl Item {
    /// The row as JSON, key as a number.
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "product_id": self.id, "gender": self.gender, "master_category": self.master_category,
            "sub_category": self.sub_category, "article_type": self.article_type, "base_color": self.base_color,
            "season": self.season, "year": self.year, "usage": self.usage, "product_display_name": self.name,
            "price": self.price, "image_path": self.image_path, "ingested_at": self.ingested_at,
        })
    }

    /// The product as the API gives it.
    pub fn as_answer(&self) -> Value {
        let mut answer = self.to_json();
        answer["product_id"] = self.id.to_string().into();
        answer["image_url"] = format!("/api/v1/images/{}", self.image_path).into();
        answer["similarity_score"] = Value::Null;
        answer["personalization_reason"] = Value::Null;
        answer
    }

    /// Value of a text column.
    pub fn text(&self, column: &str) -> &str {
        match column {
            "gender" => self.gender,
            "master_category" => self.master_category,
            "sub_category" => self.sub_category,
            "article_type" => self.article_type,
            "base_color" => self.base_color,
            "season" => self.season,
            "usage" => self.usage,
            "product_display_name" => &self.name,
            "image_path" => &self.image_path,
            other => panic!("{other} is no text column"),
        }
    }

    /// Compares by a column.
    pub fn compare(&self, other: &Self, column: &str) -> Ordering {
        match column {
            "product_id" => self.id.cmp(&other.id),
            "year" => self.year.cmp(&other.year),
            "price" => self.price.total_cmp(&other.price),
            "ingested_at" => self.ingested_at.cmp(&other.ingested_at),
            text => self.text(text).cmp(other.text(text)),
        }
    }
}
