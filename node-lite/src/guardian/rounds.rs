//! Adds up shares on their way, in rounds between neighbours: for sets too large to flood.
//!
//! ```text
//! Begin, own share --> round 1: tally to D neighbours --round's time--> round 2: ... --> round L --> it may begin anew
//!                         | tallies of neighbours: form, news, signature --> merged, at most D a round
//!                         '--> weight of a quorum: Quorum
//! ```
//!
//! What a neighbour says counts once a round, and is looked at only if it may be merged: of this checkpoint, no count above
//! what its round can give, and a signer in it that is not here yet. So nobody's counts overflow whatever valid sums a foe
//! sends, and a foe costs one failed check for each time that it is cut off.
//!
//! Source: PROTOCOL A2.14, A2.15, A2.16; ALLA-6. Deviations: after the last round they begin anew with the own share, as
//! nobody else tries again; a tally that comes too early, or when `D` are merged, waits for the next round.
//!
//! Invariants: every count here is at most `max_count(round + 1)`; what is held always verifies (A10.5).

use super::{
    circle::Circle,
    electorate::Electorate,
    message::{Share, Tally},
};
use crate::bft::Peer;
use antiphon_core::{
    chain::certificate::{
        Counts, FinalityCertificate, FinalityVote, MAX_MERGES, MAX_ROUND, Signers, max_count,
    },
    crypto::{Hash, bls::BlsSignature},
    id::Height,
    time::Moment,
};
use std::{collections::BTreeMap, time::Duration};

/// What happened outside.
#[derive(Debug)]
pub(super) enum Input {
    /// A checkpoint is settled here, and is gathered for from now on.
    Begin(Box<Begin>),
    /// The share of this node is durable: its place and its signature on what is gathered for.
    Own(u16, BlsSignature),
    /// A neighbour said this. Unverified.
    Heard(Peer, Tally),
    /// Time moved on.
    Tick,
}

/// What to gather for.
#[derive(Debug)]
pub(super) struct Begin {
    pub(super) vote: FinalityVote,
    pub(super) digest: Hash,
    /// The own share, if it is durable.
    pub(super) own: Option<Share>,
}

/// What the parent must do.
#[derive(Debug)]
pub(super) enum Output {
    /// Send this to a neighbour.
    Send(Peer, Box<Tally>),
    /// A quorum has signed.
    Quorum(Box<FinalityCertificate>),
    /// This neighbour sent what no honest guardian sends.
    Blame(Peer),
}

/// One checkpoint's gathering.
#[derive(Debug)]
struct Gathering {
    vote: FinalityVote,
    digest: Hash,
    round: u8,
    /// When the round ends.
    due: Moment,
    held: Option<(Counts, BlsSignature)>,
    /// The own share, as long as it is not in the sum.
    own: Option<(Counts, BlsSignature)>,
    /// Merged in this round.
    merges: u32,
    /// Whether this round's tally was sent.
    sent: bool,
    /// Bit `r` is set once a tally of round `r` was heard of this neighbour.
    heard: BTreeMap<Peer, u16>,
}

/// Gathers shares for one checkpoint at a time.
#[derive(Debug)]
pub(super) struct Rounds {
    /// How long a round takes.
    pace: Duration,
    /// Who is listened to and told.
    pub(super) circle: Circle,
    gathering: Option<Gathering>,
    /// One tally of each neighbour that cannot be merged yet.
    waiting: BTreeMap<Peer, Tally>,
}

impl Rounds {
    pub(super) const fn new(pace: Duration, salt: Hash) -> Self {
        Self { pace, circle: Circle::new(salt), gathering: None, waiting: BTreeMap::new() }
    }

    /// Takes the neighbours that the host knows by their keys. Who is none any more is forgotten.
    pub(super) fn set_neighbours(&mut self, neighbours: Vec<Peer>) {
        self.circle.set(neighbours);
        let circle = &self.circle;
        self.waiting.retain(|peer, _| circle.has(*peer));
        if let Some(gathering) = &mut self.gathering {
            gathering.heard.retain(|peer, _| circle.has(*peer));
        }
    }

    /// Stops gathering; what waits for a later checkpoint stays.
    pub(super) fn stop(&mut self) {
        self.gathering = None;
    }

