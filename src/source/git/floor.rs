//! The floor of every walk: each entry of each pack inflated once, and nothing done with it. Benchmarks measure a scan by
//! how many times as long it takes; no scan calls this.

use libdeflater::Decompressor;
use rayon::prelude::*;

use crate::source::git::buffers::Buffer;
use crate::source::git::objects::Objects;
use crate::source::git::pack::Pack;

/// What was inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inflated {
    /// How many entries, objects and deltas.
    pub entries: u64,
    /// How many bytes they came to.
    pub bytes: u64,
    /// How many entries could not be inflated.
    pub damaged: u64,
}

impl Objects {
    /// Inflates every entry of every pack once, in the order of the pack, on the threads of the current rayon pool.
    #[doc(hidden)]
    pub fn inflate_packs(&self) -> Inflated {
        self.packs.iter().map(|pack| self.inflate_pack(pack)).fold(Inflated::default(), add)
    }

    fn inflate_pack(&self, pack: &Pack) -> Inflated {
        let mut offsets: Vec<u64> = (0..pack.index.count()).filter_map(|entry| pack.index.offset(entry)).collect();
        offsets.sort_unstable();
        let buffers = || (Decompressor::new(), Buffer::default());
        let inflated = offsets.par_iter().map_init(buffers, |(inflater, buffer), offset| {
            let header = pack.header(*offset).ok();
            let read = header.filter(|header| pack.inflate(header, &self.limits, inflater, buffer).is_ok());
            read.map_or(Inflated { damaged: 1, ..Inflated::default() }, |header| Inflated {
                entries: 1,
                bytes: header.size,
                damaged: 0,
            })
        });
        inflated.reduce(Inflated::default, add)
    }
}

fn add(left: Inflated, right: Inflated) -> Inflated {
    Inflated {
        entries: left.entries + right.entries,
        bytes: left.bytes + right.bytes,
        damaged: left.damaged + right.damaged,
    }
}
