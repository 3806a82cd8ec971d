//! The blocks above the last settled one, and what is certified among them.
//!
//! ```text
//! root (settled) --- a --- b          valid: executed here
//!              '---- c --- ? --- d    d waits for its parent
//! ```
//!
//! Bounds: at most two blocks for each (epoch, proposer), [`MAX_BLOCKS`] in all (A1.23).

use super::message::Block;
use antiphon_core::{
    chain::{certificate::Certificate, header::Header},
    id::{BlockId, Epoch, Height},
    time::Moment,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most unsettled blocks kept. Chosen here: hours of a chain that cannot settle at the longest timer.
pub const MAX_BLOCKS: usize = 1024;

/// What is known of a block's execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Its parent is unknown or not executed yet.
    Waiting,
    /// The ledger was asked.
    Checking,
    /// Executed; its state is what the header says.
    Valid,
    /// Not what a block may be.
    Invalid,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) block: Block,
    pub(super) status: Status,
    pub(super) seen: Moment,
}

/// How a block was received.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    /// First of its slot.
    New,
    /// The second of its slot: evidence against its proposer, with the first block's id.
    Double(BlockId),
    /// Known, a third of its slot, or no room.
    Refused,
}

#[derive(Debug)]
pub(super) struct Tree {
    root: Header,
    root_id: BlockId,
    blocks: BTreeMap<BlockId, Entry>,
    slots: BTreeMap<(Epoch, u16), Vec<BlockId>>,
    certificates: BTreeMap<BlockId, Certificate>,
    /// The one certified block of each height; a second would break agreement.
    certified: BTreeMap<Height, BlockId>,
}

impl Tree {
    /// Starts above a settled block with its certificate.
    pub(super) fn new(root: Header, certificate: Certificate) -> Self {
        let root_id = root.id();
        let height = root.height;
        Self {
            root,
            root_id,
            blocks: BTreeMap::new(),
            slots: BTreeMap::new(),
            certificates: BTreeMap::from([(root_id, certificate)]),
            certified: BTreeMap::from([(height, root_id)]),
        }
    }

    pub(super) const fn root(&self) -> &Header {
        &self.root
    }

    pub(super) const fn root_id(&self) -> BlockId {
        self.root_id
    }

    pub(super) fn entry(&self, id: &BlockId) -> Option<&Entry> {
        self.blocks.get(id)
    }

    pub(super) fn entry_mut(&mut self, id: &BlockId) -> Option<&mut Entry> {
        self.blocks.get_mut(id)
    }

    /// Returns the header of the root or of an unsettled block.
    pub(super) fn header(&self, id: &BlockId) -> Option<&Header> {
        if *id == self.root_id {
            return Some(&self.root);
        }
        self.blocks.get(id).map(|entry| &entry.block.signed.header)
    }

    /// Returns whether the block's state is known here.
    pub(super) fn is_valid(&self, id: &BlockId) -> bool {
        *id == self.root_id
            || self.blocks.get(id).is_some_and(|entry| entry.status == Status::Valid)
    }

    pub(super) fn admit(&mut self, now: Moment, id: BlockId, block: Block) -> Admitted {
        let header = &block.signed.header;
        let name = (header.epoch, header.proposer_index);
        let held = self.slots.get(&name).map_or(&[][..], Vec::as_slice);
        // A certified block is needed whatever else its proposer signed.
        let wanted = self.certificates.contains_key(&id);
        let full = held.len() >= 2 || self.blocks.len() >= MAX_BLOCKS;
        if held.contains(&id) || (full && !wanted) {
            return Admitted::Refused;
        }
        let slot = self.slots.entry(name).or_default();
        let first = slot.first().copied();
        slot.push(id);
        self.blocks.insert(id, Entry { block, status: Status::Waiting, seen: now });
        first.map_or(Admitted::New, Admitted::Double)
    }

    /// Returns how many blocks, slots and certificates are kept.
    pub(super) fn entries(&self) -> usize {
        let certified = self.certificates.len().saturating_add(self.certified.len());
        self.blocks.len().saturating_add(self.slots.len()).saturating_add(certified)
    }

    /// Returns every unsettled block in the order of ids.
    pub(super) fn executed(&self) -> impl Iterator<Item = (&BlockId, &Entry)> {
        self.blocks.iter()
    }

    /// Returns blocks that wait for nothing but their turn.
    pub(super) fn ready(&self) -> Vec<BlockId> {
        let waiting = self.blocks.iter().filter(|(_, entry)| entry.status == Status::Waiting);
        let ready = waiting.filter(|(_, entry)| self.is_valid(&entry.block.signed.header.parent));
        ready.map(|(id, _)| *id).collect()
    }

