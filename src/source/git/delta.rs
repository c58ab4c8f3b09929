//! Git's binary delta: rebuilds an object from its base and tells which bytes it took from there.

use crate::source::git::object::CopiedRun;

/// The two sizes at the head of a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeltaSizes {
    /// The size in bytes that the base must have.
    pub(crate) base: u64,
    /// The size in bytes of the object.
    pub(crate) result: u64,
    /// Where the instructions begin.
    pub(crate) header_length: usize,
}

/// No delta's two sizes take more bytes than this: each has at most 64 bits, 7 a byte.
pub(crate) const LONGEST_HEADER: usize = 20;

const CUT_SHORT: &str = "its delta is cut short";

/// Reads the sizes at the head of a delta, of which the first [`LONGEST_HEADER`] bytes suffice.
pub(crate) fn sizes(delta: &[u8]) -> Result<DeltaSizes, &'static str> {
    let (base, base_length) = size(delta)?;
    let (result, result_length) = size(&delta[base_length..])?;
    Ok(DeltaSizes { base, result, header_length: base_length + result_length })
}

/// Reads a number of 7 bits a byte, the lowest first; returns it with its length in bytes.
fn size(bytes: &[u8]) -> Result<(u64, usize), &'static str> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate() {
        let part = u64::from(byte & 0x7f);
        let shift = 7 * index;
        if shift > 63 || (part << shift) >> shift != part {
            return Err("its delta names a size beyond 64 bits");
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Ok((value, index + 1));
        }
    }
    Err(CUT_SHORT)
}

/// Rebuilds an object from its base and the whole delta, whose sizes were read before; `target` has the result's length.
pub(crate) fn apply_whole(
    base: &[u8],
    delta: &[u8],
    sizes: DeltaSizes,
    target: &mut [u8],
    runs: &mut Vec<CopiedRun>,
) -> Result<(), &'static str> {
    if sizes.base != base.len() as u64 {
        return Err("its delta was made for a base of another size");
    }
    apply(base, &delta[sizes.header_length..], target, runs)
}

/// Carries out `instructions` on `base`, filling `target` to its end. Runs that were copied are appended to `runs`, those
/// that continue each other in base and target joined.
fn apply(base: &[u8], instructions: &[u8], target: &mut [u8], runs: &mut Vec<CopiedRun>) -> Result<(), &'static str> {
    let mut rest = instructions;
    let mut written = 0_usize;
    while let Some((&operation, tail)) = rest.split_first() {
        if operation & 0x80 != 0 {
            let (offset, length, used) = copy_operands(operation, tail).ok_or(CUT_SHORT)?;
            rest = &tail[used..];
            // Both are below 2^32, but their sum need not fit where addresses have 32 bits.
            let end = offset.checked_add(length).ok_or("its delta copies from beyond the base")?;
            let source = base.get(offset..end).ok_or("its delta copies from beyond the base")?;
            put(target, written, source)?;
            note_run(runs, written, offset, length);
            written += length;
        } else if operation != 0 {
            let (literal, tail) = tail.split_at_checked(usize::from(operation)).ok_or(CUT_SHORT)?;
            rest = tail;
            put(target, written, literal)?;
            written += literal.len();
        } else {
            return Err("its delta has an unknown instruction");
        }
    }
    if written == target.len() { Ok(()) } else { Err("its delta makes less than it declares") }
}

#[inline]
fn put(target: &mut [u8], at: usize, bytes: &[u8]) -> Result<(), &'static str> {
    let place = target.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
    place.ok_or("its delta makes more than it declares")?.copy_from_slice(bytes);
    Ok(())
}

/// Reads the operands of a copy: offset, length, and how many bytes they took.
#[inline]
fn copy_operands(operation: u8, bytes: &[u8]) -> Option<(usize, usize, usize)> {
    let mut used = 0;
    let mut operand = |bits: std::ops::Range<u32>| {
        let mut value = 0_u32;
        for (place, bit) in bits.enumerate() {
            if operation >> bit & 1 != 0 {
                value |= u32::from(*bytes.get(used)?) << (8 * place);
                used += 1;
            }
        }
        Some(value as usize)
    };
    let offset = operand(0..4)?;
    let length = operand(4..7)?;
    Some((offset, if length == 0 { 0x1_0000 } else { length }, used))
}

#[inline]
fn note_run(runs: &mut Vec<CopiedRun>, start: usize, base_start: usize, length: usize) {
    if let Some(last) = runs.last_mut()
        && last.start + last.length == start
        && last.base_start + last.length == base_start
    {
        last.length += length;
        return;
    }
    runs.push(CopiedRun { start, base_start, length });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::git::pack_builder::{copy, delta, insert};

    fn applied(base: &[u8], result: usize, instructions: &[Vec<u8>]) -> (Vec<u8>, Vec<CopiedRun>) {
        let delta = delta(base.len() as u64, result as u64, &instructions.concat());
        let sizes = sizes(&delta).expect("sizes");
        let mut target = vec![0; result];
        let mut runs = Vec::new();
        apply_whole(base, &delta, sizes, &mut target, &mut runs).expect("a sound delta");
        (target, runs)
    }

    #[test]
    fn copies_that_continue_each_other_in_both_are_one_run() {
        let (target, runs) = applied(b"0123456789", 9, &[copy(2, 2), copy(4, 3), copy(0, 2), insert(b"x"), copy(2, 1)]);
        assert_eq!(target, b"2345601x2");
        let run = |start, base_start, length| CopiedRun { start, base_start, length };
        assert_eq!(runs, [run(0, 2, 5), run(5, 0, 2), run(8, 2, 1)]);
    }

    #[test]
    fn a_copy_of_length_zero_is_one_of_64_kib_and_left_out_operands_are_zero() {
        let base: Vec<u8> = (0..=255).cycle().take(0x1_0001).collect();
        let (target, _) = applied(&base, 0x1_0001, &[vec![0x80], insert(b"x")]);
        assert_eq!(target, [&base[..0x1_0000], b"x"].concat());
        let (target, _) = applied(&base, 0x100, &[vec![0b1010_0010, 0x01, 0x01]]);
        assert_eq!(target, base[0x100..0x200]);
    }

    #[test]
    fn sizes_take_up_to_64_bits() {
        let longest = delta(u64::MAX, u64::MAX, &[]);
        assert_eq!(longest.len(), LONGEST_HEADER);
        let read = sizes(&longest).expect("sizes");
        assert_eq!(read, DeltaSizes { base: u64::MAX, result: u64::MAX, header_length: LONGEST_HEADER });
        assert!(sizes(&[&[0xff; 9][..], &[2]].concat()).is_err());
        assert!(sizes(&[5]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(base in prop::collection::vec(any::<u8>(), 0..300), delta in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(sizes) = sizes(&delta) {
                let mut target = vec![0; usize::try_from(sizes.result.min(1 << 16)).expect("it is small")];
                let _ = apply_whole(&base, &delta, DeltaSizes { base: base.len() as u64, ..sizes }, &mut target, &mut Vec::new());
            }
        }
    }
}
