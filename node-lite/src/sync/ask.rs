//! What is asked next, and of whom.

use super::{
    Flight, MAX_FLIGHTS, Output, Phase, Sync, What,
    neighbours::Kind,
    wire::{Ask, Message, RangeAsk},
};
use crate::{bft::Peer, supernode::wire::Wire};
use antiphon_core::{chain::light::File, codec, id::BlockId, time::Moment};
use std::time::Duration;

/// How long a neighbour may take to answer what is short. Chosen here: many times round the world.
const PATIENCE: Duration = Duration::from_secs(3);
/// KiB a second that a neighbour must bring beside that. Chosen here.
const SLOWEST: u32 = 128;
/// Between questions to numbers of which nobody was heard.
const PROBE: Duration = Duration::from_secs(1);
/// Numbers that are tried. The host hands what nobody has to somebody.
const PROBES: Peer = 8;

impl Sync {
    /// Asks whoever has a number, as long as nobody is known.
    pub(super) fn probe(&mut self, now: Moment, out: &mut Vec<Output>) {
        if now < self.next_probe {
            return;
        }
        self.next_probe = now.after(PROBE);
        if self.neighbours.has_fair() {
            return;
        }
        self.probes.clear();
        for number in 0..PROBES {
            let id = self.take_id();
            self.probes.insert(id);
            out.push(send(number, id, Ask::file(&File::Tip)));
        }
    }

    fn take_id(&mut self) -> u32 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    /// Sends out what is missing, as much as neighbours take.
    pub(super) fn ask(&mut self, now: Moment, out: &mut Vec<Output>) {
        while self.flights.len() < MAX_FLIGHTS {
            let Some(what) = self.next_question() else { return };
            let (kind, kib) = match &what {
                What::Range(_) | What::Ancestors(_) => {
                    (Kind::State, u64::from(self.config.max_range) / 1024)
                }
                What::File(File::Tip) => (Kind::Tip, 1),
                What::File(_) => (Kind::File, 1),
            };
            let Some(peer) = self.neighbours.pick(now, kib, kind) else { return };
            if matches!(what, What::File(_)) {
                self.wanted.pop_front();
            }
            let id = self.take_id();
            let ask = self.question(&what);
            let seconds = ask.most_kib().div_ceil(SLOWEST);
            let until = now.after(PATIENCE).after(Duration::from_secs(seconds.into()));
            self.flights.insert(id, Flight { what, peer, until });
            out.push(send(peer, id, ask));
        }
    }

    /// Returns the first thing that is missing and that nobody was asked for.
    fn next_question(&self) -> Option<What> {
        let asked = |what: &What| self.flights.values().any(|flight| flight.what == *what);
        if let Some(file) = self.wanted.front() {
            return Some(What::File(file.clone()));
        }
        let Phase::Gather(gathering) = &self.phase else { return None };
        let files = gathering.files().into_iter().map(What::File);
        let ancestors = gathering.lacks_ancestors().then(|| gathering.lowest().id());
        let few = files.chain(ancestors.map(What::Ancestors)).find(|what| !asked(what));
        few.or_else(|| {
            gathering.plan.missing().map(|at| What::Range(at.clone())).find(|what| !asked(what))
        })
    }

    fn question(&self, what: &What) -> Ask {
        match what {
            What::File(file) => Ask::file(file),
            What::Ancestors(block) => Ask::Ancestors(*block),
            What::Range(prefix) => {
                let block = match &self.phase {
                    Phase::Gather(gathering) => gathering.target.block(),
                    Phase::Walk | Phase::Ended => BlockId::default(),
                };
                let (prefix, max) = (prefix.clone(), self.config.max_range);
                Ask::Range(RangeAsk { block, prefix, max })
            }
        }
    }
}

fn send(to: Peer, id: u32, ask: Ask) -> Output {
    Output::Send(to, codec::encode(&Wire::Sync(Message::Ask(id, ask))))
}
