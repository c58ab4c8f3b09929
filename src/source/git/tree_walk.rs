//! One thread of a walk: goes down delta trees depth first, holding as few objects as it can, and hands each out.

use std::mem;

use libdeflater::Decompressor;

use crate::source::git::buffers::{Buffer, BufferPool};
use crate::source::git::delta;
use crate::source::git::forest::{Forest, Root, RootSort};
use crate::source::git::loose::LooseObject;
use crate::source::git::object::{CopiedRun, Inherited, Object, ObjectId, ObjectKind, Unread, UnreadReason, Visitor};
use crate::source::git::objects::Objects;
use crate::source::git::pack::Pack;

/// A larger scratch buffer is given back after use.
const LARGEST_KEPT: usize = 4 << 20;

/// So many bytes of a pack are read before the pack is told.
const TOUCHED_STEP: u64 = 1 << 20;

/// One thread of a walk.
pub(crate) struct TreeWalker<'walk, V: Visitor> {
    objects: &'walk Objects,
    kinds: &'walk [ObjectKind],
    visitor: &'walk V,
    worker: V::Worker,
    inflater: Decompressor,
    pool: BufferPool,
    delta: Buffer,
    body: Vec<u8>,
    runs: Vec<CopiedRun>,
    stack: Vec<Frame<V::State>>,
    /// The bytes of all objects that the stack and the current step hold.
    held: u64,
    /// Entries that the stack had no room for, to be made when it is empty.
    postponed: Vec<u32>,
    unread: Vec<Unread>,
    /// How many bytes were read of a pack that it was not yet told of.
    touched: u64,
}

/// An object some of whose delta children are still to be made.
struct Frame<State> {
    entry: u32,
    next_child: usize,
    buffer: Buffer,
    /// What the visitor made of it; none where another store hands the object out.
    state: Option<State>,
}

/// The tree that is being walked.
#[derive(Clone, Copy)]
struct Tree<'walk> {
    pack: &'walk Pack,
    forest: &'walk Forest,
    kind: ObjectKind,
}

impl<'walk, V: Visitor> TreeWalker<'walk, V> {
    /// Sets up a thread.
    pub(crate) fn new(objects: &'walk Objects, kinds: &'walk [ObjectKind], visitor: &'walk V) -> Self {
        Self {
            objects,
            kinds,
            visitor,
            worker: visitor.worker(),
            inflater: Decompressor::new(),
            pool: BufferPool::default(),
            delta: Buffer::default(),
            body: Vec::new(),
            runs: Vec::new(),
            stack: Vec::new(),
            held: 0,
            postponed: Vec::new(),
            unread: Vec::new(),
            touched: 0,
        }
    }

    /// Returns what could not be read.
    pub(crate) fn into_unread(self) -> Vec<Unread> {
        self.unread
    }

    /// Hands out the objects of one delta tree.
    pub(crate) fn tree(&mut self, pack: &'walk Pack, forest: &'walk Forest, root: &Root) {
        if forest.weight(root.entry) == 0 {
            return;
        }
        let made = match root.sort {
            RootSort::Whole(kind) if !self.kinds.contains(&kind) => return,
            RootSort::Whole(kind) => self.inflate_root(pack, forest, root).map(|buffer| (kind, buffer)),
            RootSort::Outside(base) => match self.objects.kind(&base) {
                Some(kind) if !self.kinds.contains(&kind) => return,
                _ => self.build_on_outside(pack, forest, root, &base),
            },
            RootSort::Broken(how) => Err(damaged(how)),
        };
        match made.or_else(|reason| self.recover(pack, forest, root.entry).ok_or(reason)) {
            Ok((kind, _)) if !self.kinds.contains(&kind) => {}
            Ok((kind, buffer)) => {
                let tree = Tree { pack, forest, kind };
                let grown = self.grow(tree, root.entry, buffer, None);
                self.stack.extend(grown);
                self.descend(tree);
                self.catch_up(tree);
            }
            Err(reason) => self.fail(pack, forest, root.entry, reason),
        }
    }

    /// Makes what the stack had no room for, each from its whole chain of deltas, and all below it.
    fn catch_up(&mut self, tree: Tree<'walk>) {
        while let Some(entry) = self.postponed.pop() {
            let id = tree.pack.index.id(tree.forest.position(entry));
            match self.objects.read(&id) {
                Ok(Some((kind, bytes))) if kind == tree.kind => {
                    let grown = self.grow(tree, entry, Buffer::from(bytes), None);
                    self.stack.extend(grown);
                    self.descend(tree);
                }
                Ok(_) => self.fail(tree.pack, tree.forest, entry, damaged("it is of another kind than its base")),
                Err(failed) => self.fail(tree.pack, tree.forest, entry, failed.reason),
            }
        }
    }

    /// Tells of deltas that are their own base.
    pub(crate) fn looped(&mut self, pack: &Pack, forest: &Forest) {
        for &entry in forest.looped.iter().filter(|entry| !forest.is_repeated(**entry)) {
            match self.recover(pack, forest, entry) {
                Some((kind, buffer)) if self.kinds.contains(&kind) => {
                    self.visit(pack.index.id(forest.position(entry)), kind, buffer.bytes(), None);
                }
                Some(_) => {}
                None => self.note(pack, forest, entry, damaged("its chain of delta bases leads back to itself")),
            }
        }
    }

