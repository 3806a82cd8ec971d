//! Signs checkpoints that are settled here, once each, and gathers shares into finality certificates.
//!
//! ```text
//! settled checkpoint --G1..G3--> record stored --> share sent ---+
//! shares of others, verified -------------------------------------+--> quorum: certificate sent --> final
//! ```
//!
//! A node without a guardian key gathers too. Each checkpoint is signed by the set that the one before elected.
//!
//! Beyond G1..G3, nothing is signed above a change of guardians that has no certificate of its own (`handover`).
//!
//! Source: PROTOCOL A2.10, A2.12, A2.13, A2.16, A2.17, A2.18, A7.2.
//!
//! Invariants: heights of own shares strictly increase; each signed checkpoint descends from the one before, because
//! both are on the settled chain; a share leaves only after [`Input::Stored`]; final never runs ahead of settled.

mod electorate;
mod handover;
#[cfg(test)]
mod tests;

use antiphon_core::{
    chain::{
        certificate::{FinalityCertificate, FinalityVote},
        header::Header,
        set::GuardianSet,
    },
    codec::Bounded,
    crypto::{
        Hash, Tagged,
        bls::{BlsSecretKey, BlsSignature},
    },
    id::{BlockId, ChainId, Height},
    time::Moment,
};
use borsh::{BorshDeserialize, BorshSerialize};
use electorate::Electorates;
use std::{collections::BTreeMap, time::Duration};

/// Sets up to this size flood single signatures (A2.17).
pub const MAX_FLOODED: usize = 128;
/// Checkpoints above the final one for which shares are kept. Chosen here: a guardian that lags by more waits.
const MAX_OPEN: u64 = 4;
/// Settled checkpoints remembered, to see what descends from what. Chosen here.
const MAX_CHECKPOINTS: usize = 64;
/// A share that is not part of a certificate yet is sent again this often. Chosen here.
const RESEND: Duration = Duration::from_secs(2);

/// A durable write of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// What a guardian must never forget: the last checkpoint it signed (G2, G3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct GuardianRecord {
    /// Its height; 0 before the first.
    pub height: Height,
    /// Its id.
    pub block: BlockId,
}

/// One guardian's signature on a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Share {
    /// What is signed.
    pub vote: FinalityVote,
    /// Position of the guardian in the set.
    pub index: u16,
    /// Over the vote.
    pub signature: BlsSignature,
}

/// What travels between guardians.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// A share.
    Share(Share),
    /// A finished certificate.
    Certificate(FinalityCertificate),
    /// A request for the certificate of the change of guardians at this height.
    Ask(Height),
}

/// What happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// This checkpoint is settled here; every one from low to high, after execution (G1). With the set that it elects
    /// for the next one, if that is another.
    Settled(Box<Header>, Option<Box<GuardianSet>>),
    /// Another node said this. Unverified.
    Message(Message),
    /// The write is durable.
    Stored(Token),
    /// Time moved on.
    Tick,
}

/// What the host must do, in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write this durably, then report [`Input::Stored`].
    Store(Token, GuardianRecord),
    /// Send this to every other node.
    Broadcast(Message),
    /// This settled checkpoint, and everything below it, is final.
    Final(Box<FinalityCertificate>),
    /// Somebody did what the protocol forbids.
    Fault(Fault),
}

/// A breach of protocol, with what proves it where it can be proven.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Two shares of one guardian at one height (A4-O4).
    TwoShares(Box<[Share; 2]>),
    /// A message that no honest node sends.
    BadMessage,
    /// A certificate contradicts another, or what is settled here: finality stops (A2.18).
    Halted(Box<FinalityCertificate>, BlockId),
}

/// What a node knows when it starts.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// What the guardian signed last.
    pub record: GuardianRecord,
    /// The newest certificate.
    pub certificate: Option<FinalityCertificate>,
    /// Settled checkpoints, from low to high: at least from the last signed one on.
    pub checkpoints: Vec<(Height, Known)>,
    /// Settled changes of guardians without a certificate of their own.
    pub open_changes: Vec<(Height, Known)>,
    /// The sets of those, and of checkpoints that are not final yet.
    pub sets: Vec<GuardianSet>,
}

/// A settled checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub block: BlockId,
    /// Hash of the set that signs it.
    pub guardians: Hash,
}

