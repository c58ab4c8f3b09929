//! Hash tables keyed by object ids, names and small numbers.
//!
//! Ids look random, but a damaged or hostile tree may name any twenty bytes, so the tables are seeded anew in each
//! process: nobody can prepare keys that all fall into one slot. Nothing here depends on the order of a table.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::source::git::object::ObjectId;

/// A table with the fast seeded hash.
pub(crate) type FastMap<Key, Value> = HashMap<Key, Value, FastHash>;

/// Makes the hashers of a [`FastMap`], all with the same random seed.
#[derive(Debug, Clone)]
pub(crate) struct FastHash {
    seed: u64,
    factor: u64,
}

impl Default for FastHash {
    fn default() -> Self {
        let random = RandomState::new();
        Self { seed: random.hash_one(1_u8), factor: random.hash_one(2_u8) | 1 }
    }
}

impl BuildHasher for FastHash {
    type Hasher = FastHasher;

    #[inline]
    fn build_hasher(&self) -> FastHasher {
        FastHasher { state: self.seed, factor: self.factor }
    }
}

/// Folds eight bytes at a time with a 128-bit product.
#[derive(Debug)]
pub(crate) struct FastHasher {
    state: u64,
    factor: u64,
}

impl FastHasher {
    #[inline]
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.factor);
        // Both halves of the product are wanted: the cast keeps the low one, the shift the high one.
        self.state = (product as u64) ^ ((product >> 64) as u64).rotate_left(23);
    }
}

impl Hasher for FastHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.fold(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.fold(u64::from_le_bytes(last) ^ (rest.len() as u64) << 56);
        }
    }

    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.fold(u64::from(word));
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.fold(word);
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.fold(word as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state ^ self.state >> 32
    }
}

/// How many bits of an id the filter of [`HitSet`] looks at.
const FILTER_BITS: usize = 20;

/// The blobs that places are wanted for, numbered in the order of their ids.
#[derive(Debug)]
pub(crate) struct HitSet {
    filter: Vec<u64>,
    numbers: FastMap<ObjectId, u32>,
    ids: Vec<ObjectId>,
}

impl HitSet {
    /// Numbers the blobs.
    pub(crate) fn new<State: BuildHasher>(hits: &HashSet<ObjectId, State>) -> Self {
        let mut ids: Vec<_> = hits.iter().copied().collect();
        ids.sort_unstable();
        let mut filter = vec![0; (1 << FILTER_BITS) / 64];
        let mut numbers = FastMap::with_capacity_and_hasher(ids.len(), FastHash::default());
        for (number, id) in (0..).zip(&ids) {
            let slot = filter_slot(id);
            filter[slot / 64] |= 1_u64 << (slot % 64);
            numbers.insert(*id, number);
        }
        Self { filter, numbers, ids }
    }

    /// The number of a blob, if it is one of the hits.
    #[inline]
    pub(crate) fn number(&self, id: &ObjectId) -> Option<u32> {
        let slot = filter_slot(id);
        if self.filter[slot / 64] >> (slot % 64) & 1 == 0 {
            return None;
        }
        self.numbers.get(id).copied()
    }

    /// The blob that has a number.
    pub(crate) fn id(&self, number: u32) -> ObjectId {
        self.ids[number as usize]
    }
}

fn filter_slot(id: &ObjectId) -> usize {
    let bytes = &id.0;
    usize::from(bytes[0]) << 12 | usize::from(bytes[1]) << 4 | usize::from(bytes[2]) >> 4
}

/// The next number of a table that holds `length` things.
///
/// # Panics
/// Past four thousand million things, which no memory holds.
pub(crate) fn next_number(length: usize) -> u32 {
    u32::try_from(length).expect("a table of four thousand million entries does not fit into memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hits_have_numbers_and_they_follow_the_order_of_ids() {
        let [low, high, near] = [1_u8, 200, 1].map(|first| {
            let mut bytes = [7; 20];
            bytes[0] = first;
            ObjectId(bytes)
        });
        let mut stranger = near;
        stranger.0[19] = 8;
        let hits = HitSet::new(&HashSet::from([high, low]));
        assert_eq!((hits.number(&low), hits.number(&high)), (Some(0), Some(1)));
        assert_eq!(hits.number(&stranger), None);
        assert_eq!(hits.id(1), high);
    }

    #[test]
    fn every_byte_of_a_key_counts_for_its_hash() {
        let hash = FastHash::default();
        let key = [9_u8; 21];
        for position in 0..key.len() {
            let mut other = key;
            other[position] ^= 1;
            assert_ne!(hash.hash_one(key), hash.hash_one(other), "byte {position}");
        }
        assert_ne!(hash.hash_one([0_u8; 3].as_slice()), hash.hash_one([0_u8; 4].as_slice()));
    }
}
