//! A set of byte values: the alphabet of a place in a credential.

use serde::{Deserialize, Serialize};

/// A set of byte values, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// The set of no byte.
    pub const EMPTY: Self = Self([0; 4]);

    /// Returns the set of exactly these bytes.
    pub const fn of(bytes: &[u8]) -> Self {
        let mut set = Self::EMPTY;
        let mut index = 0;
        while index < bytes.len() {
            set.0[(bytes[index] >> 6) as usize] |= 1 << (bytes[index] & 63);
            index += 1;
        }
        set
    }

    /// Returns whether the byte belongs to the set.
    #[inline]
    pub const fn contains(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] & (1 << (byte & 63)) != 0
    }

    /// Adds one byte.
    pub fn insert(&mut self, byte: u8) {
        *self = self.union(Self::of(&[byte]));
    }

    /// Adds every byte from `first` to `last`, both included.
    pub fn insert_range(&mut self, first: u8, last: u8) {
        for byte in first..=last {
            self.insert(byte);
        }
    }

    /// Returns the bytes that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1], self.0[2] | other.0[2], self.0[3] | other.0[3]])
    }

    /// Returns how many bytes are in the set.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Returns whether no byte is in the set.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// Returns the bytes of the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=255_u8).filter(|byte| self.contains(*byte))
    }

    /// Returns the set as a character class of a byte regex, for example `[\x2d0-9A-Z]`.
    pub fn to_class(self) -> String {
        let mut class = String::from("[");
        let mut next = 0_u16;
        while next < 256 {
            let first = next;
            while next < 256 && self.contains(next as u8) {
                next += 1;
            }
            if next > first {
                class.push_str(&class_byte(first as u8));
                if next - first > 1 {
                    class.push('-');
                    class.push_str(&class_byte((next - 1) as u8));
                }
            } else {
                next += 1;
            }
        }
        class.push(']');
        class
    }
}

fn class_byte(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("\\x{byte:02x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_names_runs_of_bytes() {
        let mut set = ByteSet::of(b"-_");
        set.insert_range(b'a', b'f');
        assert_eq!(set.to_class(), r"[\x2d\x5fa-f]");
        assert_eq!(set.len(), 8);
    }
}