/// Follows, and with a key takes part in, the finality of one chain.
#[derive(Debug)]
pub struct GuardianMachine {
    chain: ChainId,
    sets: Electorates,
    /// Hash of the set of the checkpoint above the newest.
    next: Hash,
    interval: u64,
    key: Option<BlsSecretKey>,
    record: GuardianRecord,
    certificate: Option<FinalityCertificate>,
    /// A certificate above what is settled here waits for it.
    ahead: Option<FinalityCertificate>,
    checkpoints: BTreeMap<Height, Known>,
    /// Settled changes of guardians without a certificate of their own.
    open_changes: BTreeMap<Height, Known>,
    /// When a certificate that passed us by is asked for again.
    ask: Option<Moment>,
    shares: BTreeMap<Height, BTreeMap<u16, Share>>,
    unsent: BTreeMap<Token, Share>,
    next_token: u64,
    resend: Option<Moment>,
    halted: bool,
}

impl GuardianMachine {
    /// Starts from what is on disk. `key` makes the node a guardian of every checkpoint whose set has it; `next` is the
    /// set of the checkpoint above the newest.
    ///
    /// Returns `None` for a set that no chain may have, or one too large to flood.
    pub fn new(
        chain: ChainId,
        next: GuardianSet,
        interval: u64,
        key: Option<BlsSecretKey>,
        start: Start,
    ) -> Option<Self> {
        if next.members.len() > MAX_FLOODED {
            return None;
        }
        let (mut sets, me) = (Electorates::default(), key.as_ref().map(BlsSecretKey::public));
        for set in start.sets {
            sets.add(chain, set, me)?;
        }
        let next = sets.add(chain, next, me)?;
        // A share may have been written and never sent.
        let resend = (start.record.height > Height(0)).then_some(Moment::ZERO);
        Some(Self {
            chain,
            sets,
            next,
            interval,
            key,
            record: start.record,
            certificate: start.certificate,
            ahead: None,
            checkpoints: start.checkpoints.into_iter().collect(),
            open_changes: start.open_changes.into_iter().collect(),
            ask: Some(Moment::ZERO),
            shares: BTreeMap::new(),
            unsent: BTreeMap::new(),
            next_token: 0,
            resend,
            halted: false,
        })
    }

    /// Lets a key sign that was frozen, for sets that are elected from now on and for no set known so far.
    pub fn thaw(&mut self, key: BlsSecretKey) {
        self.key = Some(key);
    }

