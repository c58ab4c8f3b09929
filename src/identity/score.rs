//! How sure a link is, as a number: one figure a tier, and for a redacted form what its visible characters are worth against
//! the size of the inventory.
//!
//! A figure never stands alone in a report: tier and reason go with it. Nothing here reads records.

/// A keyed fingerprint, a digest of the provider or the fingerprint of a public key: 128 bits and more agree.
pub const EXACT: f64 = 1.0;
/// A public id that names one secret.
pub const PUBLIC_ID: f64 = 0.98;
/// A public id that may own several secrets.
pub const SHARED_PUBLIC_ID: f64 = 0.95;
/// The most that a redacted form may reach: what a wrong idea of the prefix, a cut value or a new format leaves open.
pub const HINT_CAP: f64 = 0.97;
/// Below this a redacted form names nobody, it only suggests.
pub const HINT_ASSERTS: f64 = 0.5;
/// The account alone.
pub const ACCOUNT: f64 = 0.40;
/// The most that one sign of the surroundings may add.
pub const CONTEXT_EACH: f64 = 0.25;
/// The most that all signs of the surroundings reach together.
pub const CONTEXT_TOGETHER: f64 = 0.35;
/// How likely it is before any evidence that a leaked value is in the inventory at all.
pub const PRIOR: f64 = 0.5;

/// Returns how sure a redacted form is that fits: `bits` is what its visible variable characters are worth, `records` how
/// many records of the type there are.
pub fn of_hint(bits: f64, records: u64) -> f64 {
    posterior(bits, records, PRIOR).min(HINT_CAP)
}

/// Returns the share of each of `count` records that fit equally well.
pub fn of_tie(score: f64, count: usize) -> f64 {
    score / count.max(1) as f64
}

/// Returns how likely the record that fits is the right one: each of the other records fits by chance with `2^-bits`.
fn posterior(bits: f64, records: u64, prior: f64) -> f64 {
    let chance = records.max(1) as f64 * (-bits.max(0.0)).exp2();
    prior / (prior + (1.0 - prior) * chance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_of_hints_is_reproduced() {
        for (bits, records, expected, places) in [
            (16.0, 10, 0.9998, 4),
            (16.0, 100, 0.9985, 4),
            (16.0, 1000, 0.985, 3),
            (18.0, 10, 0.99996, 5),
            (18.0, 100, 0.9996, 4),
            (18.0, 1000, 0.996, 3),
            (24.0, 1000, 0.9999, 4),
        ] {
            let unit = 10_f64.powi(-places);
            let score = posterior(bits, records, PRIOR);
            assert!((score - expected).abs() <= unit, "{bits} bits among {records}: {score}");
        }
        assert!(posterior(30.0, 1000, PRIOR) > 0.999_999);
    }

    proptest! {
        #[test]
        fn a_score_falls_as_records_grow_and_never_passes_the_cap(bits in 0.0_f64..64.0, records in 1_u64..1_000_000, more in 1_u64..1_000_000) {
            let (few, many) = (posterior(bits, records, PRIOR), posterior(bits, records + more, PRIOR));
            prop_assert!(many < few || bits > 45.0 && many <= few);
            prop_assert!(of_hint(bits, records + more) <= of_hint(bits, records));
            prop_assert!(of_hint(bits, records) <= HINT_CAP);
        }

        #[test]
        fn a_score_grows_with_what_is_visible(bits in 0.0_f64..40.0, more in 0.1_f64..8.0, records in 1_u64..1_000_000) {
            prop_assert!(of_hint(bits, records) <= of_hint(bits + more, records));
            prop_assert!(posterior(bits, records, PRIOR) < posterior(bits + more, records, PRIOR));
        }

        #[test]
        fn the_scores_of_a_tie_sum_to_no_more_than_the_unique_score(bits in 0.0_f64..64.0, records in 1_u64..100_000, count in 1_usize..200) {
            let unique = of_hint(bits, records);
            let sum: f64 = (0..count).map(|_| of_tie(unique, count)).sum();
            prop_assert!(sum <= unique + 1e-9);
        }
    }
}
