//! The floor under recall and silence: what the labelled set of `corpora/` came to may not get worse.

#[path = "../../corpora/set/mod.rs"]
mod set;

use set::measure;

/// Of keys of detectors of medium and high confidence, those found; of those, the ones with the right provider.
const RECALL: f64 = 0.995;
const PROVIDER: f64 = 0.998;
/// Of keys of detectors that are never surer than low, those found.
const RECALL_LOW: f64 = 0.99;
/// Of the contexts that count, the worst.
const WORST_CONTEXT: f64 = 0.99;
/// Of texts without a key, those without a finding at medium and above.
const SILENCE: f64 = 0.9995;

#[test]
fn recall_attribution_and_silence_stay_above_their_floors() {
    let measured = measure::run();
    let misses = &measured.misses[..measured.misses.len().min(20)];
    assert!(measured.recall.all > 15_000, "{:?}", measured.recall);
    assert!(measured.recall.rate() >= RECALL, "{:?}: {misses:#?}", measured.recall);
    assert!(measured.provider.rate() >= PROVIDER, "{:?}: {misses:#?}", measured.provider);
    assert!(measured.recall_low.rate() >= RECALL_LOW, "{:?}", measured.recall_low);
    for (context, share) in &measured.by_context {
        assert!(share.rate() >= WORST_CONTEXT, "{context}: {share:?}: {misses:#?}");
    }
    let silent = measured.silent();
    assert!(silent.all > 20_000 && measured.silence.len() >= 10, "{silent:?}");
    assert!(silent.rate() >= SILENCE, "{silent:?}: {:#?}", measured.alarms);
    for (class, share) in measured.silence.iter().filter(|entry| *entry.0 != "typed") {
        assert_eq!(share.right, share.all, "{class}: {:#?}", measured.alarms);
    }
}
