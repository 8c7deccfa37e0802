//! Sums by key, for keys of up to eight bytes.
//!
//! Neighbouring pixels share their labels, so a small table with two places for each hash holds
//! nearly all that comes; what loses its place is written down, and the notes are sorted and added
//! up when they have doubled and at the end. A map with a place for every key would be slower in
//! both cases: labels always hit the small table, and heatmaps, whose values are all different,
//! would miss the cache at every pixel.

use std::ops::AddAssign;

/// Keys that have a place.
// Of 16 bytes each, they fill a first-level cache of 32 KiB.
const PLACES: usize = 1 << PLACE_BITS;
const PLACE_BITS: u32 = 11;

/// Notes that are not worth adding up.
// Below a mebibyte memory is no concern, and what is sorted early is sorted once more at the end.
const FEW_NOTES: usize = 1 << 16;

/// A key whose home is not that of 0.
// A free place must match no key that is looked for there. Key 0 stands in all of them but its own
// home, where 0 itself would find a place that nobody has noted as used.
const NOT_AT_HOME: u64 = 1;

/// Where a key is looked for first.
fn home(key: u64) -> usize {
    // Fibonacci hashing: Knuth, "The Art of Computer Programming", vol. 3, 6.4.
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - PLACE_BITS)) as usize
}

/// Sums by key.
#[derive(Debug)]
pub(crate) struct Sums<T> {
    /// Key and sum. A place without a sum is free, and its key is one whose home is elsewhere.
    places: Vec<(u64, T)>,
    used: Vec<u16>,
    notes: Vec<(u64, T)>,
    most_notes: usize,
}

impl<T> Default for Sums<T> {
    fn default() -> Self {
        Self { places: Vec::new(), used: Vec::new(), notes: Vec::new(), most_notes: FEW_NOTES }
    }
}

impl<T: Copy + Default + PartialEq + AddAssign> Sums<T> {
    /// Adds to the sum of a key, and says whether no other has lost its place for it.
    #[inline]
    pub(crate) fn add(&mut self, key: u64, amount: T) -> bool {
        if let Some((_, sum)) = self.places.get_mut(home(key)).filter(|place| place.0 == key) {
            *sum += amount;
            return true;
        }
        self.add_elsewhere(key, amount)
    }

    /// Adds to the sum of a key that is not at home, and gives it one of its two places if it has
    /// none: one that is free, else its home, whose owner is noted.
    #[inline(never)]
    fn add_elsewhere(&mut self, key: u64, amount: T) -> bool {
        if amount == T::default() {
            return true;
        }
        // Not before it is needed: most counters see bytes, or weights of 1 alone.
        if self.places.is_empty() {
            self.places.resize(PLACES, (0, T::default()));
            self.places[home(0)].0 = NOT_AT_HOME;
        }
        // The other place is the neighbour, which the same line of the cache mostly holds.
        let (home, other) = (home(key), home(key) ^ 1);
        let is_free = |place: &usize| self.places[*place].1 == T::default();
        if self.places[other].0 == key && !is_free(&other) {
            self.places[other].1 += amount;
            return true;
        }
        let place = [home, other].into_iter().find(is_free);
        let before = std::mem::replace(&mut self.places[place.unwrap_or(home)], (key, amount));
        match place {
            Some(place) => self.used.push(place as u16),
            None => self.note(before),
        }
        place.is_some()
    }

    /// Adds to the sum of a key that is not expected to come again soon.
    pub(crate) fn note(&mut self, entry: (u64, T)) {
        self.notes.push(entry);
        if self.notes.len() >= self.most_notes {
            add_up(&mut self.notes);
            // Doubled, so that sorting again what is sorted stays a part of all sorting.
            self.most_notes = FEW_NOTES.max(2 * self.notes.len());
        }
    }

    /// All keys with their sums, ascending by key; empties the sums.
    pub(crate) fn drain(&mut self) -> Vec<(u64, T)> {
        for place in self.used.drain(..) {
            let free = if usize::from(place) == home(0) { NOT_AT_HOME } else { 0 };
            let place = &mut self.places[usize::from(place)];
            self.notes.push(std::mem::replace(place, (free, T::default())));
        }
        let mut notes = std::mem::take(&mut self.notes);
        self.most_notes = FEW_NOTES;
        add_up(&mut notes);
        notes
    }
}

/// Sorts entries by key and joins those of one key.
fn add_up<T: Copy + AddAssign>(entries: &mut Vec<(u64, T)>) {
    // Stable, so that sums of floats do not depend on the sort's choices.
    entries.sort_by_key(|entry| entry.0);
    entries.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_those_of_a_map(
            keys in prop::collection::vec(any::<u64>(), 1..3000),
            order in prop::collection::vec((any::<prop::sample::Index>(), 0_u64..3), 0..4000),
        ) {
            let (mut sums, mut expected) = (Sums::default(), BTreeMap::new());
            for _ in 0..2 {
                expected.clear();
                for (index, amount) in &order {
                    let key = *index.get(&keys);
                    sums.add(key, *amount);
                    *expected.entry(key).or_insert(0) += amount;
                }
                let found: BTreeMap<_, _> = sums.drain().into_iter().filter(|e| e.1 > 0).collect();
                expected.retain(|_, sum| *sum > 0);
                prop_assert_eq!(&found, &expected);
            }
        }
    }

    #[test]
    fn more_keys_than_places_and_notes_come_out_ascending() {
        let mut sums = Sums::default();
        let keys = || (0..200_000_u64).map(|k| k.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 20);
        for key in keys().chain(keys()) {
            sums.add(key, 1_u64);
        }
        let mut expected: Vec<_> = keys().collect();
        expected.sort_unstable();
        assert_eq!(sums.drain(), expected.into_iter().map(|key| (key, 2)).collect::<Vec<_>>());
    }
}
