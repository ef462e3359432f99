//! The segments that users fall into (`data/segments.tsv`).

use std::sync::LazyLock;

use crate::catalogue::reference::rows;

/// What people of a segment lean to.
#[derive(Debug)]
pub(crate) struct Segment {
    pub name: &'static str,
    /// Of 100 users.
    pub share: f64,
    /// How much each tier of brands appeals, in the tiers' order.
    pub tiers: Vec<f64>,
    pub colours: Vec<(&'static str, f64)>,
    /// Sub-categories that men, and that women of the segment look at.
    pub men: Vec<(&'static str, f64)>,
    pub women: Vec<(&'static str, f64)>,
}

/// The segments, read at first use.
pub(crate) static SEGMENTS: LazyLock<Vec<Segment>> = LazyLock::new(|| {
    rows::<6>(include_str!("../../data/segments.tsv"))
        .filter_map(|[name, share, tiers, colours, men, women]| {
            Some(Segment {
                name,
                share: share.parse().ok()?,
                tiers: tiers.split(' ').filter_map(|weight| weight.parse().ok()).collect(),
                colours: weighted(colours),
                men: weighted(men),
                women: weighted(women),
            })
        })
        .collect()
});

/// `name:weight` pairs between commas.
fn weighted(text: &'static str) -> Vec<(&'static str, f64)> {
    text.split(',')
        .filter_map(|pair| {
            let (name, weight) = pair.rsplit_once(':')?;
            Some((name, weight.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::reference::{REFERENCE, Tier};

    #[test]
    fn segments_speak_of_what_the_catalogue_has() {
        assert_eq!(SEGMENTS.len(), 9);
        assert_eq!(SEGMENTS.iter().map(|segment| segment.share).sum::<f64>(), 100.0);
        for segment in SEGMENTS.iter() {
            assert_eq!(segment.tiers.len(), Tier::ALL.len(), "{}", segment.name);
            for (colour, _) in &segment.colours {
                assert!(REFERENCE.colours.iter().any(|c| c.name == *colour), "{}: {colour}", segment.name);
            }
            for (category, _) in segment.men.iter().chain(&segment.women) {
                let known = REFERENCE.articles.iter().any(|a| a.sub_category == *category);
                assert!(known, "{}: {category}", segment.name);
            }
        }
    }
}
