//! The shop's 10,000 users: each belongs to a segment, and what they like follows from it.

mod segment;
mod taste;

use crate::catalogue::{Product, to_cents};
use crate::random::Stream;
use segment::SEGMENTS;
use taste::{Shelves, Taste};

/// Users in the demo.
pub(crate) const USERS: usize = 10_000;
/// The number of the first user.
const FIRST_USER_ID: i64 = 100_001;
/// 1 January 2021, in days since 1970: the first day on which users signed up.
const FIRST_DAY: i64 = 18_628;
/// Days on which they did.
const DAYS: usize = 1_400;
const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

/// A user and what follows from their history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct User {
    pub user_id: i64,
    pub segment: &'static str,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Sub-categories, the favourite first.
    pub category_prefs: Vec<&'static str>,
    /// Master categories of those.
    pub preferred_categories: Vec<&'static str>,
    pub brand_prefs: Vec<&'static str>,
    pub color_prefs: Vec<&'static str>,
    /// Products that they looked at or bought, each with how often.
    pub liked: Vec<(Product, u32)>,
    /// Prices of the liked products, rising.
    pub prices: Vec<f64>,
}

impl User {
    /// The mean price of what they like.
    pub fn average_price(&self) -> f64 {
        to_cents(self.prices.iter().sum::<f64>() / self.prices.len().max(1) as f64)
    }

    /// The price below which this part of what they like costs, the nearest rank.
    pub fn price_at(&self, part: f64) -> f64 {
        let last = self.prices.len().saturating_sub(1);
        let place = (part * last as f64).round() as usize;
        self.prices.get(place.min(last)).copied().unwrap_or_default()
    }

    /// How often they looked at or bought something.
    pub fn interactions(&self) -> u32 {
        self.liked.iter().map(|(_, times)| times).sum()
    }
}

/// The users of a seed, by `user_id`, fond of products of this catalogue.
pub(crate) fn generate(seed: u64, products: &[Product]) -> Vec<User> {
    let shelves = Shelves::of(products);
    (0..USERS).map(|index| user(seed, index, &shelves)).collect()
}

fn user(seed: u64, index: usize, shelves: &Shelves<'_>) -> User {
    let mut stream = Stream::of(seed, "user", index as u64);
    let shares = SEGMENTS.iter().map(|segment| segment.share);
    let segment = &SEGMENTS[stream.weighted(shares).unwrap_or(0)];
    let women = stream.chance(0.52);
    let taste = Taste::draw(segment, women, &mut stream);
    let liked = taste.choose(shelves, &mut stream);
    let mut prices: Vec<f64> = liked.iter().map(|(product, _)| product.price).collect();
    prices.sort_by(f64::total_cmp);
    let day = FIRST_DAY + stream.below(DAYS) as i64;
    let moment = stream.below(86_400) as i64 * 1_000_000;
    User {
        user_id: FIRST_USER_ID + index as i64,
        segment: segment.name,
        created_at: day * MICROSECONDS_A_DAY + moment,
        preferred_categories: taste.master_categories(shelves),
        brand_prefs: taste::favourite_brands(&liked),
        category_prefs: taste.categories,
        color_prefs: taste.colours,
        liked,
        prices,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn preferences_follow_the_segment() {
        let products = catalogue::generate(1);
        let users = generate(1, &products);
        assert_eq!(users.len(), USERS);
        let mean = |segment: &str| {
            let of: Vec<f64> =
                users.iter().filter(|u| u.segment == segment).map(User::average_price).collect();
            assert!(of.len() > 300, "{segment}: {}", of.len());
            of.iter().sum::<f64>() / of.len() as f64
        };
        assert!(mean("luxury") > 2.0 * mean("minimalist"));
        assert!(mean("minimalist") > 1.3 * mean("budget"));
        let sporty = users.iter().filter(|u| u.segment == "athletic");
        let shoes = sporty.clone().filter(|u| u.category_prefs.contains(&"Shoes")).count();
        assert!(shoes * 10 > sporty.count() * 6);
        for user in &users {
            assert!((2..=4).contains(&user.category_prefs.len()), "{user:?}");
            assert!(!user.color_prefs.is_empty() && !user.brand_prefs.is_empty());
            assert!(user.liked.len() >= 8, "{}", user.liked.len());
            assert!(user.prices.first() <= user.prices.last());
            assert!(user.price_at(0.25) <= user.price_at(0.75));
        }
    }
}
