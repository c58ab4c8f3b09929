//! The floor under recall and silence: what the labelled set of `corpora/` came to may not get worse.

#[path = "../../corpora/set/mod.rs"]
mod set;

use set::measure;

/// Of keys of detectors of medium and high confidence, those found; of those, the ones with the right provider.
const RECALL: f64 = 0.997;
const PROVIDER: f64 = 0.998;
/// Of keys of detectors that are never surer than low, those found.
const RECALL_LOW: f64 = 0.98;
/// Of the contexts that count, the worst.
const WORST_CONTEXT: f64 = 0.97;
/// Of texts without a key, those without a finding at medium and above.
const SILENCE: f64 = 0.9995;

#[test]
fn recall_attribution_and_silence_stay_above_their_floors() {
    let measured = measure::run(1);
    let misses = &measured.misses[..measured.misses.len().min(20)];
    assert!(measured.fewest_contexts() >= 47, "{:?}", measured.contexts_of);
    assert!(measured.recall.all > 25_000, "{:?}", measured.recall);
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

/// Returns the provider of a key that several providers share, from what stands round it.
fn provider_of(before: &str, after: &str) -> serde_json::Value {
    use credtrace::detector::example::Generator;
    let scratch = crate::harness::Scratch::new();
    let key = set::expand("sk-{32:hex}", &mut Generator::new(77));
    scratch.write("a.txt", format!("{before}{key}{after}\n"));
    let run = scratch.scan(&["--min-confidence", "low", "a.txt"]).status(1);
    run.finding(&key)["provider"].clone()
}

#[test]
fn of_two_providers_near_a_shared_shape_the_nearer_one_is_named_and_without_any_none() {
    let far = "# dashscope is another choice\nbase = https://api.deepseek.com\nkey = ";
    assert_eq!(provider_of(far, ""), "deepseek");
    let near = "# deepseek is another choice\nbase = https://dashscope.aliyuncs.com\nkey = ";
    assert_ne!(provider_of(near, ""), "deepseek");
    assert!(provider_of("key = ", "").is_null());
}

#[test]
fn a_credential_of_any_provider_names_none() {
    use credtrace::detector::example::Generator;
    let scratch = crate::harness::Scratch::new();
    let password = set::expand("{20:alnum}", &mut Generator::new(78));
    scratch.write("a.txt", format!("https://deploy:{password}@git.acme.io/x and https://admin:{password}@acme.io\n"));
    let run = scratch.scan(&["a.txt"]).status(1);
    let finding = run.finding(&password);
    assert!(finding["provider"].is_null(), "{finding}");
    assert_eq!(finding["provider_candidates"], serde_json::json!([]));
}
