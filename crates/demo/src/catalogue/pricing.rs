//! What products cost, in dollars with two decimals.

use crate::catalogue::reference::{Article, Tier};
use crate::random::Stream;

/// The cents that shops like their prices to end in.
const ENDINGS: [f64; 5] = [0.99, 0.95, 0.50, 0.00, 0.49];

/// A price for an article of a brand of this tier.
///
/// Only additions, multiplications and rounding: those are the same on every machine.
pub(crate) fn price(article: &Article, tier: Tier, stream: &mut Stream) -> f64 {
    let (least, usual, greatest) = article.price;
    // The part of the article's range that a tier asks, 0.5 being the usual price.
    let (from, to) = match tier {
        Tier::Budget => (0.0, 0.40),
        Tier::Value => (0.22, 0.64),
        Tier::Premium => (0.52, 0.90),
        Tier::Luxury => (0.82, 1.0),
    };
    let place = from + (to - from) * stream.unit();
    let amount = if place < 0.5 {
        least + (usual - least) * place * 2.0
    } else {
        let above = (place - 0.5) * 2.0;
        usual + (greatest - usual) * above * above * above
    };
    let ending = stream.pick(&ENDINGS).copied().unwrap_or(0.99);
    to_cents(amount.floor().max(1.0) + ending)
}

/// Rounds to whole cents.
pub(crate) fn to_cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}
