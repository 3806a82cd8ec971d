//! Where a term ends: the checkpoint that elects another set, and the closing blocks that settle it.
//!
//! ```text
//! term of set A     ... --- kT elects B --- closing --- closing          settled up to kT, nothing above
//!                            '-- term of set B: kT+1 --- kT+2 ---  kT is its genesis, certified by definition
//! ```
//!
//! Safety: set A settles one block at kT by A1.19, and honest nodes begin the term of B only when they have seen it settled.
//! Every node begins it from the same block, so a term is a chain of its own. A vote names its set, and a set its term.

use super::{Bft, MAX_BLOCKS, Output, message::Block};
use antiphon_core::{
    chain::{carried::Carried, certificate::Certificate, header::Header},
    codec::Bounded,
    crypto::merkle,
    id::{BlockId, Height},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// What proves to a node of the old set that its term is over.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Closing {
    /// Height of the checkpoint that ended the term.
    pub height: Height,
    /// The blocks above it, up to the one whose certificate settled it.
    pub blocks: Bounded<Block, MAX_BLOCKS>,
    /// The certificate of the last of them.
    pub certificate: Certificate,
}

/// Returns the certificate of the block that begins a term: by nobody, by definition (A1.13 of genesis).
pub fn term_start(header: &Header) -> Certificate {
    Certificate { block: header.id(), height: header.height, signatures: Bounded::new() }
}

impl Bft {
    /// Returns whether what is built on this header can only close the term.
    pub(super) fn is_closed_by(&self, parent: &Header) -> bool {
        parent.validators_hash == self.set_hash && parent.ends_term()
    }

    /// A closing block changes nothing: it has no transactions, carries nothing, and leaves state, sets and order as they are.
    pub(super) fn may_close(block: &Block, parent: &Header) -> bool {
        let header = &block.signed.header;
        block.body.is_empty()
            && block.carried == Carried::default()
            && header.state_root == parent.state_root
            && header.field_root == merkle::root(&[])
            && header.next() == parent.next()
    }

    /// Cuts what is to be settled, given from high to low, above the checkpoint that ends the term.
    pub(super) fn within_term<'a>(&self, path: &'a [BlockId]) -> &'a [BlockId] {
        let ends = |id: &BlockId| self.tree.header(id).is_some_and(|h| self.is_closed_by(h));
        let last = path.iter().rposition(ends).unwrap_or(0);
        path.get(last..).unwrap_or_default()
    }

    /// Gathers what shows others that the block at `path[0]`, now to be settled, ends the term.
    pub(super) fn closing(&self, last: &BlockId, certified: &Certificate) -> Option<Closing> {
        let header = self.tree.header(last).filter(|header| self.is_closed_by(header))?;
        let mut blocks = Vec::new();
        let mut at = certified.block;
        while at != *last {
            let block = self.tree.entry(&at)?.block.clone();
            at = block.signed.header.parent;
            blocks.push(block);
        }
        blocks.reverse();
        let blocks = Bounded::try_from(blocks).ok()?;
        Some(Closing { height: header.height, blocks, certificate: certified.clone() })
    }

    pub(super) fn end(&mut self, closing: Closing, out: &mut Vec<Output>) {
        self.ended = true;
        out.push(Output::Ended(Box::new(closing)));
    }
}
