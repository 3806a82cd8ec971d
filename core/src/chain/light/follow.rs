//! What is settled above the trusted checkpoint, by the validators of the term that it commits (A7.4, A1.18, A1.22).
//!
//! ```text
//! trusted --- ... --- kT elects others --- closing blocks          settled up to kT at most
//!                      '--- blocks of the next term                included, until kT is final
//! ```
//!
//! A tip may cross an election: who settles beyond it is known only when its checkpoint is final, which takes guardians
//! seconds. Until then what is beyond is seen and not believed.

use super::{Light, LightError, MAX_SET, News, Output, Standing, Tip, Trusted};
use crate::{
    chain::{
        certificate::{Certificate, CertificateError},
        header::{Header, MAX_HEADER},
        set::ValidatorSet,
    },
    codec,
    crypto::Hash,
    id::{BlockId, Height},
    time::UnixMillis,
};
use alloc::vec::Vec;

impl Light {
    /// Takes in a tip, with headers that it names.
    pub(super) fn learn_tip(
        &mut self,
        clock: UnixMillis,
        News { tip, headers }: News,
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        if headers.iter().any(|header| header.chain_id != self.config.chain) {
            return Err(LightError::WrongChain);
        }
        let brought: Vec<_> =
            headers.into_vec().into_iter().map(|header| (header.id(), header)).collect();
        if brought.iter().any(|(block, _)| !tip.chain.contains(block)) {
            return Err(LightError::WrongContent);
        }
        let trusted_height = self.trusted.as_ref().map_or(Height(0), |trusted| trusted.height);
        self.note_marks(&tip, out);
        if tip.final_height < trusted_height {
            // A source that lags: nothing wrong, nothing new.
            return Ok(());
        }
        self.headers.retain(|block, _| tip.chain.contains(block));
        self.headers.extend(brought);
        self.target.take_if(|target| target.header.id() != tip.final_block);
        self.tip = Some(tip);
        self.follow(clock, out)
    }

    pub(super) fn learn_header(
        &mut self,
        clock: UnixMillis,
        block: BlockId,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let header: Header = codec::decode(bytes, MAX_HEADER)?;
        if header.chain_id != self.config.chain {
            return Err(LightError::WrongChain);
        }
        if header.id() != block {
            return Err(LightError::WrongContent);
        }
        if self.tip.as_ref().is_some_and(|tip| tip.chain.contains(&block)) {
            self.headers.insert(block, header);
        }
        self.follow(clock, out)
    }

    pub(super) fn learn_validators(
        &mut self,
        clock: UnixMillis,
        hash: Hash,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        let set: ValidatorSet = codec::decode(bytes, MAX_SET)?;
        if set.hash(self.config.chain) != hash {
            return Err(LightError::WrongContent);
        }
        // Sets that only a liar commits would pile up; none but the acting one is of use.
        if self.acting_validators() == Some(hash) {
            self.validators = [(hash, set)].into();
        }
        self.follow(clock, out)
    }

    /// Returns the validators of the term that the trusted checkpoint, or genesis, commits.
    pub(super) fn acting_validators(&self) -> Option<Hash> {
        let header = self.trusted.as_ref().and_then(|trusted| trusted.header.as_ref());
        let genesis = || self.spec.as_ref().map(|spec| spec.validators.hash(self.config.chain));
        header.map(|header| header.next_validators_hash).or_else(genesis)
    }

