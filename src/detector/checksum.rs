//! Checksums inside credentials: reckoned to prove that a value is one, and filled in where an example is made.
//!
//! Which credentials have one, and where in the value it stands, is said in the detector files. No checksum here needs a
//! secret: all are published by the providers so that scanners can tell a token from noise.

use super::compile::schema::{Checksum, ChecksumAlgorithm};

/// Digits in the order 0-9A-Za-z; the first 36 letters of the lower-case form serve base 36.
const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE_36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";
const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";
/// The digits that Microsoft Entra writes its client secrets' checksum in.
const BASE_66: &[u8; 66] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~";
/// The public seed of Microsoft Entra's client secrets.
const ENTRA_SEED: u64 = 0x4161_6450_7764_3030;

/// Returns whether the value's end is the checksum of the rest. A value too short to hold one has none.
pub fn valid(checksum: &Checksum, value: &[u8]) -> bool {
    split(checksum, value).is_some_and(|(covered, written)| digits(checksum, covered) == written)
}

/// Writes the right checksum over the value's end. A value too short to hold one stays as it is.
pub fn fill(checksum: &Checksum, value: &mut [u8]) {
    let Some((covered, written)) = split(checksum, value) else { return };
    let digits = digits(checksum, covered);
    let start = value.len() - written.len();
    value[start..].copy_from_slice(&digits);
}

/// Splits a value into the bytes that its checksum covers and the checksum as it is written.
fn split<'a>(checksum: &Checksum, value: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = value.len().checked_sub(checksum.length as usize)?;
    Some((value.get(checksum.skip as usize..start)?, &value[start..]))
}

fn digits(checksum: &Checksum, covered: &[u8]) -> Vec<u8> {
    let length = checksum.length as usize;
    let crc = || crc32fast::hash(covered);
    match checksum.algorithm {
        ChecksumAlgorithm::Crc32Base62 => written(crc(), BASE_62, length),
        ChecksumAlgorithm::Crc32Hex => written(crc(), HEX_LOWER, length),
        ChecksumAlgorithm::Crc32HexUpper => written(crc(), HEX_UPPER, length),
        ChecksumAlgorithm::Crc32Base36 => written(crc(), BASE_36, length),
        ChecksumAlgorithm::EntraMarvin32 => {
            let mut digits = written(marvin32(ENTRA_SEED, covered), BASE_66, length.max(6));
            digits.truncate(length);
            digits
        }
    }
}

/// Writes the low digits of a number, most significant first, padded on the left with the digit that means zero.
fn written(mut number: u32, alphabet: &[u8], length: usize) -> Vec<u8> {
    let base = alphabet.len() as u32;
    let mut digits = vec![alphabet[0]; length];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[(number % base) as usize];
        number /= base;
    }
    digits
}

/// Returns the Marvin32 hash of the bytes: its two halves joined by exclusive or.
fn marvin32(seed: u64, bytes: &[u8]) -> u32 {
    let (low, high) = marvin32_halves(seed, bytes);
    low ^ high
}

fn marvin32_halves(seed: u64, bytes: &[u8]) -> (u32, u32) {
    let mut halves = (seed as u32, (seed >> 32) as u32);
    let words = bytes.chunks_exact(4);
    let rest = words.remainder();
    for word in words {
        let word = word.iter().rev().fold(0_u32, |known, byte| known << 8 | u32::from(*byte));
        halves = mix((halves.0.wrapping_add(word), halves.1));
    }
    // The last bytes, least significant first, under a byte that says how many they are.
    let last = rest.iter().rev().fold(0x80_u32, |known, byte| known << 8 | u32::from(*byte));
    mix(mix((halves.0.wrapping_add(last), halves.1)))
}

