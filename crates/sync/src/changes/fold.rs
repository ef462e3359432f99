//! What many changes of a key come to.
//!
//! Within one commit a key's changes have no order: writers disagree on it. So they are gathered by commit, and what a
//! commit inserts wins over what it deletes. Over commits they form a chain: a key that is deleted must have been
//! there, one that is inserted must not, and from the first link follows whether the copy has the key.

use super::passes::Passes;
use lakefront_lake::RowChange;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{BuildHasherDefault, Hasher};

/// Keys held at a time: about 100 MiB with the map's own needs. More are dealt with in several passes.
const MOST_KEYS: usize = 3_600_000;

/// A number that stands for a key or a row: 64 bits of a hash.
///
/// Two keys with the same number make each other's chains wrong. Nearly always that is noticed, here or when the changes
/// meet the table, and answered with a full copy.
pub(super) type Fingerprint = u64;

/// What becomes of a row that was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// it is not the key's last word, or the copy has it already
    Pass,
    /// the key is new, and this is its row
    Insert,
    /// the key is there, and this is its row
    Update,
    /// the key is there and goes
    Delete,
}

/// The changes of one key so far.
#[derive(Debug, Clone, Copy)]
struct Chain {
    /// the rows inserted less the rows deleted, as numbers that wrap around: nothing where the key is as it was
    balance: Fingerprint,
    /// the last commit that changed it, counted from the range's first
    commit: u32,
    flags: u8,
}

/// no commit of the key is over yet
const FIRST: u8 = 1;
/// the copy has the key
const EXPECTED: u8 = 2;
/// the key is there after the commits that are over
const THERE: u8 = 4;
/// the commit under way deletes the key
const DELETED: u8 = 8;
/// the commit under way inserts the key
const INSERTED: u8 = 16;
/// the chain contradicts itself
const BROKEN: u8 = 32;
/// its last word was given
const SETTLED: u8 = 64;

impl Chain {
    fn new(commit: u32) -> Self {
        Self { balance: 0, commit, flags: FIRST }
    }

    fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn add(&mut self, row: Fingerprint, commit: u32, change: RowChange) {
        if commit != self.commit {
            *self = self.over();
            self.commit = commit;
        }
        let (flag, balance) = match change {
            RowChange::Deleted => (DELETED, self.balance.wrapping_sub(row)),
            RowChange::Inserted => (INSERTED, self.balance.wrapping_add(row)),
        };
        self.balance = balance;
        if self.has(flag) {
            self.flags |= BROKEN;
        }
        self.flags |= flag;
    }

    /// The chain with the commit under way over.
    fn over(mut self) -> Self {
        let (deleted, inserted) = (self.has(DELETED), self.has(INSERTED));
        if self.has(FIRST) {
            self.flags |= if deleted { EXPECTED } else { 0 };
        } else if deleted != self.has(THERE) {
            self.flags |= BROKEN;
        }
        self.flags &= !(FIRST | THERE | DELETED | INSERTED);
        self.flags |= if inserted { THERE } else { 0 };
        self
    }
}

/// Hands fingerprints on as they are: they are hashes already.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// The chains of the keys of one pass.
pub(super) struct Fold {
    chains: HashMap<Fingerprint, Chain, BuildHasherDefault<AsIs>>,
    passes: Passes,
}

impl Fold {
    /// For about so many keys, where it is known.
    pub(super) fn new(keys: Option<u64>) -> Self {
        let mut chains = HashMap::default();
        // A map that grows needs room for both the old and the new one.
        if keys.is_some_and(|keys| keys > MOST_KEYS as u64 / 2) {
            chains.reserve(MOST_KEYS);
        }
        Self { chains, passes: Passes::new(MOST_KEYS) }
    }

    /// Goes on to the next pass, which has other keys; false when all have had theirs.
    pub(super) fn next_pass(&mut self) -> bool {
        self.chains.clear();
        self.passes.go_on()
    }

