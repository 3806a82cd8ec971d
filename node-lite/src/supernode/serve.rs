//! Answers nodes that sync their state: from the disk, at a pace.

use super::{Output, Supernode, wire::Wire};
use crate::{
    bft::Peer,
    bucket::{Bucket, Rate},
    storage::Storage,
    sync::{Answer, Ask, Message},
};
use antiphon_core::{chain::light::File, codec, codec::Bounded, time::Moment};
use std::collections::BTreeMap;

/// KiB that are read for one neighbour: twice what asks take that keep to the rate of a node that is left as it is.
/// Chosen here: ranges of the longest kind 16 times a second.
const RATE: Rate = Rate { burst: 64 << 10, milli_per_second: (16 << 10) * 1000 };
/// KiB that a question costs beside the rows that it asks for. Chosen here: a way of branches, or a light file.
const QUESTION: u32 = 4;
/// Neighbours whose pace is remembered. Chosen here: more than there are at a time.
const MAX_PACES: usize = 1024;

/// How much each neighbour may still ask.
#[derive(Debug, Default)]
pub(super) struct Serves(BTreeMap<Peer, Bucket>);

impl Serves {
    fn take(&mut self, now: Moment, peer: Peer, ask: &Ask) -> bool {
        let kib = QUESTION.saturating_add(ask.most_kib());
        if self.0.len() >= MAX_PACES {
            self.0.retain(|_, bucket| !bucket.is_full(now, RATE));
        }
        if self.0.len() >= MAX_PACES && !self.0.contains_key(&peer) {
            return false;
        }
        self.0.entry(peer).or_insert_with(|| Bucket::full(now, RATE)).take_many(
            now,
            RATE,
            kib.into(),
        )
    }
}

impl<S: Storage> Supernode<S> {
    /// Answers one question; one that is too much is let go, and the asker asks elsewhere.
    pub(super) fn serve(
        &mut self,
        now: Moment,
        to: Peer,
        (id, ask): (u32, &Ask),
        out: &mut Vec<Output>,
    ) {
        if !self.serves.take(now, to, ask) {
            return;
        }
        // What cannot be read is not here for others; this node finds out by itself when it needs it.
        let found = ask.answer(self.ledger.store(), self.spec()).unwrap_or(Some(Answer::Missing));
        let answer = found.or_else(|| self.unsettled(ask)).unwrap_or(Answer::Missing);
        out.push(Output::Send(to, codec::encode(&Wire::Sync(Message::Answer(id, answer)))));
    }

    fn unsettled(&self, ask: &Ask) -> Option<Answer> {
        let bytes = match ask.as_file()? {
            File::Tip => codec::encode(&self.tip()),
            File::Header(block) => {
                let headers = self.unsettled_headers();
                codec::encode(headers.iter().find(|header| header.id() == block)?)
            }
            File::News
            | File::Spec(_)
            | File::Checkpoint(_)
            | File::Guardians(_)
            | File::Validators(_)
            | File::Change(_)
            | File::Final(_)
            | File::Span(_)
            | File::Body(_) => return None,
        };
        Bounded::try_from(bytes).ok().map(Answer::File)
    }
}
