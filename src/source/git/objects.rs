//! Every object store of one repository as one: packs, loose objects and alternates. It finds and reads single objects;
//! handing out all of them is the business of `walk`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libdeflater::Decompressor;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::source::git::alternates::object_folders;
use crate::source::git::buffers::Buffer;
use crate::source::git::delta;
use crate::source::git::loose::{LooseObject, LooseStore};
use crate::source::git::object::{ObjectId, ObjectKind, Unread, UnreadReason};
use crate::source::git::pack::{EntryHeader, EntrySort, Pack, PackFault};

/// Every kind of object.
pub const ALL_KINDS: [ObjectKind; 4] = [ObjectKind::Commit, ObjectKind::Tree, ObjectKind::Blob, ObjectKind::Tag];

/// How much a repository may make the walk hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The largest object that is read, in bytes; a larger one is told of as [`UnreadReason::TooLarge`].
    pub max_object_bytes: u64,
    /// How many bytes of objects one thread may hold while it goes down a delta tree. What there is no room for is made
    /// later, from its whole chain of deltas and without a base to inherit from. An object and its base are held whatever
    /// this says.
    pub max_stack_bytes: u64,
    /// How many deltas [`Objects::read`] follows to make one object. Git makes chains of at most 4,095; a walk has no such
    /// limit.
    pub max_chain_length: usize,
}

impl Default for Limits {
    /// Objects of 100 MiB, stacks of 256 MiB and chains of 10,000 deltas.
    fn default() -> Self {
        Self { max_object_bytes: 100 << 20, max_stack_bytes: 256 << 20, max_chain_length: 10_000 }
    }
}

impl Limits {
    /// Returns a declared size as a length in memory, if it is within the limit.
    pub(crate) fn check(&self, size: u64) -> Result<usize, UnreadReason> {
        let too_large = UnreadReason::TooLarge { size };
        if size > self.max_object_bytes {
            return Err(too_large);
        }
        usize::try_from(size).map_err(|_| too_large)
    }
}

/// Every object store of one repository.
#[derive(Debug)]
pub struct Objects {
    /// The packs, the one with most objects first.
    pub(crate) packs: Vec<Pack>,
    pub(crate) loose: Vec<LooseStore>,
    pub(crate) limits: Limits,
    unopened: Vec<Unread>,
    repeated: OnceLock<Vec<Vec<bool>>>,
}

/// Where an object is stored.
enum Location {
    Packed { pack: usize, offset: u64 },
    Loose { store: usize },
}

/// How a packed object is made: from what it begins with, and the deltas to it, the last one first.
struct Chain {
    deltas: Vec<(usize, EntryHeader)>,
    end: ChainEnd,
}

enum ChainEnd {
    Packed { pack: usize, header: EntryHeader, kind: ObjectKind },
    Loose { store: usize, id: ObjectId },
}

impl Objects {
    /// Opens the objects folder of a repository, its alternates, and the folders `extra` with theirs, which the caller may
    /// have from `GIT_OBJECT_DIRECTORY` and `GIT_ALTERNATE_OBJECT_DIRECTORIES`. What is named but cannot be used is in
    /// [`Objects::unopened`].
    ///
    /// # Errors
    /// A repository whose ids are SHA-256, and an objects folder that cannot be read.
    pub fn open(objects_folder: &Path, extra: &[PathBuf], limits: Limits) -> Result<Self> {
        std::fs::read_dir(objects_folder).map_err(Error::io(objects_folder))?;
        refuse_declared_long_ids(objects_folder)?;
        let mut unopened = Vec::new();
        let mut packs = Vec::new();
        let mut loose = Vec::new();
        for folder in object_folders(objects_folder, extra, &mut unopened) {
            open_packs(&folder, &mut packs, &mut unopened)?;
            loose.push(LooseStore::new(&folder));
        }
        unopened.extend(packs.iter().filter_map(Pack::disagreement));
        packs.sort_by_key(|pack| std::cmp::Reverse(pack.index.count()));
        Ok(Self { packs, loose, limits, unopened, repeated: OnceLock::new() })
    }

    /// Returns what was found at fault on opening: packs without a usable index, alternates that cannot be read. A scan
    /// that met one is not complete. [`Objects::walk`] does not repeat them.
    pub fn unopened(&self) -> &[Unread] {
        &self.unopened
    }

    /// Guesses how many loose objects there are.
    pub(crate) fn loose_estimate(&self) -> u64 {
        self.loose.iter().map(LooseStore::estimate).sum()
    }

