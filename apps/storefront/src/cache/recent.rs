//! A bounded map that forgets what was used longest ago.

use std::{collections::HashMap, hash::Hash};

/// The map. Making room looks at all entries, which is right for the few thousand that it is meant for.
#[derive(Debug)]
pub struct Recent<K, V> {
    entries: HashMap<K, (V, u64)>,
    capacity: usize,
    uses: u64,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    /// A map for at most `capacity` entries, at least one.
    pub fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity: capacity.max(1), uses: 0 }
    }

    /// The value of a key, which counts as used now.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        self.uses += 1;
        let (value, used) = self.entries.get_mut(key)?;
        *used = self.uses;
        Some(value)
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            let oldest = self.entries.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            if let Some(key) = oldest {
                self.entries.remove(&key);
            }
        }
        self.uses += 1;
        self.entries.insert(key, (value, self.uses));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_used_longest_ago_makes_room() {
        let mut recent = Recent::new(2);
        recent.insert("a", 1);
        recent.insert("b", 2);
        assert_eq!(recent.get(&"a"), Some(&1));
        recent.insert("c", 3);
        let values = ["a", "b", "c"].map(|key| recent.get(&key).copied());
        assert_eq!(values, [Some(1), None, Some(3)]);
        recent.insert("c", 4);
        assert_eq!(["a", "c"].map(|key| recent.get(&key).copied()), [Some(1), Some(4)]);
    }
}