    /// Returns what is gathered for.
    pub(super) fn vote(&self) -> Option<&FinalityVote> {
        self.gathering.as_ref().map(|gathering| &gathering.vote)
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.gathering.as_ref().map(|gathering| gathering.due)
    }

    /// Listens to a neighbour no more for a while, nor to what waits of it.
    pub(super) fn shun(&mut self, now: Moment, peer: Peer) {
        self.waiting.remove(&peer);
        self.circle.shun(now, peer);
    }

    /// Returns whether a neighbour may be shown a certificate now: once a round.
    pub(super) fn may_show(&mut self, now: Moment, peer: Peer) -> bool {
        self.circle.may_show(now, peer, self.pace)
    }

    /// Keeps a tally for later, one of each neighbour.
    pub(super) fn wait(&mut self, from: Peer, tally: Tally) {
        self.waiting.insert(from, tally);
    }

    /// Forgets what waits for checkpoints up to a height.
    pub(super) fn forget(&mut self, height: Height) {
        self.waiting.retain(|_, tally| tally.vote.height > height);
    }

    /// Applies one input under the set of the checkpoint that is gathered for. Never fails.
    pub(super) fn handle(
        &mut self,
        now: Moment,
        set: &Electorate,
        input: Input,
        out: &mut Vec<Output>,
    ) {
        match input {
            Input::Begin(begin) => self.begin(now, *begin, set),
            Input::Own(index, signature) => self.take_own(index, signature, set),
            Input::Heard(from, tally) => self.on_tally(now, from, tally, set, out),
            Input::Tick => {
                if self.gathering.as_ref().is_none_or(|gathering| now < gathering.due) {
                    return;
                }
                self.next_round(now);
            }
        }
        // Said before anything is merged in a round: the counts are those of the round before.
        self.send(out);
        self.merge_own(set);
        self.drain(now, set, out);
        self.conclude(set, out);
    }

    fn begin(&mut self, now: Moment, begin: Begin, set: &Electorate) {
        let Begin { vote, digest, own } = begin;
        self.gathering = Some(Gathering {
            vote,
            digest,
            round: 1,
            due: now.after(self.pace),
            held: None,
            own: None,
            merges: 0,
            sent: false,
            heard: BTreeMap::new(),
        });
        if let Some(share) = own {
            self.take_own(share.index, share.signature, set);
        }
    }

    fn take_own(&mut self, index: u16, signature: BlsSignature, set: &Electorate) {
        let mut counts = vec![0; set.set.members.len()];
        let (Some(own), Some(gathering)) =
            (counts.get_mut(usize::from(index)), &mut self.gathering)
        else {
            return;
        };
        *own = 1;
        let share = Counts::new(counts).map(|counts| (counts, signature));
        if gathering.held.is_none() {
            gathering.held = share;
        } else {
            gathering.own = share;
        }
    }

    /// Puts an own share that came late into the sum, as one of the merges of a round.
    fn merge_own(&mut self, set: &Electorate) {
        let Some(gathering) = &mut self.gathering else { return };
        if gathering.merges >= MAX_MERGES {
            return;
        }
        if let Some((counts, signature)) = gathering.own.take()
            && gathering.held.as_ref().is_none_or(|(held, _)| has_news(held, &counts))
        {
            gathering.merge(&counts, &signature, set);
        }
    }

    fn on_tally(
        &mut self,
        now: Moment,
        from: Peer,
        tally: Tally,
        set: &Electorate,
        out: &mut Vec<Output>,
    ) {
        let Some(gathering) = &mut self.gathering else { return };
        if !is_sound(&tally, set.set.members.len()) {
            self.shun(now, from);
            out.push(Output::Blame(from));
            return;
        }
        let too_early = tally.round > gathering.round || gathering.merges >= MAX_MERGES;
        if too_early {
            self.waiting.insert(from, tally);
            return;
        }
        let heard = gathering.heard.entry(from).or_default();
        let bit = 1_u16.checked_shl(u32::from(tally.round)).unwrap_or(0);
        let repeated = *heard & bit != 0;
        *heard |= bit;
        let news = gathering.held.as_ref().is_none_or(|(held, _)| has_news(held, &tally.counts));
        if repeated || !news {
            return;
        }
        let Tally { counts, signature, .. } = tally;
        let signers = Signers::Counts(counts.clone());
        if signers.verify(gathering.digest, &set.set, &signature).is_err() {
            self.shun(now, from);
            out.push(Output::Blame(from));
            return;
        }
        gathering.merge(&counts, &signature, set);
    }