    /// Whether a key belongs to this pass.
    fn takes(&self, key: Fingerprint) -> bool {
        self.passes.takes(part_of(key))
    }

    /// Adds a change. Commits come in order; within one, the order is free.
    pub(super) fn add(&mut self, key: Fingerprint, row: Fingerprint, commit: u32, change: RowChange) {
        if !self.takes(key) {
            return;
        }
        self.chains.entry(key).or_insert_with(|| Chain::new(commit)).add(row, commit, change);
        while self.passes.divide(self.chains.len()) {
            // Taken out and put in again: what `retain` removes goes on to count as taken, and the map would grow.
            let kept: Vec<_> =
                self.chains.drain().filter(|(key, _)| self.passes.takes(part_of(*key))).collect();
            self.chains.extend(kept);
        }
    }

    /// Adds a row that the last commit inserts, all deletions having been added, and says at once what becomes of it.
    /// A key that nothing else changed is not kept: should it come twice, its place in the table is taken.
    pub(super) fn settle_inserted(&mut self, key: Fingerprint, row: Fingerprint, commit: u32) -> Verdict {
        if !self.takes(key) {
            return Verdict::Pass;
        }
        match self.chains.entry(key) {
            Slot::Vacant(_) => Verdict::Insert,
            Slot::Occupied(mut slot) => {
                slot.get_mut().add(row, commit, RowChange::Inserted);
                settle(slot.get_mut(), commit, RowChange::Inserted)
            }
        }
    }

    /// Says what becomes of a row that was added before.
    pub(super) fn settle(&mut self, key: Fingerprint, commit: u32, change: RowChange) -> Verdict {
        self.chains.get_mut(&key).map_or(Verdict::Pass, |chain| settle(chain, commit, change))
    }

    /// Whether a chain contradicts itself: the source holds the key more than once, or its writer recorded nonsense.
    /// Such is a key that came and went as two different rows: it was there all the time, as one of them.
    pub(super) fn is_broken(&self) -> bool {
        self.chains.values().any(|chain| {
            let over = chain.over();
            over.has(BROKEN) || !over.has(EXPECTED) && !over.has(THERE) && over.balance != 0
        })
    }

    /// Whether rows that are still to come have something to say.
    pub(super) fn is_open(&self, change: RowChange) -> bool {
        self.chains.values().any(|chain| {
            let over = chain.over();
            let wanted = match change {
                RowChange::Inserted => over.has(THERE),
                RowChange::Deleted => over.has(EXPECTED) && !over.has(THERE),
            };
            wanted && !over.has(SETTLED)
        })
    }
}

/// What passes divide keys by: the map's own buckets come from the low bits and the tags from the high ones, so these
/// are from the middle.
fn part_of(key: Fingerprint) -> u64 {
    key >> 32
}

