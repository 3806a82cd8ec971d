//! Who signed a block, what is in it, and who finalised a checkpoint.

use super::{
    BlockFound, CheckpointFound, Halt, LookupError, Proven, Running, Signed, Way,
    header::{at_head, under},
};
use crate::{
    chain::{
        header::Header,
        light::{Body, File, Light, LightError, MAX_BODY_FILE},
        transaction::{SignedTransaction, decode_transaction},
    },
    codec,
    crypto::merkle,
    id::Height,
};
use alloc::vec::Vec;

/// Most headers in one answer. Chosen here: a page of them.
const MAX_BLOCKS: u64 = 32;

impl Running {
    pub(super) fn block(&mut self, light: &Light, height: Height) -> Result<BlockFound, Halt> {
        let (proven, header) = self.header_at(light, height)?;
        let signed = self.signed(light, &header)?;
        let transactions = self.transactions(&header)?;
        Ok(BlockFound { proven, header, signed, transactions })
    }

    /// Returns the certificate that the block above carries for this one, verified under the committee that the block
    /// itself commits (A1.13): it needs no trust in the block above.
    fn signed(&mut self, light: &Light, header: &Header) -> Result<Option<Signed>, Halt> {
        let above = header.height.plus(1);
        if self.base.above(above).is_none() {
            return Ok(None);
        }
        let (_, child) = self.header_at(light, above)?;
        if child.hcc.block != header.id() || child.hcc.signatures.is_empty() {
            return Ok(None);
        }
        let validators = self.facts.validators(self.base.chain, header.validators_hash)?;
        child.hcc.verify(self.base.chain, &validators)?;
        let places = child.hcc.signatures.iter().map(|entry| entry.index).collect();
        Ok(Some(Signed { validators, places }))
    }

    /// Returns the transactions of a block; `None` if nobody serves them.
    pub(super) fn transactions(
        &self,
        header: &Header,
    ) -> Result<Option<Vec<SignedTransaction>>, Halt> {
        if header.tx_root == merkle::root(&[]) {
            return Ok(Some(Vec::new()));
        }
        let Some(bytes) = self.facts.file(File::Body(header.id()))? else { return Ok(None) };
        let body: Body = codec::decode(bytes, MAX_BODY_FILE)?;
        let leaves: Vec<_> = body.iter().map(|tx| merkle::leaf_hash(tx)).collect();
        if merkle::root(&leaves) != header.tx_root {
            return Err(LookupError::WrongBody.into());
        }
        let transactions: Result<_, _> = body.iter().map(|tx| decode_transaction(tx)).collect();
        Ok(Some(transactions?))
    }

    /// Returns the headers from a height down to the checkpoint below it, highest first.
    pub(super) fn blocks(
        &mut self,
        light: &Light,
        height: Height,
    ) -> Result<Vec<(Proven, Header)>, Halt> {
        let (mut proven, mut header) = self.header_at(light, height)?;
        let mut all = alloc::vec![(proven, header.clone())];
        let below = |header: &Header| Height(header.height.0.saturating_sub(1));
        while !self.base.is_checkpoint(below(&header))
            && header.height.0 > 1
            && (all.len() as u64) < MAX_BLOCKS
        {
            header = self.facts.below(&header, header.parent)?;
            let id = header.id();
            // Where the walk meets a head that is believed further, the rest is believed as far.
            let met = self.base.heads.iter().find(|head| head.block == id);
            let parents = proven.way.parents.saturating_add(1);
            let way = Way { parents, ..proven.way };
            proven = match met.filter(|head| head.level > proven.level) {
                Some(head) => at_head(light, head),
                None => under(light, &header, proven.level, way),
            };
            all.push((proven, header.clone()));
        }
        Ok(all)
    }

    pub(super) fn checkpoint(
        &mut self,
        light: &Light,
        height: Height,
    ) -> Result<CheckpointFound, Halt> {
        if !self.base.is_checkpoint(height) {
            return Err(LookupError::NotCheckpoint.into());
        }
        let (proven, header) = self.header_at(light, height)?;
        let guardians = self.facts.guardians(self.base.chain, header.guardians_hash)?;
        let certificate = match self.facts.finalised(height)? {
            None => None,
            Some(held) => {
                let named = (held.certificate.block, held.certificate.height);
                if held.header != header || named != (proven.block, height) {
                    return Err(LightError::WrongBlock.into());
                }
                held.certificate.verify(self.base.chain, &guardians)?;
                Some(held.certificate)
            }
        };
        Ok(CheckpointFound { proven, header, guardians, certificate })
    }
}
