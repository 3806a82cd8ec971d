//! The walk to the newest final checkpoint: the light client's, whose files neighbours bring.

use super::{Fault, Gathering, Output, Phase, Sync, SyncError, SyncWrite, TIPS, Target, What};
use crate::bft::Peer;
use antiphon_core::{
    chain::{
        Level,
        light::{
            Change, Config, File, Input, Kept, Light, LightError, MAX_CHANGE, MAX_TIP,
            Output as LightOutput, Skipping, Source, Standing, Stored, Tip,
        },
    },
    codec,
    time::Moment,
};

/// Makes the light client that walks.
pub(super) fn light(config: &super::Config) -> Light {
    Light::new(Config {
        chain: config.spec.chain_id(),
        anchor: config.anchor,
        skipping: Skipping::Off,
        witnesses: 0,
    })
}

impl Sync {
    /// Walks from what was trusted last.
    pub(super) fn begin_walk(&mut self, now: Moment, out: &mut Vec<Output>) {
        (self.tips, self.claimed) = (0, 0);
        self.light = light(&self.config);
        let stored = Stored { trust: self.trust.clone(), fork: None };
        self.feed_light(now, Input::Loaded(stored), None, out);
    }

    /// Gives the light client one input and carries out what it asks. `from` is whoever brought a file.
    pub(super) fn feed_light(
        &mut self,
        now: Moment,
        input: Input,
        from: Option<Peer>,
        out: &mut Vec<Output>,
    ) {
        let (clock, mut outputs) = (self.wall(now), Vec::new());
        let change = match &input {
            Input::Fetched(_, File::Change(_), bytes) => {
                codec::decode::<Change>(bytes, MAX_CHANGE).ok()
            }
            Input::Loaded(_) | Input::Fetched(..) | Input::Missing(..) | Input::Tick => None,
        };
        self.light.handle(now, clock, input, &mut outputs);
        for output in outputs {
            match output {
                LightOutput::Fetch(_, File::Spec(chain)) => {
                    let spec = codec::encode(&self.config.spec);
                    let fetched = Input::Fetched(Source::NODE, File::Spec(chain), spec);
                    self.feed_light(now, fetched, None, out);
                }
                LightOutput::Fetch(_, file) => self.wanted.push_back(file),
                LightOutput::Keep(bytes) => {
                    let kept = Kept::from_bytes(&bytes).ok().map(|kept| kept.checkpoint);
                    if let Some(change) =
                        change.as_ref().filter(|c| Some(&c.checkpoint) == kept.as_ref())
                    {
                        out.push(Output::Store(Box::new(SyncWrite::Change(Box::new(
                            change.clone(),
                        )))));
                    }
                    self.tips = 0;
                    self.trust = Some(bytes.clone());
                    out.push(Output::Store(Box::new(SyncWrite::Trust(bytes))));
                }
                LightOutput::Refused(error) => self.refused(now, from, error, out),
                // Heads above the checkpoint move with every block.
                LightOutput::Advanced | LightOutput::KeepFork(_) | LightOutput::Alarm => {}
            }
        }
    }

    fn refused(
        &mut self,
        now: Moment,
        from: Option<Peer>,
        error: LightError,
        out: &mut Vec<Output>,
    ) {
        if error == LightError::TrustExpired && self.light.standing() == Standing::Expired {
            return self.fail(SyncError::TrustExpired, out);
        }
        if let Some(peer) = from {
            self.blame(now, peer, Fault::File(error), out);
        }
    }

    pub(super) fn on_file(
        &mut self,
        now: Moment,
        peer: Peer,
        file: File,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) {
        let chain = self.chain;
        if let Phase::Gather(gathering) = &mut self.phase {
            if let Some(fault) = gathering.learn(chain, &file, &bytes) {
                self.blame(now, peer, fault, out);
            }
            return;
        }
        if file == File::Tip {
            self.tips = self.tips.saturating_add(1);
            let tip: Option<Tip> = codec::decode(&bytes, MAX_TIP).ok();
            self.claimed = self.claimed.max(tip.map_or(0, |tip| tip.final_height.0));
        }
        self.feed_light(now, Input::Fetched(Source::NODE, file, bytes), Some(peer), out);
    }

    /// A light file could not be had; the walk asks again.
    pub(super) fn miss(&mut self, now: Moment, file: File, out: &mut Vec<Output>) {
        if matches!(self.phase, Phase::Walk) {
            self.feed_light(now, Input::Missing(Source::NODE, file), None, out);
        }
    }

    /// Takes the newest checkpoint once nobody shows a newer one.
    pub(super) fn choose(&mut self, now: Moment, out: &mut Vec<Output>) {
        let is_way =
            |file: &File| !matches!(file, File::Tip | File::Header(_) | File::Validators(_));
        let of_way = |what: &What| matches!(what, What::File(file) if is_way(file));
        let walks = self.wanted.iter().any(is_way)
            || self.flights.values().any(|flight| of_way(&flight.what));
        if self.tips < TIPS || walks {
            return;
        }
        let Some(head) = self.light.head(Level::Final) else {
            if self.claimed == 0 {
                self.phase = Phase::Ended;
                out.push(Output::Nothing);
            }
            return;
        };
        let kept = self.trust.as_deref().and_then(|bytes| Kept::from_bytes(bytes).ok());
        let Some(kept) = kept.filter(|kept| kept.checkpoint.header.id() == head.block) else {
            return;
        };
        let frozen_until = self.wall(now).plus(self.config.spec.drift);
        let Kept { checkpoint, guardians, .. } = kept;
        let target = Target { checkpoint, signers: guardians, frozen_until };
        let genesis = self.config.spec.genesis_height();
        self.wanted.clear();
        self.flights.values().for_each(|flight| self.neighbours.done(flight.peer));
        self.flights.clear();
        out.push(Output::Store(Box::new(SyncWrite::Target(Box::new(target.clone())))));
        self.phase = Phase::Gather(Box::new(Gathering::new(target, genesis)));
    }

    /// Nobody has the state any more: forgets it, and looks for a newer checkpoint.
    pub(super) fn walk_again(&mut self, now: Moment, out: &mut Vec<Output>) {
        self.phase = Phase::Walk;
        self.neighbours.forget_lacks();
        self.flights.values().for_each(|flight| self.neighbours.done(flight.peer));
        self.flights.clear();
        out.push(Output::Store(Box::new(SyncWrite::Restart)));
        self.begin_walk(now, out);
    }
}