    /// Returns the ids from `id` (first) down to the block above the root, or `None` if the way is not known or does
    /// not lead to the root.
    pub(super) fn path(&self, id: &BlockId) -> Option<Vec<BlockId>> {
        let mut path = Vec::new();
        let mut at = *id;
        while at != self.root_id {
            path.push(at);
            at = self.blocks.get(&at)?.block.signed.header.parent;
        }
        Some(path)
    }

    /// Returns the highest block that is missing between `id` and the root; `None` if the way is whole or leads elsewhere
    /// by blocks that were executed.
    pub(super) fn missing(&self, id: &BlockId) -> Option<BlockId> {
        let mut at = *id;
        while let Some(entry) = self.blocks.get(&at) {
            if entry.status != Status::Waiting {
                return None;
            }
            at = entry.block.signed.header.parent;
        }
        (at != self.root_id).then_some(at)
    }

    /// Returns whether `ancestor` is `id` or lies below it, down to the root.
    pub(super) fn descends(&self, id: &BlockId, ancestor: &BlockId) -> bool {
        let mut at = *id;
        loop {
            if at == *ancestor {
                return true;
            }
            match self.blocks.get(&at) {
                Some(entry) => at = entry.block.signed.header.parent,
                None => return false,
            }
        }
    }

    pub(super) fn certificate(&self, id: &BlockId) -> Option<&Certificate> {
        self.certificates.get(id)
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.values()
    }

    /// Keeps a verified certificate. Returns the other block if two are certified at one height.
    pub(super) fn certify(&mut self, certificate: Certificate) -> Result<(), BlockId> {
        if certificate.height < self.root.height {
            return Ok(());
        }
        let held = self.certified.entry(certificate.height).or_insert(certificate.block);
        if *held != certificate.block {
            return Err(*held);
        }
        self.certificates.entry(certificate.block).or_insert(certificate);
        Ok(())
    }

    /// Returns the certificate of greatest height. There always is the root's.
    pub(super) fn highest(&self) -> Option<&Certificate> {
        self.certified.values().next_back().and_then(|id| self.certificates.get(id))
    }

    /// A1.16: the highest valid block in the subtree of `from`; of two the smaller id.
    pub(super) fn tip_above(&self, from: &BlockId) -> Option<BlockId> {
        let valid = self.blocks.iter().filter(|(_, entry)| entry.status == Status::Valid);
        let above = valid.filter(|(id, _)| self.descends(id, from));
        let best =
            above.max_by(|(a, x), (b, y)| x.block.height().cmp(&y.block.height()).then(b.cmp(a)));
        best.map(|(id, _)| *id).or_else(|| self.is_valid(from).then_some(*from))
    }

    /// Makes `id`, one of `path`, the new root and forgets every block that does not build on it.
    /// Returns the settled blocks from low to high with their certificates if known.
    pub(super) fn settle(&mut self, path: &[BlockId]) -> Vec<(BlockId, Block)> {
        let mut settled = Vec::new();
        for id in path.iter().rev() {
            if let Some(entry) = self.blocks.remove(id) {
                settled.push((*id, entry.block));
            }
        }
        if let Some((id, block)) = settled.last() {
            self.root = block.signed.header.clone();
            self.root_id = *id;
        }
        self.forget();
        settled
    }

    fn forget(&mut self) {
        let (height, epoch) = (self.root.height, self.root.epoch);
        let mut gone: BTreeSet<BlockId> = self
            .blocks
            .iter()
            .filter(|(_, entry)| {
                let header = &entry.block.signed.header;
                header.height <= height
                    || header.epoch <= epoch
                    || (header.height == height.plus(1) && header.parent != self.root_id)
            })
            .map(|(id, _)| *id)
            .collect();
        loop {
            let heirs: Vec<BlockId> = self
                .blocks
                .iter()
                .filter(|(id, entry)| {
                    !gone.contains(*id) && gone.contains(&entry.block.signed.header.parent)
                })
                .map(|(id, _)| *id)
                .collect();
            if heirs.is_empty() {
                break;
            }
            gone.extend(heirs);
        }
        self.blocks.retain(|id, _| !gone.contains(id));
        let blocks = &self.blocks;
        self.slots.retain(|_, ids| ids.iter().any(|id| blocks.contains_key(id)));
        self.certified.retain(|at, _| *at >= height);
        self.certificates.retain(|_, certificate| certificate.height >= height);
    }
}
