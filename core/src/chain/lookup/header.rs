//! How the header of a height hangs on a believed head.
//!
//! ```text
//! final head F --certificate of F's guardians--> checkpoint --cp_link--> checkpoint --parent--> ... --parent--> header
//!              '----------------------- cp_link ----------------'
//! settled, included head ----------------------------------------------- parent ------------------> header
//! ```
//!
//! A certificate leaps over what lies between, and is only taken of the set that signed the trusted checkpoint: where an
//! older set signed, the first checkpoint of the acting set is reached by certificate, and what is below it by hashes.

use super::{Base, Facts, Halt, LookupError, MAX_LINKS, Proven, Running, Way};
use crate::{
    chain::{
        Level,
        header::{Header, MAX_HEADER},
        light::{
            Checkpoint, File, Head, Light, LightError, MAX_CHECKPOINT, MAX_SET, MAX_SPAN, Span,
        },
        set::{GuardianSet, ValidatorSet},
    },
    codec,
    crypto::Hash,
    id::{BlockId, ChainId, Height},
};
use alloc::vec::Vec;

impl Running {
    /// Takes in a file: headers and spans are hashed at once, the rest is judged where it is needed.
    pub(super) fn learn_file(
        &mut self,
        file: File,
        bytes: Option<Vec<u8>>,
    ) -> Result<(), LookupError> {
        match (&file, bytes) {
            (File::Header(block), Some(bytes)) => {
                let header: Header = codec::decode(&bytes, MAX_HEADER)?;
                if header.chain_id != self.base.chain {
                    return Err(LightError::WrongChain.into());
                }
                if header.id() != *block {
                    return Err(LightError::WrongContent.into());
                }
                self.facts.headers.insert(*block, header);
            }
            (File::Span(_), Some(bytes)) => {
                let span: Span = codec::decode(&bytes, MAX_SPAN)?;
                // What no hash leads to stays unused, as headers are only looked up by their ids.
                for header in span.into_vec() {
                    if header.chain_id != self.base.chain {
                        return Err(LightError::WrongChain.into());
                    }
                    self.facts.headers.insert(header.id(), header);
                }
                self.facts.files.insert(file, None);
            }
            (_, bytes) => {
                self.facts.files.insert(file, bytes);
            }
        }
        Ok(())
    }

    /// Returns the header at a height, how far it is believed, and the way to it.
    pub(super) fn header_at(
        &mut self,
        light: &Light,
        height: Height,
    ) -> Result<(Proven, Header), Halt> {
        let Some(head) = self.base.above(height).cloned() else {
            let is_known = !self.base.heads.is_empty();
            return Err(if is_known { LookupError::Ahead } else { LookupError::NotReady }.into());
        };
        let mut way = Way { head: head.header.height, ..Way::default() };
        let level = head.level;
        let mut header = if level == Level::Final {
            self.checkpoint_above(&head.header, height, &mut way)?
        } else {
            head.header
        };
        // Two steps by parents are as quick as the span, which may be long.
        if self.base.is_checkpoint(header.height) && header.height.0 > height.0.saturating_add(2) {
            self.facts.span(header.id())?;
        }
        while header.height > height {
            header = self.facts.below(&header, header.parent)?;
            way.parents = way.parents.saturating_add(1);
            if header.height < height {
                return Err(LightError::BrokenChain.into());
            }
        }
        Ok((under(light, &header, level, way), header))
    }

    /// Returns the checkpoint at or above a height that is nearest to it.
    fn checkpoint_above(
        &mut self,
        head: &Header,
        height: Height,
        way: &mut Way,
    ) -> Result<Header, Halt> {
        let wanted = self.base.checkpoint_above(height);
        if wanted >= head.height {
            return Ok(head.clone());
        }
        let signing = self.facts.guardians(self.base.chain, head.guardians_hash)?;
        if let Some(header) = self.certified(head, wanted, &signing)? {
            way.certificate = Some(wanted);
            return Ok(header);
        }
        let first = signing.since.plus(self.base.interval);
        let mut from = head.clone();
        if wanted < first
            && first < head.height
            && let Some(header) = self.certified(head, first, &signing)?
        {
            way.certificate = Some(first);
            from = header;
        }
        let between = from.height.0.saturating_sub(wanted.0);
        if between.checked_div(self.base.interval).is_none_or(|links| links > MAX_LINKS) {
            return Err(LookupError::TooFar.into());
        }
        while from.height > wanted {
            from = self.facts.below(&from, from.cp_link)?;
            way.links = way.links.saturating_add(1);
        }
        if from.height == wanted { Ok(from) } else { Err(LightError::BrokenChain.into()) }
    }