fn settle(chain: &mut Chain, commit: u32, change: RowChange) -> Verdict {
    let over = chain.over();
    if over.has(SETTLED) || commit != chain.commit {
        return Verdict::Pass;
    }
    let verdict = match (change, over.has(EXPECTED), over.has(THERE)) {
        (RowChange::Inserted, true, true) if chain.balance == 0 => Verdict::Pass,
        (RowChange::Inserted, true, true) => Verdict::Update,
        (RowChange::Inserted, false, true) => Verdict::Insert,
        (RowChange::Deleted, true, false) => Verdict::Delete,
        // Of an update the row as it was, or a key that came and went.
        _ => return Verdict::Pass,
    };
    chain.flags |= SETTLED;
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use RowChange::{Deleted, Inserted};

    /// Each change: commit, row, what happened. Returns the verdict on each when read again, or None when broken.
    fn fold(changes: &[(u32, u64, RowChange)]) -> Option<Vec<Verdict>> {
        let mut fold = Fold::new(None);
        for &(commit, row, change) in changes {
            fold.add(7, row, commit, change);
        }
        if fold.is_broken() {
            return None;
        }
        let settle = |&(commit, _, change): &(u32, u64, RowChange)| fold.settle(7, commit, change);
        Some(changes.iter().map(settle).collect())
    }

    #[test]
    fn the_order_inside_a_commit_does_not_matter() {
        assert_eq!(fold(&[(0, 1, Deleted), (0, 2, Inserted)]), Some(vec![Verdict::Pass, Verdict::Update]));
        assert_eq!(fold(&[(0, 2, Inserted), (0, 1, Deleted)]), Some(vec![Verdict::Update, Verdict::Pass]));
    }

    #[test]
    fn the_last_commit_has_the_last_word() {
        assert_eq!(
            fold(&[(0, 1, Inserted), (1, 1, Deleted), (1, 2, Inserted)]),
            Some(vec![Verdict::Pass, Verdict::Pass, Verdict::Insert])
        );
        assert_eq!(
            fold(&[(0, 1, Deleted), (0, 2, Inserted), (4, 2, Deleted)]),
            Some(vec![Verdict::Pass, Verdict::Pass, Verdict::Delete])
        );
        assert_eq!(fold(&[(0, 1, Inserted), (1, 1, Deleted)]), Some(vec![Verdict::Pass; 2]), "came and went");
        assert_eq!(
            fold(&[(0, 1, Deleted), (3, 2, Inserted)]),
            Some(vec![Verdict::Pass, Verdict::Update]),
            "a key that comes back is an update of the copy's row"
        );
    }

    #[test]
    fn a_row_that_is_as_it_was_is_left_alone() {
        let changes = [(0, 1, Deleted), (0, 2, Inserted), (1, 2, Deleted), (1, 1, Inserted)];
        assert_eq!(fold(&changes), Some(vec![Verdict::Pass; 4]));
    }

    #[test]
    fn contradictions_are_noticed() {
        assert_eq!(fold(&[(0, 1, Inserted), (0, 2, Inserted)]), None, "twice in one commit");
        assert_eq!(fold(&[(0, 1, Inserted), (1, 2, Inserted)]), None, "inserted although it is there");
        assert_eq!(fold(&[(0, 1, Deleted), (1, 1, Deleted)]), None, "deleted although it is not there");
        assert_eq!(fold(&[(0, 1, Deleted), (0, 1, Deleted), (0, 3, Inserted)]), None);
        assert_eq!(fold(&[(0, 2, Inserted), (1, 1, Deleted)]), None, "there as 1 before, as 2 afterwards");
    }

    #[test]
    fn rows_of_the_last_commit_can_be_settled_at_once() {
        let mut fold = Fold::new(None);
        fold.add(1, 10, 2, Deleted);
        fold.add(2, 20, 2, Deleted);
        assert_eq!(fold.settle_inserted(1, 11, 2), Verdict::Update);
        assert_eq!(fold.settle_inserted(2, 20, 2), Verdict::Pass);
        assert_eq!(fold.settle_inserted(3, 30, 2), Verdict::Insert);
        assert!(!fold.is_open(Deleted) && !fold.is_broken());
        assert_eq!(fold.settle_inserted(1, 12, 2), Verdict::Pass);
        assert!(fold.is_broken());
    }

    #[test]
    fn many_keys_are_folded_in_passes() {
        let mut fold = Fold { passes: Passes::new(100), ..Fold::new(None) };
        let key = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (mut updated, mut passes) = (0, 0);
        loop {
            passes += 1;
            for n in 0..1000 {
                fold.add(key(n), 1, 0, Deleted);
                fold.add(key(n), 2, 0, Inserted);
            }
            assert!(fold.chains.len() <= 100);
            for n in 0..1000 {
                updated += u32::from(fold.settle(key(n), 0, Inserted) == Verdict::Update);
            }
            if !fold.next_pass() {
                break;
            }
        }
        assert!(passes >= 16);
        assert_eq!(updated, 1000);
    }
}
