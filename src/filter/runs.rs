//! Sequences and repetitions: values that a person typed by rolling over the keyboard. A random value is lost to these
//! tests less than once in a thousand times.

/// Returns whether a value is mostly one character, a rising or falling sequence, a walk over the keyboard, or a short piece
/// repeated.
pub fn is_run(value: &[u8]) -> bool {
    longest(value, |left, right| left == right) >= 6
        || longest(value, |left, right| right == left.wrapping_add(1)) >= 8
        || longest(value, |left, right| left == right.wrapping_add(1)) >= 8
        || is_poor(value)
        || is_rolled(value)
        || is_periodic(value)
}

/// Whether a long value is made of very few characters.
fn is_poor(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    value.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let distinct = seen.iter().filter(|seen| **seen).count();
    (value.len() >= 20 && distinct <= 4) || (value.len() >= 10 && distinct <= 2)
}

/// Whether most characters are neighbours, in the alphabet or on the keyboard, of the one before them or the one before
/// that: `abcdef123456`, `a1b2c3d4e5f6`, `qwertyuiop`.
fn is_rolled(value: &[u8]) -> bool {
    // Digits are neighbours of each other by chance in one place of three.
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let (least, tenths) = if digits * 10 > value.len() * 9 { (16, 9) } else { (10, 7) };
    if value.len() < least {
        return false;
    }
    let follows = |index: usize, distance: usize| {
        index.checked_sub(distance).is_some_and(|before| are_neighbours(value[before], value[index]))
    };
    let either = (1..value.len()).filter(|index| follows(*index, 1) || follows(*index, 2)).count();
    // A short value is rolled throughout or not at all.
    let tenths = if value.len() < 14 { 9 } else { tenths };
    either * 10 >= value.len() * tenths
}

fn are_neighbours(left: u8, right: u8) -> bool {
    let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
    let keys = (KEYS[usize::from(left)], KEYS[usize::from(right)]);
    left.abs_diff(right) == 1
        || matches!((left, right), (b'9', b'0') | (b'f', b'0') | (b'0', b'a') | (b'9', b'a'))
        || (keys.0 != 0 && keys.1 != 0 && keys.0.abs_diff(keys.1) == 1)
}

/// Where each letter stands on the keyboard, counted along its rows with a gap between two; zero for any other byte.
const KEYS: [u8; 256] = {
    let keys = b"qwertyuiop asdfghjkl zxcvbnm";
    let mut places = [0; 256];
    let mut index = 0;
    while index < keys.len() {
        if keys[index] != b' ' {
            places[keys[index] as usize] = index as u8 + 1;
        }
        index += 1;
    }
    places
};

/// The length of the longest stretch in which each neighbouring pair fits.
fn longest(value: &[u8], fits: impl Fn(u8, u8) -> bool) -> usize {
    let (mut best, mut current) = (value.len().min(1), 1);
    for pair in value.windows(2) {
        current = if fits(pair[0], pair[1]) { current + 1 } else { 1 };
        best = best.max(current);
    }
    best
}

/// Whether a value of 8 bytes and more equals itself, shifted by 1 to 16 places, in more than half of them.
fn is_periodic(value: &[u8]) -> bool {
    if value.len() < 8 {
        return false;
    }
    (1..=16.min(value.len() / 2)).any(|shift| {
        let equal = value.iter().zip(&value[shift..]).filter(|(left, right)| left == right).count();
        // Hexadecimal digits agree by chance in one place of sixteen; digits in one of ten.
        let all = value.len() - shift;
        (equal * 5 >= all * 3 && equal >= 8) || (equal == all && equal >= 6)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_values_are_runs_and_mixed_ones_are_not() {
        for run in [
            "xxxxxxxxxxxx",
            "abc0123456789abc",
            "9876543210",
            "abcabcabcabcabc",
            "00000000",
            "deadbeefdeadbeefdeadbeef",
            "a1b2c3d4e5f6g7h8i9j0",
            "1a2b3c4d5e6f7890abcdef12",
            "qwertyuiopasdfghjkl",
            "abababab0000babababa",
        ] {
            assert!(is_run(run.as_bytes()), "{run}");
        }
        for value in ["q8fK2mZr7Lp0", "a91f03c7b2d84e60"] {
            assert!(!is_run(value.as_bytes()), "{value}");
        }
    }
}