    /// Moves the settled and included heads once everything the tip names is here.
    pub(super) fn follow(
        &mut self,
        clock: UnixMillis,
        out: &mut Vec<Output>,
    ) -> Result<(), LightError> {
        self.check_age(clock, out);
        self.request_missing(out);
        if self.standing != Standing::Good {
            return Ok(());
        }
        let (Some(tip), Some(trusted)) = (&self.tip, &self.trusted) else { return Ok(()) };
        let Some(acting) = self.acting_validators() else { return Ok(()) };
        if tip.final_height != trusted.height {
            return Ok(());
        }
        let found: Option<Vec<&Header>> = tip.chain.iter().map(|b| self.headers.get(b)).collect();
        let Some(headers) = found.filter(|headers| !headers.is_empty()) else { return Ok(()) };
        self.check_links(&headers, trusted)?;
        let settled = self.settled_in(tip, &headers, acting)?;
        let included = headers.last().map(|header| (*header).clone());
        let mut moved = false;
        if let Some(place) = settled
            && let Some(path) = headers.get(..=place)
            && let Some(header) = path.last()
            && self.settled.as_ref().is_none_or(|old| old.height < header.height)
        {
            path.iter()
                .zip(tip.chain.iter())
                .for_each(|(header, id)| self.alarm.settle(header.height, *id));
            self.settled = Some((*header).clone());
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

    /// Returns the place of the highest block that a certificate of the acting validators settles (A1.18).
    fn settled_in(
        &self,
        tip: &Tip,
        headers: &[&Header],
        acting: Hash,
    ) -> Result<Option<usize>, LightError> {
        let Some((certificate, place)) = acting_certificate(tip, headers, acting) else {
            return Ok(None);
        };
        let Some(child) = headers.get(place) else { return Ok(None) };
        if certificate.height != child.height {
            return Err(LightError::WrongBlock);
        }
        if child.hcc.block != child.parent {
            return Ok(None);
        }
        let Some(parent) = place.checked_sub(1) else { return Ok(None) };
        let Some(set) = self.validators.get(&acting) else { return Ok(None) };
        certificate.verify(self.config.chain, set)?;
        // A1.22: blocks that close a term settle the checkpoint that ended it, and are not settled themselves.
        let last = headers.iter().position(|header| header.ends_term()).unwrap_or(parent);
        let parent = parent.min(last);
        let Some(top) = headers.get(parent) else { return Ok(None) };
        let forks = |old: &Header| headers.iter().any(|h| h.height == old.height && *h != old);
        if self.settled.as_ref().is_some_and(|old| old.height <= top.height && forks(old)) {
            return Err(LightError::Conflict);
        }
        Ok(Some(parent))
    }

    fn check_links(&self, headers: &[&Header], trusted: &Trusted) -> Result<(), LightError> {
        let is_first = headers.first().is_some_and(|first| {
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
        if !is_first || !linked {
            return Err(LightError::BrokenChain);
        }
        // What stands above a checkpoint is signed by the set that the checkpoint, or genesis, commits.
        if headers.first().map(|first| first.validators_hash) != self.acting_validators() {
            return Err(CertificateError::WrongSet.into());
        }
        let is_checkpoint = |header: &Header| {
            self.spec.as_ref().is_some_and(|spec| spec.is_checkpoint(header.height))
        };
        let starts_well = headers.first().is_none_or(|h| !h.ends_term() || is_checkpoint(h));
        let in_terms = headers.windows(2).all(|pair| match pair {
            [parent, child] if parent.ends_term() => {
                let closes = child.validators_hash == parent.validators_hash
                    && child.next() == parent.next();
                let begins =
                    child.validators_hash == parent.next_validators_hash && is_checkpoint(parent);
                closes || begins
            }
            [parent, child] => {
                child.validators_hash == parent.validators_hash
                    && (!child.ends_term() || is_checkpoint(child))
            }
            _ => true,
        });
        if starts_well && in_terms { Ok(()) } else { Err(CertificateError::WrongSet.into()) }
    }
}

/// Returns the highest certificate by the acting validators, and the place of the block it is for: the tip's, or where
/// that is of the next term, the newest that a block of this term carries.
fn acting_certificate<'a>(
    tip: &'a Tip,
    headers: &[&'a Header],
    acting: Hash,
) -> Option<(&'a Certificate, usize)> {
    let place = |certificate: &Certificate| {
        let block = tip.chain.iter().position(|block| *block == certificate.block)?;
        headers.get(block).filter(|h| h.validators_hash == acting).map(|_| block)
    };
    let is_beyond = |certificate: &Certificate| {
        let block = tip.chain.iter().position(|block| *block == certificate.block);
        block.and_then(|at| headers.get(at)).is_some_and(|h| h.validators_hash != acting)
    };
    if !is_beyond(&tip.certificate) {
        return place(&tip.certificate).map(|at| (&tip.certificate, at));
    }
    let carried = headers.iter().rev().filter(|header| header.validators_hash == acting);
    carried.map(|header| &header.hcc).find_map(|hcc| place(hcc).map(|at| (hcc, at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::{
            light::{
                File, Input, Source, Stored,
                tests::{config, spec, test_keys},
            },
            set::Validator,
        },
        codec::{Bounded, encode},
        crypto::PublicKey,
        time::Moment,
    };
    use core::time::Duration;

    #[test]
    fn sets_that_only_a_liar_commits_are_not_even_asked_for() {
        let (validators, guardians) = test_keys();
        let spec = spec(&validators, &guardians);
        let chain = spec.chain_id();
        let (mut light, mut now) = (Light::new(config(chain)), Moment::ZERO);
        let feed = |light: &mut Light, now: Moment, input: Input| {
            let mut out = Vec::new();
            light.handle(now, UnixMillis(1_000_000), input, &mut out);
            out
        };
        let fetched = |file: File, bytes| Input::Fetched(Source::NODE, file, bytes);
        feed(&mut light, now, Input::Loaded(Stored::default()));
        feed(&mut light, now, fetched(File::Spec(chain), encode(&spec)));
        for lie in 0..40 {
            let member = Validator { key: PublicKey([lie; 32]), weight: 1 };
            let members = Bounded::try_from(alloc::vec![member]).unwrap();
            let set = ValidatorSet { since: Height(0), members };
            let (hash, mut header) = (set.hash(chain), Header::genesis(&spec, Hash([lie; 32])));
            (header.height, header.validators_hash) = (Height(1), hash);
            header.time = UnixMillis(spec.genesis_time.0 + 1);
            let tip = Tip {
                final_height: Height(0),
                final_block: BlockId::default(),
                chain: Bounded::try_from(alloc::vec![header.id()]).unwrap(),
                certificate: Certificate::genesis(),
            };
            now = now.after(Duration::from_secs(10));
            feed(&mut light, now, Input::Tick);
            feed(&mut light, now, fetched(File::Tip, encode(&tip)));
            let out = feed(&mut light, now, fetched(File::Header(header.id()), encode(&header)));
            let refused = Output::Refused(CertificateError::WrongSet.into());
            assert_eq!(out.last(), Some(&refused));
            assert!(!out.contains(&Output::Fetch(Source::NODE, File::Validators(hash))));
            let out = feed(&mut light, now, fetched(File::Validators(hash), encode(&set)));
            let known: Vec<Hash> = light.validators.keys().copied().collect();
            let own = alloc::vec![spec.validators.hash(chain)];
            assert_eq!((out, known), (Vec::new(), own), "what nobody asked for");
        }
    }
}