    /// The next round, or the end of the last.
    fn next_round(&mut self, now: Moment) {
        let Some(gathering) = &mut self.gathering else { return };
        if gathering.round >= MAX_ROUND {
            self.gathering = None;
            return;
        }
        gathering.round = gathering.round.saturating_add(1);
        gathering.due = now.after(self.pace);
        (gathering.merges, gathering.sent) = (0, false);
    }

    fn send(&mut self, out: &mut Vec<Output>) {
        let chosen = self.chosen();
        let Some(gathering) = &mut self.gathering else { return };
        if gathering.sent || gathering.merges > 0 {
            return;
        }
        let Some((counts, signature)) = gathering.held.clone() else { return };
        let (round, vote) = (gathering.round, gathering.vote.clone());
        debug_assert!(counts.iter().all(|count| *count <= max_count(round)), "A10.5");
        gathering.sent = true;
        let tally = Box::new(Tally { round, vote, counts, signature });
        out.extend(chosen.into_iter().map(|peer| Output::Send(peer, tally.clone())));
    }

    /// Returns the neighbours that are told in this round.
    pub(super) fn chosen(&self) -> Vec<Peer> {
        self.circle.chosen(self.gathering.as_ref().map_or(0, |gathering| gathering.round))
    }

    /// Looks again at what waits and may be merged now.
    fn drain(&mut self, now: Moment, set: &Electorate, out: &mut Vec<Output>) {
        loop {
            let Some(gathering) = &self.gathering else { return };
            let (vote, round) = (&gathering.vote, gathering.round);
            let mut ripe = self.waiting.iter().filter(|(_, tally)| {
                tally.vote == *vote && tally.round <= round && gathering.merges < MAX_MERGES
            });
            let Some(from) = ripe.next().map(|(from, _)| *from) else { return };
            if let Some(tally) = self.waiting.remove(&from) {
                self.on_tally(now, from, tally, set, out);
            }
        }
    }

    fn conclude(&mut self, set: &Electorate, out: &mut Vec<Output>) {
        let Some(gathering) = &self.gathering else { return };
        let Some((counts, signature)) = &gathering.held else { return };
        if weight(counts, set) < set.quorum {
            return;
        }
        let FinalityVote { height, block, .. } = gathering.vote;
        let signers = Signers::Counts(counts.clone());
        let certificate = FinalityCertificate { height, block, signers, signature: *signature };
        out.push(Output::Quorum(Box::new(certificate)));
    }
}

impl Gathering {
    /// Adds a verified sum. By the rounds' bounds no count overflows; if one did, the heavier sum stays.
    fn merge(&mut self, counts: &Counts, signature: &BlsSignature, set: &Electorate) {
        let Some((held, sum)) = &self.held else {
            self.held = Some((counts.clone(), *signature));
            self.merges = self.merges.saturating_add(1);
            return;
        };
        let sums = held.checked_add(counts).zip(BlsSignature::aggregate([sum, signature]).ok());
        let merged = sums.or_else(|| {
            let is_heavier = weight(counts, set) > weight(held, set);
            is_heavier.then(|| (counts.clone(), *signature))
        });
        if let Some(merged) = merged {
            self.held = Some(merged);
        }
        self.merges = self.merges.saturating_add(1);
    }
}

/// A2.14, A2.15: of a round that there is, as long as the set, and no count above what its round can give.
fn is_sound(tally: &Tally, members: usize) -> bool {
    let bound = max_count(tally.round);
    (1..=MAX_ROUND).contains(&tally.round)
        && tally.counts.len() == members
        && tally.counts.iter().all(|count| *count <= bound)
}

/// Whether somebody signed in `said` who has not in `held`.
fn has_news(held: &[u32], said: &[u32]) -> bool {
    held.iter().zip(said).any(|(held, said)| *held == 0 && *said > 0)
}

fn weight(counts: &[u32], set: &Electorate) -> u64 {
    let members = set.set.members.iter().zip(counts).filter(|(_, count)| **count > 0);
    members.fold(0, |sum, (member, _)| sum.saturating_add(member.weight))
}
