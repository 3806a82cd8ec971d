//! How trust moves: checkpoints by guardians (A7.2), settled blocks by validators (A7.4, A1.18).

use super::{Checkpoint, File, Light, LightError, MAX_CHECKPOINT, MAX_SET, Output, Tip, Trusted};
use crate::{
    chain::{
        certificate::CertificateError,
        header::{Header, MAX_HEADER},
        set::{GuardianSet, ValidatorSet},
    },
    codec,
    crypto::Hash,
    id::{BlockId, Height},
    time::UnixMillis,
};
use alloc::vec::Vec;

impl Light {
    pub(super) fn learn_tip(&mut self, tip: Tip, out: &mut Vec<Output>) -> Result<(), LightError> {
        let trusted_height = self.trusted.as_ref().map_or(Height(0), |trusted| trusted.height);
        if tip.final_height < trusted_height {
            // A source that lags: nothing wrong, nothing new.
            return Ok(());
        }
        self.headers.retain(|block, _| tip.chain.contains(block));
        // A liar can name headers with new sets for ever; only those that still matter are kept.
        let expected = self.expected_validators();
        let is_committed = |hash: &Hash| self.headers.values().any(|h| h.validators_hash == *hash);
        self.validators.retain(|hash, _| Some(*hash) == expected || is_committed(hash));
        self.tip = Some(tip);
        self.follow(out)
    }

    pub(super) fn learn_header(
        &mut self,
        block: BlockId,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let header: Header = codec::decode(bytes, MAX_HEADER)?;
        if header.chain_id != self.chain {
            return Err(LightError::WrongChain);
        }
        if header.id() != block {
            return Err(LightError::WrongContent);
        }
        if self.tip.as_ref().is_some_and(|tip| tip.chain.contains(&block)) {
            self.headers.insert(block, header);
        }
        self.follow(out)
    }

    pub(super) fn learn_checkpoint(
        &mut self,
        clock: UnixMillis,
        block: BlockId,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let checkpoint: Checkpoint = codec::decode(bytes, MAX_CHECKPOINT)?;
        if checkpoint.header.chain_id != self.chain {
            return Err(LightError::WrongChain);
        }
        if checkpoint.header.id() != block {
            return Err(LightError::WrongContent);
        }
        self.accept_checkpoint(clock, &checkpoint)?;
        out.push(Output::Keep(bytes.to_vec()));
        out.push(Output::Advanced);
        self.follow(out)
    }

    /// Moves trust to a checkpoint, or says why not. Source: A7.1, A7.2.
    pub(super) fn accept_checkpoint(
        &mut self,
        clock: UnixMillis,
        checkpoint: &Checkpoint,
    ) -> Result<(), LightError> {
        let Checkpoint { header, certificate } = checkpoint;
        let block = header.id();
        let Some(spec) = &self.spec else { return Err(LightError::WrongSpec) };
        if header.chain_id != self.chain {
            return Err(LightError::WrongChain);
        }
        if (certificate.block, certificate.height) != (block, header.height) {
            return Err(LightError::WrongBlock);
        }
        if !spec.is_checkpoint(header.height) {
            return Err(LightError::NotCheckpoint);
        }
        if header.time > clock.plus(spec.drift) {
            return Err(LightError::FromFuture);
        }
        // A7.1: an old anchor may be signed by keys that have nothing to lose any more.
        let anchor_time = self.trusted.as_ref().map_or(header.time, |trusted| trusted.time);
        if clock.since(anchor_time) >= spec.trusting_period {
            return Err(LightError::TrustExpired);
        }
        if let Some(trusted) = &self.trusted {
            if header.height <= trusted.height || header.time <= trusted.time {
                return Err(LightError::NotAhead);
            }
            // A7.2: every final header commits the next set, so a change cannot be left out.
            if header.guardians_hash != trusted.next_guardians {
                return Err(LightError::UnknownGuardians);
            }
        } else if self.anchor != super::Anchor::Checkpoint(block) {
            return Err(LightError::WrongBlock);
        }
        let set = self.guardians.get(&header.guardians_hash).ok_or(LightError::UnknownGuardians)?;
        certificate.verify(self.chain, set)?;
        if self.settled.as_ref().is_some_and(|old| old.height == header.height && old != header) {
            return Err(LightError::Conflict);
        }
        let signed = certificate.signers.iter().map(|byte| byte.count_ones()).sum();
        let all = u32::try_from(set.members.len()).unwrap_or(u32::MAX);
        self.trusted = Some(Trusted {
            height: header.height,
            block,
            time: header.time,
            next_guardians: header.next_guardians_hash,
            header: Some(header.clone()),
            signers: (signed, all),
        });
        Ok(())
    }