    /// Returns whether any store has an object.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.locations(id).next().is_some()
    }

    /// Returns the kind of an object without reading it, or none where no store has it or none can say.
    pub fn kind(&self, id: &ObjectId) -> Option<ObjectKind> {
        self.locations(id).find_map(|location| self.kind_at(id, &location).ok())
    }

    /// Reads one object, from whichever store has it whole; none where no store has it. For many objects use
    /// [`Objects::walk`], which is far cheaper.
    ///
    /// # Errors
    /// Where every store that has it fails to give it out.
    pub fn read(&self, id: &ObjectId) -> Result<Option<(ObjectKind, Vec<u8>)>, Unread> {
        self.read_within(id, &self.limits)
    }

    /// Reads one object as [`Objects::read`] does, under limits of the caller's.
    ///
    /// # Errors
    /// Where every store that has it fails to give it out.
    pub(crate) fn read_within(&self, id: &ObjectId, limits: &Limits) -> Result<Option<(ObjectKind, Vec<u8>)>, Unread> {
        let mut failure = None;
        for location in self.locations(id) {
            let result = match location {
                Location::Packed { pack, offset } => self.read_packed(pack, offset, limits).map(Some),
                Location::Loose { store } => self.read_loose(store, id, limits),
            };
            match result {
                Ok(Some(object)) => return Ok(Some(object)),
                Ok(None) => {}
                Err(reason) => {
                    failure.get_or_insert(Unread { id: Some(*id), place: self.place(id, &location), reason });
                }
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// Returns, for each pack, by index position which objects an earlier pack or an earlier position has; an empty list
    /// stands for none.
    pub(crate) fn repeated(&self) -> &[Vec<bool>] {
        self.repeated.get_or_init(|| (0..self.packs.len()).map(|pack| self.repeated_in(pack)).collect())
    }

    fn repeated_in(&self, pack: usize) -> Vec<bool> {
        let index = &self.packs[pack].index;
        let earlier = &self.packs[..pack];
        let flags: Vec<bool> = (0..index.count())
            .into_par_iter()
            .map(|position| {
                let id = index.id(position);
                position > 0 && index.id(position - 1) == id
                    || earlier.iter().any(|pack| pack.index.find(&id).is_some())
            })
            .collect();
        if flags.contains(&true) { flags } else { Vec::new() }
    }

    /// Returns every place where an object is stored, packs first.
    fn locations(&self, id: &ObjectId) -> impl Iterator<Item = Location> {
        let packed = self.packs.iter().enumerate().filter_map(|(pack, opened)| {
            let offset = opened.index.offset(opened.index.find(id)?)?;
            Some(Location::Packed { pack, offset })
        });
        let loose = self.loose.iter().enumerate().filter(|(_, opened)| opened.contains(id));
        packed.chain(loose.map(|(store, _)| Location::Loose { store }))
    }

    /// Returns whether more than one store has an object.
    pub(crate) fn is_stored_twice(&self, id: &ObjectId) -> bool {
        self.locations(id).nth(1).is_some()
    }

    fn place(&self, id: &ObjectId, location: &Location) -> String {
        match location {
            Location::Packed { pack, offset } => self.packs[*pack].place(*offset),
            Location::Loose { store } => self.loose[*store].path(id).display().to_string(),
        }
    }

    fn kind_at(&self, id: &ObjectId, location: &Location) -> Result<ObjectKind, UnreadReason> {
        let end = match location {
            Location::Packed { pack, offset } => self.chain(*pack, *offset)?.end,
            Location::Loose { store } => ChainEnd::Loose { store: *store, id: *id },
        };
        match end {
            ChainEnd::Packed { kind, .. } => Ok(kind),
            ChainEnd::Loose { store, id } => self.loose[store].kind(&id),
        }
    }

    fn read_loose(
        &self,
        store: usize,
        id: &ObjectId,
        limits: &Limits,
    ) -> Result<Option<(ObjectKind, Vec<u8>)>, UnreadReason> {
        let mut body = Vec::new();
        Ok(match self.loose[store].read(id, &ALL_KINDS, limits, &mut body)? {
            LooseObject::Whole(kind) => Some((kind, body)),
            LooseObject::OtherKind | LooseObject::Absent => None,
        })
    }

    fn read_packed(&self, pack: usize, offset: u64, limits: &Limits) -> Result<(ObjectKind, Vec<u8>), UnreadReason> {
        let chain = self.chain(pack, offset)?;
        let mut inflater = Decompressor::new();
        let mut buffer = Buffer::default();
        let (kind, mut bytes) = match chain.end {
            ChainEnd::Packed { pack, header, kind } => {
                self.packs[pack].inflate(&header, limits, &mut inflater, &mut buffer)?;
                (kind, buffer.bytes().to_vec())
            }
            ChainEnd::Loose { store, id } => self
                .read_loose(store, &id, limits)?
                .ok_or_else(|| UnreadReason::Damaged(format!("its delta base {id} is gone")))?,
        };
        let mut runs = Vec::new();
        for (pack, header) in chain.deltas.iter().rev() {
            self.packs[*pack].inflate(header, limits, &mut inflater, &mut buffer)?;
            let sizes = delta::sizes(buffer.bytes()).map_err(damaged)?;
            let mut target = vec![0; limits.check(sizes.result)?];
            runs.clear();
            delta::apply_whole(&bytes, buffer.bytes(), sizes, &mut target, &mut runs).map_err(damaged)?;
            bytes = target;
        }
        Ok((kind, bytes))
    }

    /// Follows the deltas from an entry to a whole object, reading headers alone.
    fn chain(&self, pack: usize, offset: u64) -> Result<Chain, UnreadReason> {
        let mut deltas = Vec::new();
        let mut at = (pack, offset);
        while deltas.len() <= self.limits.max_chain_length {
            let (pack, offset) = at;
            let header = self.packs[pack].header(offset).map_err(damaged)?;
            let base = match header.sort {
                EntrySort::Whole(kind) => return Ok(Chain { deltas, end: ChainEnd::Packed { pack, header, kind } }),
                EntrySort::OffsetDelta(offset) => Location::Packed { pack, offset },
                EntrySort::IdDelta(id) => match self.base(pack, &id)? {
                    Location::Loose { store } => {
                        deltas.push((pack, header));
                        return Ok(Chain { deltas, end: ChainEnd::Loose { store, id } });
                    }
                    packed => packed,
                },
            };
            deltas.push((pack, header));
            if let Location::Packed { pack, offset } = base {
                at = (pack, offset);
            }
        }
        Err(UnreadReason::Damaged("its chain of deltas is too long, or leads back to itself".into()))
    }

    /// Finds a delta base that is named by id: in the same pack, else wherever it is.
    fn base(&self, pack: usize, id: &ObjectId) -> Result<Location, UnreadReason> {
        let index = &self.packs[pack].index;
        if let Some(offset) = index.find(id).and_then(|position| index.offset(position)) {
            return Ok(Location::Packed { pack, offset });
        }
        let found = self.locations(id).next();
        found.ok_or_else(|| UnreadReason::Damaged(format!("its delta base {id} is in no store")))
    }
}

fn damaged(how: &'static str) -> UnreadReason {
    UnreadReason::Damaged(how.into())
}

fn long_ids(path: &Path) -> Error {
    let reason = "its ids are SHA-256, which cannot be read yet; repositories with SHA-1 ids can".into();
    Error::Repository { path: path.into(), reason }
}

/// Reads in the repository's own configuration whether its ids are SHA-256.
fn refuse_declared_long_ids(objects_folder: &Path) -> Result<()> {
    let Some(repository) = objects_folder.parent() else { return Ok(()) };
    let Ok(config) = std::fs::read_to_string(repository.join("config")) else { return Ok(()) };
    let declares = |line: &str| {
        let setting = line.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"')));
        setting.is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("objectformat") && value.eq_ignore_ascii_case("sha256")
        })
    };
    if config.lines().any(declares) { Err(long_ids(repository)) } else { Ok(()) }
}

/// Opens the packs of one objects folder.
fn open_packs(folder: &Path, packs: &mut Vec<Pack>, unopened: &mut Vec<Unread>) -> Result<()> {
    let folder = folder.join("pack");
    let names = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>()),
    };
    let unread = |path: &Path, how: String| Unread {
        id: None,
        place: path.display().to_string(),
        reason: UnreadReason::Damaged(how),
    };
    let mut names = match names {
        Ok(names) => names,
        Err(error) => {
            unopened.push(unread(&folder, format!("this folder of packs cannot be read: {error}")));
            return Ok(());
        }
    };
    names.sort();
    let has_extension = |path: &Path, wanted: &str| path.extension().is_some_and(|extension| extension == wanted);
    for path in names {
        if has_extension(&path, "pack") {
            match Pack::open(&path) {
                Ok(pack) => packs.push(pack),
                Err(PackFault::LongIds) => return Err(long_ids(&path)),
                Err(PackFault::Unusable(how)) => unopened.push(unread(&path, how)),
            }
        } else if has_extension(&path, "idx") && !path.with_extension("pack").exists() {
            unopened.push(unread(&path, "the pack that this index belongs to is missing".into()));
        }
    }
    Ok(())
}
