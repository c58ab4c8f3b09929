//! Sequences and repetitions: values that a person typed by rolling over the keyboard. A random value is lost to these
//! tests less than once in a thousand times.

/// Returns whether a value is mostly one character, a rising or falling sequence, or a short piece repeated.
pub fn is_run(value: &[u8]) -> bool {
    longest(value, |left, right| left == right) >= 6
        || longest(value, |left, right| right == left.wrapping_add(1)) >= 8
        || longest(value, |left, right| left == right.wrapping_add(1)) >= 8
        || is_periodic(value)
}

/// The length of the longest stretch in which each neighbouring pair fits.
fn longest(value: &[u8], fits: impl Fn(u8, u8) -> bool) -> usize {
    let (mut best, mut current) = (value.len().min(1), 1);
    for pair in value.windows(2) {
        current = if fits(pair[0], pair[1]) { current + 1 } else { 1 };
        best = best.max(current);
    }
    best
}

/// Whether a value of 12 bytes and more equals itself, shifted by 1 to 16 places, in more than half of them.
fn is_periodic(value: &[u8]) -> bool {
    if value.len() < 12 {
        return false;
    }
    (1..=16.min(value.len() / 2)).any(|shift| {
        let equal = value.iter().zip(&value[shift..]).filter(|(left, right)| left == right).count();
        // Hexadecimal digits agree by chance in one place of sixteen; digits in one of ten.
        equal * 5 >= (value.len() - shift) * 3 && equal >= 8
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
        ] {
            assert!(is_run(run.as_bytes()), "{run}");
        }
        for value in ["q8fK2mZr7Lp0", "a91f03c7b2d84e60"] {
            assert!(!is_run(value.as_bytes()), "{value}");
        }
    }
}
