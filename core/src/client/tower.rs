//! Routes sealed states of payment fields to a watch-tower, which shows them to the chain when all who share them are gone.

use super::{Asker, Client, Now, Output, Query};
use crate::{
    codec,
    id::FieldId,
    payment::telling::{self, Rank},
};
use alloc::vec::Vec;

/// Code of the trouble that a tower answers something else than it was told.
const WRONG_ANSWER: &str = "tower/wrong-answer";

impl Client {
    /// Tells the tower what was sealed since, and forgets what is over.
    pub(super) fn tell_tower(&mut self, now: Now, out: &mut Vec<Output>) {
        if let Some(purse) = self.purse.as_ref().filter(|_| self.config.has_tower) {
            let newest = purse.fields.newest();
            self.feed_tower(now, telling::Input::Sealed(newest), out);
        }
    }

    /// The tower says what it has, or nothing. It has what it was told if it names that field and version, and that round or a
    /// later one: members tell it the same states. Another answer is none.
    pub(super) fn tower_done(
        &mut self,
        now: Now,
        (field, (version, round)): (FieldId, Rank),
        said: Option<&[u8]>,
        out: &mut Vec<Output>,
    ) {
        // In 40 bytes: field, version, round.
        let read = said.and_then(|said| said.strip_prefix(&field.0.0)?.split_first_chunk());
        let has_it = read.is_some_and(|(of, newest)| {
            let newest = newest.try_into().map(u32::from_le_bytes);
            *of == version.to_le_bytes() && newest.is_ok_and(|newest| newest >= round)
        });
        if said.is_some() && !has_it {
            self.trouble(WRONG_ANSWER, out);
        }
        let input =
            if has_it { telling::Input::Answered(field) } else { telling::Input::Refused(field) };
        self.changed |= has_it;
        self.feed_tower(now, input, out);
    }

    fn feed_tower(&mut self, now: Now, input: telling::Input, out: &mut Vec<Output>) {
        let mut lifted = Vec::new();
        self.telling.handle(now.at, input, &mut lifted);
        for telling::Output::Tell(field) in lifted {
            let sealed = self.purse.as_ref().and_then(|purse| purse.fields.sealed(field));
            if let Some(sealed) = sealed {
                let told = (field, sealed.state.rank());
                self.ask_node(Asker::Tower(told), Query::Watch(codec::encode(&sealed)), out);
            }
        }
    }
}