    /// Hands out the objects in one of the 256 folders of a loose store that no pack and no earlier store hands out.
    pub(crate) fn loose(&mut self, store: usize, folder: u8) {
        let objects = self.objects;
        let ids = match objects.loose[store].list(folder) {
            Ok(ids) => ids,
            Err(error) => {
                let place = objects.loose[store].folder_path(folder).display().to_string();
                self.unread.push(Unread { id: None, place, reason: UnreadReason::Damaged(error.to_string()) });
                return;
            }
        };
        let is_elsewhere = |id: &ObjectId| {
            objects.packs.iter().any(|pack| pack.index.find(id).is_some())
                || objects.loose[..store].iter().any(|earlier| earlier.contains(id))
        };
        for id in ids.iter().filter(|id| !is_elsewhere(id)) {
            self.loose_object(store, id);
        }
    }

    fn loose_object(&mut self, store: usize, id: &ObjectId) {
        let mut body = mem::take(&mut self.body);
        let loose = &self.objects.loose[store];
        let failure = match loose.read(id, self.kinds, &self.objects.limits, &mut body) {
            Ok(LooseObject::Whole(kind)) => {
                self.visit(*id, kind, &body, None);
                None
            }
            Ok(LooseObject::OtherKind) => None,
            Ok(LooseObject::Absent) => Some(damaged("it was removed while it was to be read; scan again")),
            Err(reason) => Some(reason),
        };
        match failure.map(|reason| (reason, self.read_elsewhere(id))) {
            Some((_, Some((kind, bytes)))) if self.kinds.contains(&kind) => {
                self.visit(*id, kind, &bytes, None);
            }
            Some((reason, None)) => {
                self.unread.push(Unread { id: Some(*id), place: loose.path(id).display().to_string(), reason });
            }
            _ => {}
        }
        if body.capacity() > LARGEST_KEPT {
            body = Vec::new();
        }
        self.body = body;
    }

    /// Reads from another store what this one failed to give out.
    fn recover(&self, pack: &Pack, forest: &Forest, entry: u32) -> Option<(ObjectKind, Buffer)> {
        let (kind, bytes) = self.read_elsewhere(&pack.index.id(forest.position(entry)))?;
        Some((kind, Buffer::from(bytes)))
    }

    fn read_elsewhere(&self, id: &ObjectId) -> Option<(ObjectKind, Vec<u8>)> {
        self.objects.is_stored_twice(id).then(|| self.objects.read(id).ok().flatten()).flatten()
    }

    fn inflate_root(&mut self, pack: &Pack, forest: &Forest, root: &Root) -> Result<Buffer, UnreadReason> {
        let limits = &self.objects.limits;
        self.touch(pack, forest, root.entry);
        let header = pack.header(forest.offset(root.entry)).map_err(damaged)?;
        let mut buffer = self.pool.take(limits.check(header.size)?);
        match pack.inflate(&header, limits, &mut self.inflater, &mut buffer) {
            Ok(()) => Ok(buffer),
            Err(reason) => {
                self.pool.give_back(buffer);
                Err(reason)
            }
        }
    }

    fn build_on_outside(
        &mut self,
        pack: &Pack,
        forest: &Forest,
        root: &Root,
        base: &ObjectId,
    ) -> Result<(ObjectKind, Buffer), UnreadReason> {
        let missing = || UnreadReason::Damaged(format!("its delta base {base} is in no store"));
        let found = self.objects.read(base).map_err(|failed| failed.reason)?;
        let (kind, bytes) = found.ok_or_else(missing)?;
        let built = self.build(pack, forest, root.entry, &bytes)?;
        Ok((kind, built.expect("the stack is empty where a tree begins")))
    }

    /// Makes everything below the frames on the stack.
    fn descend(&mut self, tree: Tree<'walk>) {
        while let Some(mut frame) = self.stack.pop() {
            let children = tree.forest.children(frame.entry);
            let Some(&child) = children.get(frame.next_child) else {
                self.release(frame.buffer);
                continue;
            };
            frame.next_child += 1;
            let is_last = frame.next_child == children.len();
            let built = self.build(tree.pack, tree.forest, child, frame.buffer.bytes());
            let base_length = frame.buffer.length();
            // The base's bytes are free for others before the child is looked at, unless further children need them.
            let (last_state, kept) = if is_last {
                self.release(frame.buffer);
                (frame.state, None)
            } else {
                (None, Some(frame))
            };
            let state = kept.as_ref().map_or(last_state.as_ref(), |frame| frame.state.as_ref());
            let base = state.map(|state| (state, base_length));
            let grown = self.grow_child(tree, child, built, base);
            self.stack.extend(kept);
            self.stack.extend(grown);
        }
    }