fn mix((mut low, mut high): (u32, u32)) -> (u32, u32) {
    high ^= low;
    low = low.rotate_left(20).wrapping_add(high);
    high = high.rotate_left(9) ^ low;
    low = low.rotate_left(27).wrapping_add(high);
    (low, high.rotate_left(19))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CRC-32 bit by bit, from the polynomial, as a check on the crate.
    fn crc32_by_bits(bytes: &[u8]) -> u32 {
        let mut register = u32::MAX;
        for byte in bytes {
            for bit in 0..8 {
                let differs = (register ^ u32::from(byte >> bit)) & 1 == 1;
                register >>= 1;
                if differs {
                    register ^= 0xedb8_8320;
                }
            }
        }
        !register
    }

    fn checksum(algorithm: ChecksumAlgorithm, skip: u32, length: u32) -> Checksum {
        Checksum { algorithm, skip, length }
    }

    #[test]
    fn the_crc_is_the_common_one() {
        assert_eq!(crc32_by_bits(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32fast::hash(b"123456789"), crc32_by_bits(b"123456789"));
    }

    #[test]
    fn base_62_covers_the_body_alone_and_pads_with_zeros() {
        let sum = checksum(ChecksumAlgorithm::Crc32Base62, 4, 6);
        for body in ["0123456789abcdefghijklmnopqrst", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "AbC4"] {
            let mut expected = Vec::new();
            let mut rest = crc32_by_bits(body.as_bytes());
            while rest > 0 {
                let digit = (rest % 62) as u8;
                expected.push(match digit {
                    0..=9 => b'0' + digit,
                    10..=35 => b'A' + digit - 10,
                    _ => b'a' + digit - 36,
                });
                rest /= 62;
            }
            expected.resize(6, b'0');
            expected.reverse();
            let mut value = format!("pre_{body}??????").into_bytes();
            assert!(!valid(&sum, &value));
            fill(&sum, &mut value);
            assert_eq!(&value[value.len() - 6..], expected);
            assert!(valid(&sum, &value));
            value[5] ^= 1;
            assert!(!valid(&sum, &value), "a changed body must not pass");
        }
    }

    #[test]
    fn hexadecimal_and_base_36_cover_all_that_stands_before() {
        let mut value = b"PREFIX-body=________".to_vec();
        let crc = crc32_by_bits(b"PREFIX-body=");
        fill(&checksum(ChecksumAlgorithm::Crc32HexUpper, 0, 8), &mut value);
        assert_eq!(value[12..], *format!("{crc:08X}").as_bytes());
        fill(&checksum(ChecksumAlgorithm::Crc32Hex, 0, 8), &mut value);
        assert_eq!(value[12..], *format!("{crc:08x}").as_bytes());
        let mut routable = b"glpat-body.01.0w_______".to_vec();
        let sum = checksum(ChecksumAlgorithm::Crc32Base36, 0, 7);
        fill(&sum, &mut routable);
        let tail = std::str::from_utf8(&routable[16..]).expect("ASCII");
        assert_eq!(u32::from_str_radix(tail, 36), Ok(crc32_by_bits(b"glpat-body.01.0w")));
    }

    #[test]
    fn marvin32_gives_the_published_vectors() {
        let cases: [(u64, &[u8], u64); 8] = [
            (0x004f_b61a_001b_dbcc, b"", 0x30ed_35c1_00cd_3c7d),
            (0x004f_b61a_001b_dbcc, b"\xaf", 0x48e7_3fc7_7d75_ddc1),
            (0x004f_b61a_001b_dbcc, b"\xe7\x0f", 0xb5f6_e1fc_485d_bff8),
            (0x004f_b61a_001b_dbcc, b"\x37\xf4\x95", 0xf0b0_7c78_9b8c_f7e8),
            (0x004f_b61a_001b_dbcc, b"\x86\x42\xdc\x59", 0x7008_f2e8_7e9c_f556),
            (0x004f_b61a_001b_dbcc, b"\x15\x3f\xb7\x98\x26", 0xe6c0_8c6d_a2af_a997),
            (0x804f_b61a_001b_dbcc, b"\xaf", 0x6820_1f91_960e_bf91),
            (0x804f_b61a_801b_dbcc, b"\xff\x00\xff", 0x9d85_77c0_fe0d_30bf),
        ];
        for (seed, bytes, expected) in cases {
            let (low, high) = marvin32_halves(seed, bytes);
            assert_eq!(u64::from(high) << 32 | u64::from(low), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn an_entra_secret_ends_with_the_first_digits_of_its_hash() {
        let sum = checksum(ChecksumAlgorithm::EntraMarvin32, 0, 3);
        let mut value = b"abc8Q~0123456789012345678901234567890___".to_vec();
        fill(&sum, &mut value);
        let hash = marvin32(ENTRA_SEED, &value[..37]);
        let first = hash / 66_u32.pow(5);
        assert_eq!(value[37], BASE_66[first as usize]);
        assert!(valid(&sum, &value));
        value[20] ^= 1;
        assert!(!valid(&sum, &value));
    }

    #[test]
    fn a_value_too_short_has_no_checksum() {
        let sum = checksum(ChecksumAlgorithm::Crc32Base62, 4, 6);
        for length in 0..10 {
            assert!(!valid(&sum, &vec![b'0'; length]));
            fill(&sum, &mut vec![b'0'; length]);
        }
    }
}
