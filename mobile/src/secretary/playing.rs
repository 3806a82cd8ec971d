//! What an application's player asks: segments that it waits for, and whether what it loaded is the publisher's.

use super::{Reply, Secretary, answer};
use crate::error::AntiphonError;
use antiphon_core::client::{Input, Part, WantId, Wanted};
use antiphon_host::{desk::Desk, links::Links};

/// What waits for one player. Chosen here: with what the tuner wants it is what a client wants at most (`fetch::MAX_WANTED`).
const MAX_ASKED: usize = 16;

/// What a player asks.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// Bring this segment.
    Segment(Wanted),
    /// Is this what the publisher signed?
    Check(Part, Vec<u8>),
}

impl Secretary {
    pub(super) fn play<L: Links>(&mut self, ask: Ask, reply: Reply<Vec<u8>>, desk: &mut Desk<L>) {
        self.give_up(desk);
        if self.playing.len() >= MAX_ASKED {
            return answer(reply, Err(AntiphonError::unavailable("fetch/too-many")));
        }
        let id = desk.play(|id| match ask {
            Ask::Segment(wanted) => Input::Want(id, wanted),
            Ask::Check(part, bytes) => Input::Check(id, part, bytes),
        });
        // What was answered at once is told once this is done.
        self.playing.insert(id, reply);
    }

    /// Wants no more what nobody waits for.
    pub(super) fn give_up<L: Links>(&mut self, desk: &mut Desk<L>) {
        let gone = self.playing.extract_if(.., |_, reply| reply.is_closed());
        for (id, _) in gone.collect::<Vec<_>>() {
            desk.feed(Input::Unwant(id));
        }
    }

    pub(super) fn played(&mut self, id: WantId, what: Result<Vec<u8>, AntiphonError>) {
        if let Some(reply) = self.playing.remove(&id) {
            answer(reply, what);
        }
    }
}
