//! Gives each product a value of a facet so that every value gets exactly its number of products
//! and products get what suits them.

use crate::random::Stream;

/// One product's wish: how well each value suits it, and which group it belongs to.
pub(crate) type Affinity<'a> = &'a [f64];

/// Assigns to each wish the place of a value. `quotas` must sum to at least the number of wishes.
///
/// Those who can take the fewest go first, so that what is left over at the end falls to those
/// who take anything.
pub(crate) fn assign(quotas: &[u32], wishes: &[Affinity<'_>], stream: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    stream.shuffle(&mut order);
    let room = |wish: Affinity<'_>| -> f64 {
        wish.iter().zip(quotas).map(|(affinity, quota)| affinity * f64::from(*quota)).sum()
    };
    let room: Vec<f64> = wishes.iter().map(|wish| room(wish)).collect();
    order.sort_by(|left, right| room[*left].total_cmp(&room[*right]));
    let mut left = quotas.to_vec();
    let mut assigned = vec![0; wishes.len()];
    for product in order {
        let wish = wishes[product];
        let suited = wish.iter().zip(&left).map(|(affinity, left)| affinity * f64::from(*left));
        let anything = left.iter().map(|left| f64::from(*left));
        let value = stream.weighted(suited).or_else(|| stream.weighted(anything)).unwrap_or(0);
        left[value] = left[value].saturating_sub(1);
        assigned[product] = value;
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_met_exactly_and_wishes_where_possible() {
        let only_first: &[f64] = &[1.0, 0.0, 0.0];
        let any: &[f64] = &[1.0, 1.0, 1.0];
        let wishes: Vec<Affinity<'_>> = (0..100).map(|n| if n % 4 == 0 { only_first } else { any }).collect();
        let assigned = assign(&[40, 35, 25], &wishes, &mut Stream::new(1));
        let count = |value: usize| assigned.iter().filter(|v| **v == value).count();
        assert_eq!((count(0), count(1), count(2)), (40, 35, 25));
        assert!(assigned.iter().step_by(4).all(|value| *value == 0));
    }
}
