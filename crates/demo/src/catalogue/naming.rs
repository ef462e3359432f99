//! What products are called, such as "Harrow & Pine Check Men Navy Blue Shirt".

use crate::catalogue::Product;
use crate::random::Stream;

/// Words of style that a brand may put into a name.
const STYLES: [&str; 14] = [
    "Essential",
    "Classic",
    "Signature",
    "Heritage",
    "Everyday",
    "Urban",
    "Weekend",
    "Studio",
    "Comfort",
    "Premium",
    "Vintage",
    "Active",
    "Festive",
    "Coastal",
];
/// How often a name has such a word.
const STYLE_SHARE: f64 = 0.45;

pub(crate) fn style(stream: &mut Stream) -> Option<&'static str> {
    let word = stream.pick(&STYLES).copied();
    word.filter(|_| stream.chance(STYLE_SHARE))
}

/// Brand, style, pattern, for whom, colour, what it is.
pub(crate) fn display_name(product: &Product) -> String {
    let words = [
        Some(product.brand().name),
        product.style,
        product.pattern.word(),
        Some(product.gender()),
        Some(product.colour().name),
        Some(product.article().noun),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
