//! How anchors are given to Hyperscan, and a mark of a set of anchors.
//!
//! This file is compiled twice: into the library, and into `build.rs`, which stores the database of the built-in anchors
//! so that a scan does not spend its first 50 milliseconds on compiling it. It uses nothing of the crate.

use hyperscan::{BlockDatabase, Builder, Error, Pattern, PatternFlags, Patterns};

/// An anchor's bytes, and whether case is ignored.
pub(crate) type Literal<'set> = (&'set [u8], bool);

/// Compiles all anchors, as escaped literals, into one block-mode database.
///
/// # Errors
/// What the library says.
pub(crate) fn compile<'set>(anchors: impl Iterator<Item = Literal<'set>>) -> Result<BlockDatabase, Error> {
    let pattern = |(number, (bytes, caseless)): (usize, Literal<'_>)| {
        let flags = if caseless { PatternFlags::CASELESS } else { PatternFlags::empty() };
        let expression: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        let mut pattern = Pattern::with_flags(expression, flags)?;
        pattern.id = Some(number);
        Ok(pattern)
    };
    let patterns: Patterns = anchors.enumerate().map(pattern).collect::<Result<Vec<_>, Error>>()?.into();
    patterns.build()
}

/// Returns a mark that tells one set of anchors from another (FNV-1a over bytes and cases).
pub(crate) fn mark<'set>(anchors: impl Iterator<Item = Literal<'set>>) -> [u8; 8] {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for (bytes, caseless) in anchors {
        bytes.iter().copied().for_each(&mut add);
        add(if caseless { 0xFE } else { 0xFF });
    }
    hash.to_le_bytes()
}
