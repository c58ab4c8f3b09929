//! Trains the character model of `src/filter/characters.rs` from source trees.
//!
//! `cargo run --release --example train -- OUTPUT FOLDER...` reads every source file under the folders and writes the
//! model. The same files give the same model. How the committed one was made is told in `corpora/README.md`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers, run by hand")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use credtrace::filter::characters::{self, MODEL_BYTES, SEPARATOR, SYMBOLS};

/// Files that people write. Lock files and data are left out: they would teach the model hashes.
const EXTENSIONS: [&str; 17] =
    ["rs", "md", "toml", "py", "pyi", "rst", "txt", "c", "h", "js", "ts", "html", "css", "sh", "yml", "yaml", "cpp"];
const LARGEST_FILE: u64 = 1 << 20;
/// How many distinct tokens the model is trained on, chosen by their hashes.
const MOST_TOKENS: usize = 400_000;
const SEED: u64 = 0x6372_6564;
/// How many observations of a trigram weigh as much as its bigram.
const BACK_OFF: f64 = 5.0;

type Counts = HashMap<Vec<u8>, u32>;

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let output = arguments.next().expect("the first argument is where the model is written");
    let mut counts = Counts::new();
    let (mut files, mut bytes) = (0_u64, 0_u64);
    for folder in arguments {
        for path in source_files(&folder) {
            let Ok(text) = std::fs::read(&path) else { continue };
            files += 1;
            bytes += text.len() as u64;
            count_tokens(&text, &mut counts);
        }
    }
    let distinct = counts.len();
    let mut tokens: Vec<(Vec<u8>, u32)> = counts.into_iter().filter(|(token, _)| !holds_a_number(token)).collect();
    tokens.sort_by_cached_key(|(token, _)| order_of(token));
    tokens.truncate(MOST_TOKENS);
    let first = train(&tokens);
    tokens.retain(|(token, _)| token.len() < 14 || characters::weigh_with(&first, token).wordiness >= 0.2);
    let model = train(&tokens);
    std::fs::write(&output, model.as_slice()).unwrap();
    println!("{files} files, {bytes} bytes, {distinct} distinct tokens, {} used", tokens.len());
    println!("tokens {}", hash_of(&mut tokens));
    println!("model  {}", blake3::hash(model.as_slice()).to_hex());
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let path = entry.path();
            let known = path.extension().and_then(|end| end.to_str()).is_some_and(|end| EXTENSIONS.contains(&end));
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_file() && known && metadata.len() <= LARGEST_FILE {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Counts in how many files each token of 5 to 64 characters stands.
fn count_tokens(text: &[u8], counts: &mut Counts) {
    let in_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-');
    let mut tokens: Vec<&[u8]> =
        text.split(|byte| !in_token(byte)).filter(|token| (5..=64).contains(&token.len())).collect();
    tokens.sort_unstable();
    tokens.dedup();
    for token in tokens {
        match counts.get_mut(token) {
            Some(count) => *count += 1,
            None => drop(counts.insert(token.to_vec(), 1)),
        }
    }
}

/// Whether a token is or holds a number: 8 hexadecimal digits or 12 capitals and digits in a row, or more digits than a
/// quarter. Tables of numbers, hashes, ids and keys would teach the model that chance is text.
fn holds_a_number(token: &[u8]) -> bool {
    let run = |least: usize, belongs: &dyn Fn(&u8) -> bool| {
        token.split(|byte| !belongs(byte)).any(|run| run.len() >= least && run.iter().any(u8::is_ascii_digit))
    };
    token.iter().filter(|byte| byte.is_ascii_digit()).count() * 4 > token.len()
        || run(8, &|byte| byte.is_ascii_hexdigit())
        || run(12, &|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn order_of(token: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&SEED.to_le_bytes()).update(token);
    *hasher.finalize().as_bytes()
}

fn hash_of(tokens: &mut [(Vec<u8>, u32)]) -> String {
    tokens.sort();
    let mut hasher = blake3::Hasher::new();
    for (token, count) in tokens.iter() {
        hasher.update(token).update(&count.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Trigrams with back-off to bigrams and single symbols; a token counts once and the logarithm of its files more.
fn train(tokens: &[(Vec<u8>, u32)]) -> Box<[u8; MODEL_BYTES]> {
    let mut single = [1.0_f64; SYMBOLS];
    let mut pairs = vec![0.0_f64; SYMBOLS * SYMBOLS];
    let mut triples = vec![0.0_f64; MODEL_BYTES];
    for (token, count) in tokens {
        let weight = 1.0 + f64::from(*count).ln();
        let (mut before, mut last) = (SEPARATOR, SEPARATOR);
        for byte in token {
            let next = characters::symbol(*byte);
            single[next] += weight;
            pairs[last * SYMBOLS + next] += weight;
            triples[(before * SYMBOLS + last) * SYMBOLS + next] += weight;
            (before, last) = if next == SEPARATOR { (SEPARATOR, SEPARATOR) } else { (last, next) };
        }
    }
    let all: f64 = single.iter().sum();
    let mut model = Box::new([0_u8; MODEL_BYTES]);
    for last in 0..SYMBOLS {
        let row = &pairs[last * SYMBOLS..(last + 1) * SYMBOLS];
        let seen: f64 = row.iter().sum();
        let pair = |next: usize| (row[next] + BACK_OFF * single[next] / all) / (seen + BACK_OFF);
        for before in 0..SYMBOLS {
            let start = (before * SYMBOLS + last) * SYMBOLS;
            let seen: f64 = triples[start..start + SYMBOLS].iter().sum();
            for next in 0..SYMBOLS {
                let chance = (triples[start + next] + BACK_OFF * pair(next)) / (seen + BACK_OFF);
                model[start + next] = (chance.ln() * 16.0).round().clamp(-128.0, 0.0) as i8 as u8;
            }
        }
    }
    model
}