    pub(super) fn learn_guardians(
        &mut self,
        hash: Hash,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let set: GuardianSet = codec::decode(bytes, MAX_SET)?;
        if set.hash(self.chain) != hash {
            return Err(LightError::WrongContent);
        }
        self.guardians.insert(hash, set);
        self.request_missing(out);
        Ok(())
    }

    pub(super) fn learn_validators(
        &mut self,
        hash: Hash,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let set: ValidatorSet = codec::decode(bytes, MAX_SET)?;
        if set.hash(self.chain) != hash {
            return Err(LightError::WrongContent);
        }
        self.validators.insert(hash, set);
        self.follow(out)
    }

    /// Asks for whatever the tip names and we lack.
    pub(super) fn request_missing(&mut self, out: &mut Vec<Output>) {
        let mut wanted = Vec::new();
        if let (Some(tip), Some(trusted)) = (&self.tip, &self.trusted) {
            if !self.guardians.contains_key(&trusted.next_guardians) {
                wanted.push(File::Guardians(trusted.next_guardians));
            } else if tip.final_height > trusted.height {
                wanted.push(File::Checkpoint(tip.final_block));
            }
            let unknown = tip.chain.iter().filter(|block| !self.headers.contains_key(block));
            wanted.extend(unknown.map(|block| File::Header(*block)));
        }
        let committed = self.headers.values().map(|header| header.validators_hash);
        let unknown = committed.filter(|hash| !self.validators.contains_key(hash));
        wanted.extend(unknown.take(1).map(File::Validators));
        for file in wanted {
            self.ask(file, out);
        }
    }

    /// Moves the settled and included heads once everything the tip names is here.
    pub(super) fn follow(&mut self, out: &mut Vec<Output>) -> Result<(), LightError> {
        self.request_missing(out);
        let (Some(tip), Some(trusted)) = (&self.tip, &self.trusted) else { return Ok(()) };
        if tip.final_height != trusted.height {
            return Ok(());
        }
        let found: Option<Vec<&Header>> = tip.chain.iter().map(|b| self.headers.get(b)).collect();
        let Some(headers) = found.filter(|headers| !headers.is_empty()) else { return Ok(()) };
        check_links(&headers, trusted)?;
        let settled = self.settled_in(tip, &headers)?;
        let included = headers.last().map(|header| (*header).clone());
        let mut moved = false;
        if let Some(header) = settled
            && self.settled.as_ref().is_none_or(|old| old.height < header.height)
        {
            self.settled = Some(header);
            moved = true;
        }
        if included.is_some() && included != self.included {
            self.included = included;
            moved = true;
        }
        if moved {
            out.push(Output::Advanced);
        }
        Ok(())
    }

