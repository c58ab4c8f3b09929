//! Prints what credtrace finds and keeps silent about, over the labelled set of this folder. `make corpora` runs it; with
//! `--details` it prints every miss and every false alarm.

#![allow(clippy::print_stdout, reason = "a program for developers, run by hand")]

#[path = "set/mod.rs"]
mod set;

use std::collections::BTreeMap;
use std::fmt::Display;

use set::measure::{self, Measured, Share};

/// How many credentials of each detector stand in each context.
const EACH: u32 = 2;

fn main() {
    let measured = measure::run(EACH);
    println!(
        "{} of keys found at medium and above, {} of them with the right provider",
        percent(measured.recall),
        percent(measured.provider)
    );
    println!("{} of keys found of detectors that are never surer than low", percent(measured.recall_low));
    println!("{} of texts without a key kept silent about, at medium and above", percent(measured.silent()));
    let contexts = measured.by_context.len();
    println!("{contexts} contexts in all, at least {} for every provider", measured.fewest_contexts());
    let megabytes = measured.bytes as f64 / 1e6;
    println!("{megabytes:.1} MB of small texts at {:.0} MB/s on one thread\n", megabytes / measured.time.as_secs_f64());
    table("Keys found, by context", &measured.by_context, |_| true);
    table("Silence at medium and above, by class", &measured.silence, |_| true);
    table("Silence at low, by class", &measured.silence_low, |_| true);
    table("Providers below 100 %", &measured.by_provider, |share| share.right < share.all);
    table("Detectors below 100 %", &measured.by_detector, |share| share.right < share.all);
    alarms(&measured);
}

fn percent(share: Share) -> String {
    format!("{:.2} % ({} of {})", share.rate() * 100.0, share.right, share.all)
}

fn table<Name: Display>(title: &str, rows: &BTreeMap<Name, Share>, shown: impl Fn(&Share) -> bool) {
    println!("### {title}\n\n| what | right | of | % |\n|---|---|---|---|");
    for (name, share) in rows.iter().filter(|row| shown(row.1)) {
        println!("| {name} | {} | {} | {:.1} |", share.right, share.all, share.rate() * 100.0);
    }
    println!();
}

fn alarms(measured: &Measured) {
    if std::env::args().any(|argument| argument == "--details") {
        for (what, detector, text) in measured.misses.iter().chain(&measured.alarms) {
            println!("{what}: {detector}: {text:?}");
        }
    }
}
