//! The drawings: one SVG file for each silhouette, in `art/`.
//!
//! A drawing says where things are; its classes (`c` cloth, `d` darker, `a` accent, `sheen`, …)
//! are coloured by [`stylesheet`](super::palette::Palette::stylesheet).

macro_rules! drawings {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../art/", $name, ".svg")))),*]
    };
}

/// All drawings by name, sorted.
const DRAWINGS: &[(&str, &str)] = drawings![
    "backpack",
    "bangle",
    "basketball",
    "belt",
    "blazer",
    "bra",
    "bracelet",
    "briefs",
    "brushset",
    "cap",
    "capris",
    "clutch",
    "compact",
    "cufflinks",
    "cushion",
    "deodorant",
    "dress",
    "dropper",
    "duffel",
    "earrings",
    "flats",
    "flipflop",
    "football",
    "giftbox",
    "gloves",
    "hairclip",
    "haircolour",
    "handbag",
    "hat",
    "headband",
    "heels",
    "jacket",
    "jar",
    "jeans",
    "jumpsuit",
    "keychain",
    "kurta",
    "kurti",
    "laces",
    "laptopbag",
    "leggings",
    "lehenga",
    "lipgloss",
    "lipstick",
    "messenger",
    "nailpolish",
    "necklace",
    "nightdress",
    "nightsuit",
    "oxford",
    "palette",
    "patiala",
    "pencil",
    "pendant",
    "perfume",
    "pump",
    "ring",
    "robe",
    "runner",
    "sandals",
    "saree",
    "scarf",
    "shirt",
    "shorts",
    "skirt",
    "sneaker",
    "socks",
    "sunglasses",
    "suspenders",
    "sweater",
    "sweatshirt",
    "swimsuit",
    "tie",
    "top",
    "trackpants",
    "trolley",
    "trousers",
    "trunks",
    "tshirt",
    "tshirt-women",
    "tube",
    "umbrella",
    "vest",
    "voucher",
    "waistcoat",
    "wallet",
    "watch",
    "waterbottle",
];

/// The SVG text of a drawing.
pub(crate) fn drawing(name: &str) -> Option<&'static str> {
    let place = DRAWINGS.binary_search_by_key(&name, |(name, _)| name).ok()?;
    DRAWINGS.get(place).map(|(_, svg)| *svg)
}

/// The text of all drawings, for what depends on their content.
pub(crate) fn all_text() -> impl Iterator<Item = &'static str> {
    DRAWINGS.iter().map(|(_, svg)| *svg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::reference::REFERENCE;

    #[test]
    fn every_article_type_has_its_drawing() {
        assert!(DRAWINGS.is_sorted_by_key(|(name, _)| *name));
        for article in &REFERENCE.articles {
            for name in std::iter::once(article.drawing).chain(article.drawing_for_women) {
                assert!(drawing(name).is_some(), "{}: {name}", article.article_type);
            }
        }
        let used = |name: &str| {
            REFERENCE.articles.iter().any(|a| a.drawing == name || a.drawing_for_women == Some(name))
        };
        assert!(DRAWINGS.iter().all(|(name, _)| used(name)));
    }
}