    /// Returns the header at a checkpoint's height if the guardians that signed the head have signed it, too. One that
    /// others signed, or that has no certificate, is `None`.
    fn certified(
        &mut self,
        head: &Header,
        at: Height,
        signing: &GuardianSet,
    ) -> Result<Option<Header>, Halt> {
        if let Some(known) = self.facts.certified.get(&at) {
            return Ok(Some(known.clone()));
        }
        let Some(Checkpoint { header, certificate }) = self.facts.finalised(at)? else {
            return Ok(None);
        };
        if header.guardians_hash != head.guardians_hash {
            return Ok(None);
        }
        let is_named = (certificate.block, certificate.height) == (header.id(), header.height);
        if header.chain_id != self.base.chain || header.height != at || !is_named {
            return Err(LightError::WrongBlock.into());
        }
        certificate.verify(self.base.chain, signing)?;
        self.facts.certified.insert(at, header.clone());
        Ok(Some(header))
    }
}

impl Base {
    pub(super) fn is_checkpoint(&self, height: Height) -> bool {
        height.0 > 0 && height.0.checked_rem(self.interval) == Some(0)
    }

    /// Returns the least height of a checkpoint that is not below `height`.
    fn checkpoint_above(&self, height: Height) -> Height {
        Height(height.0.max(1).checked_next_multiple_of(self.interval).unwrap_or(u64::MAX))
    }
}

impl Facts {
    /// Returns the header of this id, which `child` commits; it must be below it.
    pub(super) fn below(&self, child: &Header, id: BlockId) -> Result<Header, Halt> {
        let Some(header) = self.headers.get(&id) else {
            let file = File::Header(id);
            let is_missing = self.files.contains_key(&file);
            return Err(if is_missing { LookupError::Missing.into() } else { Halt::Fetch(file) });
        };
        // Heights that do not fall would be walked for ever.
        let falls = header.height < child.height && header.time < child.time;
        if falls { Ok(header.clone()) } else { Err(LightError::BrokenChain.into()) }
    }

    /// Asks for the span below a checkpoint, once; who lacks it serves the headers one by one.
    pub(super) fn span(&self, checkpoint: BlockId) -> Result<(), Halt> {
        let file = File::Span(checkpoint);
        if self.files.contains_key(&file) { Ok(()) } else { Err(Halt::Fetch(file)) }
    }

    /// Returns the bytes of a file, or `None` if it cannot be had.
    pub(super) fn file(&self, file: File) -> Result<Option<&[u8]>, Halt> {
        self.files.get(&file).map(Option::as_deref).ok_or(Halt::Fetch(file))
    }

    /// Returns what is served as final at a height. Unverified.
    pub(super) fn finalised(&self, at: Height) -> Result<Option<Checkpoint>, Halt> {
        let bytes = self.file(File::Final(at))?;
        Ok(bytes.map(|bytes| codec::decode(bytes, MAX_CHECKPOINT)).transpose()?)
    }

    /// Returns the set of guardians of this hash.
    pub(super) fn guardians(&self, chain: ChainId, hash: Hash) -> Result<GuardianSet, Halt> {
        let bytes = self.file(File::Guardians(hash))?.ok_or(LookupError::Missing)?;
        let set: GuardianSet = codec::decode(bytes, MAX_SET)?;
        if set.hash(chain) == hash { Ok(set) } else { Err(LightError::WrongContent.into()) }
    }

    /// Returns the set of validators of this hash.
    pub(super) fn validators(&self, chain: ChainId, hash: Hash) -> Result<ValidatorSet, Halt> {
        let bytes = self.file(File::Validators(hash))?.ok_or(LookupError::Missing)?;
        let set: ValidatorSet = codec::decode(bytes, MAX_SET)?;
        if set.hash(chain) == hash { Ok(set) } else { Err(LightError::WrongContent.into()) }
    }
}

/// Says under which block something is shown.
pub(super) fn under(light: &Light, header: &Header, level: Level, way: Way) -> Proven {
    Proven {
        level,
        height: header.height,
        block: header.id(),
        root: header.state_root,
        time: header.time.0,
        way,
        is_witnessed: light.is_witnessed(header.height),
    }
}

/// Says that something is shown under a head itself.
pub(super) fn at_head(light: &Light, head: &Head) -> Proven {
    let way = Way { head: head.header.height, ..Way::default() };
    under(light, &head.header, head.level, way)
}
