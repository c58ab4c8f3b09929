//! Compiles the detector files into the tables that the program starts with.
//!
//! A broken detector is a build error that names file, line and reason. Two tables are written: `rules.bin` is all that
//! looking for anchors needs, `facts.bin` what is known of each credential, which a scan decodes when it first finds one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[path = "src/detector/compile/mod.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "the library uses the rest")]
mod compile;

#[cfg(feature = "hyperscan")]
#[path = "src/matcher/patterns.rs"]
mod patterns;

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=detectors");
    println!("cargo:rerun-if-changed=src/detector/compile");
    println!("cargo:rerun-if-changed=src/matcher/patterns.rs");
    match write_tables() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!("cargo::error={reason}");
            ExitCode::FAILURE
        }
    }
}

fn write_tables() -> Result<(), String> {
    let files = read_files(Path::new("detectors"))?;
    let set = compile::compile(&files).map_err(|error| error.to_string())?;
    let count = u16::try_from(set.detectors.len()).map_err(|_| "more than 65,535 detectors".to_owned())?;
    let rules = postcard::to_allocvec(&(count, &set.rules, &set.anchors)).map_err(|error| error.to_string())?;
    let facts = postcard::to_allocvec(&set.detectors).map_err(|error| error.to_string())?;
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let mut tables = vec![("rules.bin", rules), ("facts.bin", facts)];
    tables.extend(database(&set.anchors)?.map(|bytes| ("anchors.hs", bytes)));
    for (name, bytes) in tables {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Returns the mark of the anchors and their database, where the program is built with Hyperscan.
#[cfg(feature = "hyperscan")]
fn database(anchors: &[compile::Anchor]) -> Result<Option<Vec<u8>>, String> {
    let literals = || anchors.iter().map(|anchor| (anchor.bytes.as_slice(), anchor.caseless));
    let database = patterns::compile(literals()).map_err(|error| format!("Hyperscan: {error}"))?;
    let mut bytes = patterns::mark(literals()).to_vec();
    bytes.extend_from_slice(&database.serialize().map_err(|error| format!("Hyperscan: {error}"))?);
    Ok(Some(bytes))
}

#[cfg(not(feature = "hyperscan"))]
fn database(_anchors: &[compile::Anchor]) -> Result<Option<Vec<u8>>, String> {
    Ok(None)
}

fn read_files(folder: &Path) -> Result<Vec<compile::SourceFile>, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        println!("cargo:rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        files.push(compile::SourceFile { path, text });
    }
    Ok(files)
}