    /// Hands out a delta child, from another store where it could not be made, or tells of it.
    fn grow_child(
        &mut self,
        tree: Tree<'walk>,
        child: u32,
        built: Result<Option<Buffer>, UnreadReason>,
        base: Option<(&V::State, usize)>,
    ) -> Option<Frame<V::State>> {
        let reason = match built {
            Ok(Some(buffer)) => return self.grow(tree, child, buffer, base),
            Ok(None) => {
                self.postponed.push(child);
                return None;
            }
            Err(reason) => reason,
        };
        match self.recover(tree.pack, tree.forest, child) {
            Some((kind, buffer)) if kind == tree.kind => self.grow(tree, child, buffer, None),
            _ => {
                self.fail(tree.pack, tree.forest, child, reason);
                None
            }
        }
    }

    /// Hands out an object, unless another store does; returns it as a frame if it has children.
    fn grow(
        &mut self,
        tree: Tree<'walk>,
        entry: u32,
        buffer: Buffer,
        base: Option<(&V::State, usize)>,
    ) -> Option<Frame<V::State>> {
        self.held += buffer.length() as u64;
        let state = if tree.forest.is_repeated(entry) {
            None
        } else {
            let id = tree.pack.index.id(tree.forest.position(entry));
            Some(self.visit(id, tree.kind, buffer.bytes(), base))
        };
        if tree.forest.children(entry).is_empty() {
            self.release(buffer);
            return None;
        }
        Some(Frame { entry, next_child: 0, buffer, state })
    }

    fn visit(&mut self, id: ObjectId, kind: ObjectKind, data: &[u8], base: Option<(&V::State, usize)>) -> V::State {
        let inherited = base.map(|(base, base_length)| Inherited { base, base_length, runs: &self.runs });
        self.visitor.visit(&mut self.worker, Object { id, kind, data, inherited })
    }

    fn release(&mut self, buffer: Buffer) {
        self.held -= buffer.length() as u64;
        self.pool.give_back(buffer);
    }

    /// Counts what is read of a pack, which gives memory back now and then.
    fn touch(&mut self, pack: &Pack, forest: &Forest, entry: u32) {
        self.touched = self.touched.saturating_add(forest.stored_length(entry));
        if self.touched >= TOUCHED_STEP {
            pack.touched(mem::take(&mut self.touched));
        }
    }

    /// Makes an object from its base and its delta; what it copied is then in `runs`. Returns none where the stack has no
    /// room for it.
    fn build(&mut self, pack: &Pack, forest: &Forest, entry: u32, base: &[u8]) -> Result<Option<Buffer>, UnreadReason> {
        let limits = &self.objects.limits;
        self.touch(pack, forest, entry);
        let header = pack.header(forest.offset(entry)).map_err(damaged)?;
        pack.inflate(&header, limits, &mut self.inflater, &mut self.delta)?;
        let sizes = delta::sizes(self.delta.bytes()).map_err(damaged)?;
        let length = limits.check(sizes.result)?;
        if !self.stack.is_empty() && self.held.saturating_add(sizes.result) > limits.max_stack_bytes {
            return Ok(None);
        }
        let mut buffer = self.pool.take(length);
        self.runs.clear();
        let applied = delta::apply_whole(base, self.delta.bytes(), sizes, buffer.bytes_mut(), &mut self.runs);
        self.delta.shrink(LARGEST_KEPT);
        match applied {
            Ok(()) => Ok(Some(buffer)),
            Err(how) => {
                self.pool.give_back(buffer);
                Err(damaged(how))
            }
        }
    }

    /// Tells of an entry that could not be read, and of all that would have been made from it.
    fn fail(&mut self, pack: &Pack, forest: &Forest, entry: u32, reason: UnreadReason) {
        let id = pack.index.id(forest.position(entry));
        let mut waiting = forest.children(entry).to_vec();
        while let Some(entry) = waiting.pop() {
            waiting.extend_from_slice(forest.children(entry));
            if !forest.is_repeated(entry) {
                let reason = match &reason {
                    UnreadReason::TooLarge { size } => {
                        UnreadReason::TooLarge { size: size_of_delta(pack, forest, entry, *size) }
                    }
                    UnreadReason::Damaged(_) => {
                        UnreadReason::Damaged(format!("{id}, which it is a delta of, is damaged"))
                    }
                };
                self.note(pack, forest, entry, reason);
            }
        }
        if !forest.is_repeated(entry) {
            self.note(pack, forest, entry, reason);
        }
    }

    fn note(&mut self, pack: &Pack, forest: &Forest, entry: u32, reason: UnreadReason) {
        let id = Some(pack.index.id(forest.position(entry)));
        self.unread.push(Unread { id, place: pack.place(forest.offset(entry)), reason });
    }
}

/// Returns the size of the object that a delta makes, or that of its base where the delta does not say.
fn size_of_delta(pack: &Pack, forest: &Forest, entry: u32, base: u64) -> u64 {
    let sizes = pack.header(forest.offset(entry)).and_then(|header| pack.delta_sizes(&header));
    sizes.map_or(base, |sizes| sizes.result)
}

fn damaged(how: &'static str) -> UnreadReason {
    UnreadReason::Damaged(how.into())
}