    /// Applies one input and appends what the host must do to `out`. Never fails.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        if self.halted {
            return;
        }
        match input {
            Input::Settled(header, elected) => self.on_settled(&header, elected, out),
            Input::Message(Message::Share(share)) => self.on_share(share, out),
            Input::Message(Message::Certificate(certificate)) => {
                self.on_certificate(certificate, out);
            }
            // The node answers from its disk.
            Input::Message(Message::Ask(_)) => {}
            Input::Stored(token) => {
                if let Some(share) = self.unsent.remove(&token) {
                    self.resend = Some(now.after(RESEND));
                    out.push(Output::Broadcast(Message::Share(share.clone())));
                    self.keep(share, out);
                }
            }
            Input::Tick => {
                self.on_tick(now, out);
                self.ask_missed(now, out);
            }
        }
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        let resend = self.resend.filter(|_| self.key.is_some());
        let ask = self.ask.filter(|_| self.has_missed());
        [resend, ask].into_iter().flatten().min().filter(|_| !self.halted)
    }

    /// Returns the newest certificate.
    pub const fn certificate(&self) -> Option<&FinalityCertificate> {
        self.certificate.as_ref()
    }

    /// Returns the height that is final.
    pub fn height(&self) -> Height {
        self.certificate.as_ref().map_or(Height(0), |certificate| certificate.height)
    }

    fn on_settled(
        &mut self,
        header: &Header,
        elected: Option<Box<GuardianSet>>,
        out: &mut Vec<Output>,
    ) {
        let (height, block) = (header.height, header.id());
        if height.0.checked_rem(self.interval) != Some(0) || height <= self.newest() {
            return;
        }
        let known = Known { block, guardians: header.guardians_hash };
        self.checkpoints.insert(height, known);
        if header.next_guardians_hash != header.guardians_hash {
            self.open_changes.insert(height, known);
        }
        while self.checkpoints.len() > MAX_CHECKPOINTS {
            self.checkpoints.pop_first();
        }
        if let Some(set) = elected {
            let me = self.key.as_ref().map(BlsSecretKey::public);
            self.sets.add(self.chain, *set, me);
        }
        self.next = header.next_guardians_hash;
        if let Some(certificate) = self.ahead.take_if(|ahead| ahead.height <= height) {
            self.finalise(certificate, out);
        }
        self.sign(height, block, header.guardians_hash, out);
        self.build(height, out);
        let (open, next) = (self.height(), self.next);
        let named = self.checkpoints.range(open..).map(|(_, known)| known.guardians);
        let changed = self.open_changes.values().map(|known| known.guardians);
        let named: Vec<Hash> = named.chain(changed).chain([next]).collect();
        self.sets.retain(|hash| named.contains(hash));
    }

    /// Returns the set that must sign at a height: known of a settled checkpoint, expected of one to come.
    fn set_at(&self, height: Height) -> Hash {
        self.checkpoints.get(&height).map_or(self.next, |known| known.guardians)
    }

    fn newest(&self) -> Height {
        self.checkpoints.last_key_value().map_or(Height(0), |(height, _)| *height)
    }

    /// A2.13: G1 holds because the checkpoint is settled and executed here.
    fn sign(&mut self, height: Height, block: BlockId, set: Hash, out: &mut Vec<Output>) {
        let Some(key) = &self.key else { return };
        let Some(index) = self.sets.get(&set).and_then(|electorate| electorate.index) else {
            return;
        };
        // G2: only above what was signed before. A height that is final needs no more shares (A2.16).
        let above = height > self.record.height && height > self.height();
        // G3: the last signed and the newest final checkpoint lie on the settled chain below this one.
        let signed = (self.record.height, self.record.block);
        let last = self.certificate.as_ref().map(|c| (c.height, c.block));
        let below = [Some(signed), last].into_iter().flatten().all(|(height, block)| {
            let known = self.checkpoints.get(&height).map(|known| known.block);
            height == Height(0) || known == Some(block)
        });
        if self.halted || !above || !below || !self.is_handed_over(height) {
            return;
        }
        let vote = FinalityVote { guardians_hash: set, height, block };
        let signature = key.sign(vote.digest(self.chain));
        let share = Share { vote, index, signature };
        self.record = GuardianRecord { height, block };
        let token = Token(self.next_token);
        self.next_token = self.next_token.saturating_add(1);
        self.unsent.insert(token, share);
        out.push(Output::Store(token, self.record));
    }

    fn on_share(&mut self, share: Share, out: &mut Vec<Output>) {
        let height = share.vote.height;
        let highest = self.newest().plus(self.interval.saturating_mul(MAX_OPEN));
        let wanted = height > self.height()
            && height <= highest
            && height.0.checked_rem(self.interval) == Some(0);
        let known = self.shares.get(&height).and_then(|shares| shares.get(&share.index));
        let of_set = share.vote.guardians_hash == self.set_at(height);
        if !wanted || known == Some(&share) || !of_set {
            return;
        }
        let Some(electorate) = self.sets.get(&share.vote.guardians_hash) else { return };
        let valid = electorate.member(share.index).is_some_and(|member| {
            member.key.verify(share.vote.digest(self.chain), &share.signature).is_ok()
        });
        if valid {
            self.keep(share, out);
        } else {
            out.push(Output::Fault(Fault::BadMessage));
        }
    }

    /// Keeps a verified share; a second one of another block at this height is evidence.
    fn keep(&mut self, share: Share, out: &mut Vec<Output>) {
        let height = share.vote.height;
        let shares = self.shares.entry(height).or_default();
        let held = shares.entry(share.index).or_insert_with(|| share.clone());
        if held.vote != share.vote {
            let pair = [held.clone(), share];
            out.push(Output::Fault(Fault::TwoShares(Box::new(pair))));
            return;
        }
        self.build(height, out);
    }

    /// A2.17: at a quorum of shares for what is settled here, adds them up and says so.
    fn build(&mut self, height: Height, out: &mut Vec<Output>) {
        let Some(Known { block, guardians }) = self.checkpoints.get(&height).copied() else {
            return;
        };
        let Some(electorate) = self.sets.get(&guardians) else { return };
        if height <= self.height() {
            return;
        }
        let Some(shares) = self.shares.get(&height) else { return };
        let vote = FinalityVote { guardians_hash: guardians, height, block };
        let agreeing = || shares.values().filter(|share| share.vote == vote);
        let weights = agreeing().filter_map(|share| electorate.member(share.index));
        if weights.fold(0_u64, |sum, m| sum.saturating_add(m.weight)) < electorate.quorum {
            return;
        }
        let mut bitmap = vec![0_u8; electorate.set.members.len().div_ceil(8)];
        for share in agreeing() {
            let index = usize::from(share.index);
            if let Some(byte) = bitmap.get_mut(index / 8) {
                *byte |= 1 << (index % 8);
            }
        }
        let sum = BlsSignature::aggregate(agreeing().map(|share| &share.signature));
        let (Ok(signature), Ok(signers)) = (sum, Bounded::try_from(bitmap)) else { return };
        let certificate = FinalityCertificate { height, block, signers, signature };
        out.push(Output::Broadcast(Message::Certificate(certificate.clone())));
        self.finalise(certificate, out);
    }

    fn on_certificate(&mut self, certificate: FinalityCertificate, out: &mut Vec<Output>) {
        let known = |held: &FinalityCertificate| {
            (held.height, held.block) == (certificate.height, certificate.block)
        };
        let is_checkpoint = certificate.height.0.checked_rem(self.interval) == Some(0);
        if self.certificate.iter().chain(&self.ahead).any(known) || !is_checkpoint {
            return;
        }
        if certificate.height <= self.height() {
            return self.on_missed(certificate, out);
        }
        let Some(electorate) = self.sets.get(&self.set_at(certificate.height)) else { return };
        if certificate.verify(self.chain, &electorate.set).is_err() {
            // Further up another set may sign: then it is us who cannot tell.
            if certificate.height <= self.newest().plus(self.interval) {
                out.push(Output::Fault(Fault::BadMessage));
            }
            return;
        }
        // A2.18: at any height that is settled here, only the settled block may be final.
        match self.checkpoints.get(&certificate.height) {
            Some(settled) if settled.block != certificate.block => {
                let settled = settled.block;
                self.halted = true;
                out.push(Output::Fault(Fault::Halted(Box::new(certificate), settled)));
            }
            Some(_) => self.finalise(certificate, out),
            None => {
                let above = self.ahead.as_ref().map_or(self.newest(), |held| held.height);
                if certificate.height > above {
                    self.ahead = Some(certificate);
                }
            }
        }
    }

    fn finalise(&mut self, certificate: FinalityCertificate, out: &mut Vec<Output>) {
        let height = certificate.height;
        if let Some(settled) = self.checkpoints.get(&height)
            && settled.block != certificate.block
        {
            self.halted = true;
            out.push(Output::Fault(Fault::Halted(Box::new(certificate), settled.block)));
            return;
        }
        if height <= self.height() || !self.checkpoints.contains_key(&height) {
            return;
        }
        self.shares.retain(|at, _| *at > height);
        self.open_changes.remove(&height);
        self.certificate = Some(certificate.clone());
        out.push(Output::Final(Box::new(certificate)));
        self.sign_waiting(out);
    }

    fn on_tick(&mut self, now: Moment, out: &mut Vec<Output>) {
        if self.resend.is_none_or(|at| now < at) {
            return;
        }
        if !self.unsent.is_empty() {
            // A0.6: the record names a share that is not on the disk yet. Once it is, the share is sent.
            self.resend = Some(now.after(RESEND));
            return;
        }
        let GuardianRecord { height, block } = self.record;
        let guardians = self.set_at(height);
        let index = self.sets.get(&guardians).and_then(|electorate| electorate.index);
        let Some((key, index)) = self.key.as_ref().zip(index).filter(|_| height > self.height())
        else {
            self.resend = None;
            return;
        };
        // The same vote gives the same bytes, so this is no second share.
        self.resend = Some(now.after(RESEND));
        let vote = FinalityVote { guardians_hash: guardians, height, block };
        let signature = key.sign(vote.digest(self.chain));
        let share = Share { vote, index, signature };
        out.push(Output::Broadcast(Message::Share(share.clone())));
        self.keep(share, out);
    }
}
