//! Sees what every node writes and says, and knows what must never be seen: two blocks settled at one height (A10.3),
//! two signatures of one key in one slot (A10.2, A10.4), a signature that is said and not on the disk (A0.6), finality
//! ahead of settlement.

use antiphon_core::{
    chain::certificate::Vote,
    crypto::Hash,
    id::{BlockId, Height},
};
use antiphon_node::{
    bft::message::Message,
    guardian,
    storage::{Role, Signature, Write},
    supernode::wire::Wire,
};
use std::collections::{BTreeMap, BTreeSet};

/// What all nodes together did.
#[derive(Debug, Default)]
pub struct Witness {
    /// The one block settled at each height.
    pub settled: BTreeMap<Height, BlockId>,
    /// The one block finalised at each height.
    pub finalised: BTreeMap<Height, BlockId>,
    /// Every block that a node spoke for, by node, role, set and slot.
    spoken: BTreeMap<(usize, Role, Hash, u64), BlockId>,
    /// The same of what it wrote, by node, role, term and slot.
    written: BTreeMap<(usize, Role, u64, u64), BlockId>,
    /// What each node has on its disk as signed, whatever the term.
    logged: BTreeSet<(usize, Role, u64, BlockId)>,
    /// Nodes that may do anything.
    pub foes: BTreeSet<usize>,
}

impl Witness {
    /// Sees a batch that became durable.
    pub fn wrote(&mut self, node: usize, batch: &[Write]) {
        if self.foes.contains(&node) {
            return;
        }
        for write in batch {
            match write {
                Write::Settle(settlement) => {
                    let (height, id) = (settlement.settled.block.height(), settlement.settled.id);
                    let known = *self.settled.entry(height).or_insert(id);
                    assert_eq!(known, id, "node {node} settled another block at {height:?}");
                }
                Write::Final(certificate) => {
                    let (height, id) = (certificate.height, certificate.block);
                    let known = *self.finalised.entry(height).or_insert(id);
                    assert_eq!(known, id, "node {node} finalised another block at {height:?}");
                    assert!(self.settled.contains_key(&height), "final before settled");
                }
                Write::Signed(signature) => {
                    let Signature { role, term, slot, block } = *signature;
                    let known = *self.written.entry((node, role, term, slot)).or_insert(block);
                    assert_eq!(known, block, "node {node} writes twice as {role:?} in slot {slot}");
                    self.logged.insert((node, role, slot, block));
                }
                Write::Safety(_)
                | Write::Keep(_)
                | Write::Guardian(_)
                | Write::Closing(_)
                | Write::Offence(_) => {}
            }
        }
    }

    /// Sees a message that left a node. Only what names its place in the set is its own; the rest it passes on.
    pub fn said(&mut self, node: usize, place: impl Fn(&Hash) -> Option<u16>, bytes: &[u8]) {
        let is_own = |set: &Hash, index: u16| place(set) == Some(index);
        if self.foes.contains(&node) {
            return;
        }
        match Wire::decode(bytes) {
            Ok(Wire::Bft(Message::Vote(signed))) => {
                if is_own(&signed.vote.validators_hash, signed.index) {
                    self.votes(node, &signed.vote);
                }
            }
            Ok(Wire::Bft(Message::EpochChange(change))) => {
                let last = change.last_vote;
                let own = last.filter(|held| is_own(&held.vote.validators_hash, held.index));
                if let Some(held) = own {
                    self.votes(node, &held.vote);
                }
            }
            Ok(Wire::Bft(Message::Block(block))) => {
                let header = &block.signed.header;
                if is_own(&header.validators_hash, header.proposer_index) {
                    let slot = (header.validators_hash, header.epoch.0);
                    self.speaks(node, Role::Proposal, slot, block.id());
                }
            }
            Ok(Wire::Guardian(guardian::Message::Share(share))) => {
                let slot = (Hash::default(), share.vote.height.0);
                self.speaks(node, Role::Share, slot, share.vote.block);
            }
            // A first sum of one share is that share, said to a neighbour.
            Ok(Wire::Guardian(guardian::Message::Tally(tally)))
                if tally.round == 1 && tally.counts.iter().sum::<u32>() == 1 =>
            {
                let slot = (Hash::default(), tally.vote.height.0);
                self.speaks(node, Role::Share, slot, tally.vote.block);
            }
            Ok(_) => {}
            Err(error) => panic!("node {node} says nonsense: {error}"),
        }
    }

    fn votes(&mut self, node: usize, vote: &Vote) {
        self.speaks(node, Role::Vote, (vote.validators_hash, vote.height.0), vote.block);
    }

    fn speaks(&mut self, node: usize, role: Role, (set, slot): (Hash, u64), block: BlockId) {
        let known = *self.spoken.entry((node, role, set, slot)).or_insert(block);
        assert_eq!(known, block, "node {node} signs twice as {role:?} in slot {slot}");
        let is_logged = self.logged.contains(&(node, role, slot, block));
        assert!(is_logged, "node {node} speaks as {role:?} of slot {slot} before it is stored");
    }
}