    /// Returns the block that the tip's certificate settles among linked headers: its block's parent (A1.18).
    fn settled_in(&self, tip: &Tip, headers: &[&Header]) -> Result<Option<Header>, LightError> {
        let certified = tip.chain.iter().position(|block| *block == tip.certificate.block);
        let pair =
            certified.and_then(|i| Some((*headers.get(i.checked_sub(1)?)?, *headers.get(i)?)));
        let Some((parent, child)) = pair.filter(|(_, child)| child.hcc.block == child.parent)
        else {
            return Ok(None);
        };
        if tip.certificate.height != child.height {
            return Err(LightError::WrongBlock);
        }
        // What stands above a checkpoint is signed by the set that the checkpoint, or genesis, commits.
        if self.expected_validators() != Some(child.validators_hash) {
            return Err(CertificateError::WrongSet.into());
        }
        let Some(set) = self.validators.get(&child.validators_hash) else { return Ok(None) };
        tip.certificate.verify(self.chain, set)?;
        let forks = |old: &Header| headers.iter().any(|h| h.height == old.height && *h != old);
        if self.settled.as_ref().is_some_and(|old| old.height <= parent.height && forks(old)) {
            return Err(LightError::Conflict);
        }
        Ok(Some(parent.clone()))
    }

    fn expected_validators(&self) -> Option<Hash> {
        let header = self.trusted.as_ref().and_then(|trusted| trusted.header.as_ref());
        let genesis = || self.spec.as_ref().map(|spec| spec.validators.hash(self.chain));
        header.map(|header| header.next_validators_hash).or_else(genesis)
    }
}

fn check_links(headers: &[&Header], trusted: &Trusted) -> Result<(), LightError> {
    let first = headers.first().is_some_and(|first| {
        first.height == trusted.height.plus(1)
            && first.time > trusted.time
            && (trusted.header.is_none() || first.parent == trusted.block)
    });
    let linked = headers.windows(2).all(|pair| match pair {
        [parent, child] => {
            child.parent == parent.id()
                && child.height == parent.height.plus(1)
                && child.epoch > parent.epoch
                && child.time > parent.time
        }
        _ => true,
    });
    if first && linked { Ok(()) } else { Err(LightError::BrokenChain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::{
            certificate::Certificate,
            light::{
                Anchor, Input,
                tests::{spec, test_keys},
            },
            set::Validator,
        },
        codec::{Bounded, encode},
        crypto::PublicKey,
        time::Moment,
    };
    use core::time::Duration;

    #[test]
    fn sets_that_only_a_liar_commits_do_not_pile_up() {
        let (validators, guardians) = test_keys();
        let spec = spec(&validators, &guardians);
        let chain = spec.chain_id();
        let (mut light, mut now) = (Light::new(chain, Anchor::Genesis), Moment::ZERO);
        let feed = |light: &mut Light, now: Moment, input: Input| {
            let mut out = Vec::new();
            light.handle(now, UnixMillis(1_000_000), input, &mut out);
            out
        };
        feed(&mut light, now, Input::Loaded(None));
        feed(&mut light, now, Input::Fetched(File::Spec(chain), encode(&spec)));
        for lie in 0..40 {
            let member = Validator { key: PublicKey([lie; 32]), weight: 1 };
            let members = Bounded::try_from(alloc::vec![member]).unwrap();
            let set = ValidatorSet { since: Height(0), members };
            let (hash, mut header) = (set.hash(chain), Header::genesis(&spec, Hash([lie; 32])));
            (header.height, header.validators_hash) = (Height(1), hash);
            let tip = Tip {
                final_height: Height(0),
                final_block: BlockId::default(),
                chain: Bounded::try_from(alloc::vec![header.id()]).unwrap(),
                certificate: Certificate::genesis(),
            };
            now = now.after(Duration::from_secs(10));
            feed(&mut light, now, Input::Tick);
            feed(&mut light, now, Input::Fetched(File::Tip, encode(&tip)));
            feed(&mut light, now, Input::Fetched(File::Header(header.id()), encode(&header)));
            feed(&mut light, now, Input::Fetched(File::Validators(hash), encode(&set)));
            assert!(light.validators.contains_key(&hash), "the lie is taken in");
            assert!(light.validators.len() <= 3, "{} sets", light.validators.len());
        }
    }
}
