//! Tells a watch-tower each newest sealed state, until it says that it has it.
//!
//! ```text
//! Sealed --> Tell --Answered--> held
//!              |----Refused, Unreachable--> after a while: Tell
//!              '----a newer one meanwhile--> after a moment: Tell
//! ```
//!
//! The tower needs no key and is believed in nothing: who tells it too little is as safe as its last word to it. One state of
//! a field is on its way at a time, and what was superseded meanwhile is never sent. A state that the chain annuls is
//! superseded by the one before: a tower that was told only the annulled one has nothing to show.
//!
//! Source: PROTOCOL A6.11, A6.12.

use crate::{id::FieldId, time::Moment};
use alloc::vec::Vec;
use core::time::Duration;

/// Least time between two states of one field. Chosen here: a burst seals several a second, and each costs the tower a
/// signature check a member.
const TELL_INTERVAL: Duration = Duration::from_millis(1000);
/// How long a tower that refuses or is silent is left alone: it may not have settled the field yet.
const TELL_PATIENCE: Duration = Duration::from_millis(5000);

/// Version and round of a state: the later, the higher. What is newest goes back where the chain annuls rounds (A6.12).
pub type Rank = (u32, u32);

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// These are the newest states that all members have signed, of each field that is not over. Of others nothing is told.
    Sealed(Vec<(FieldId, Rank)>),
    /// The tower has what was told last of the field.
    Answered(FieldId),
    /// The tower does not take it, or did not answer.
    Refused(FieldId),
    /// Time moved on; nothing else happened.
    Tick,
}

/// What the parent must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send the tower the newest sealed state of this field.
    Tell(FieldId),
}

/// What one tower was told.
#[derive(Debug, Default)]
pub struct Telling {
    /// At most as many as a member has seats.
    fields: Vec<Told>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    field: FieldId,
    newest: Rank,
    /// What the tower said that it has.
    held: Option<Rank>,
    /// What it was told and has not answered.
    asked: Option<Rank>,
    /// Before this nothing is told.
    rest: Moment,
}

impl Told {
    fn is_due(&self) -> bool {
        self.asked.is_none() && self.held != Some(self.newest)
    }
}

impl Telling {
    /// Applies one input. Never fails; what makes no sense is ignored.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Sealed(newest) => {
                self.fields.retain(|told| newest.iter().any(|(field, _)| *field == told.field));
                for (field, newest) in newest {
                    if let Some(told) = self.told(field) {
                        told.newest = newest;
                    } else {
                        let rest = Moment::ZERO;
                        self.fields.push(Told { field, newest, held: None, asked: None, rest });
                    }
                }
            }
            Input::Answered(field) => {
                let Some(told) = self.told(field) else { return };
                let Some(asked) = told.asked.take() else { return };
                told.held = Some(asked);
                told.rest = now.after(TELL_INTERVAL);
            }
            Input::Refused(field) => {
                let Some(told) = self.told(field) else { return };
                if told.asked.take().is_some() {
                    told.rest = now.after(TELL_PATIENCE);
                }
            }
            Input::Tick => {}
        }
        for told in &mut self.fields {
            if told.is_due() && told.rest <= now {
                told.asked = Some(told.newest);
                out.push(Output::Tell(told.field));
            }
        }
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        self.fields.iter().filter(|told| told.is_due()).map(|told| told.rest).min()
    }

    /// Returns the state of a field that the tower last said it has.
    pub fn held(&self, field: &FieldId) -> Option<Rank> {
        self.fields.iter().find(|told| told.field == *field)?.held
    }

    fn told(&mut self, field: FieldId) -> Option<&mut Told> {
        self.fields.iter_mut().find(|told| told.field == field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Hash;
    use alloc::vec;

    const FIELD: FieldId = FieldId(Hash([1; 32]));

    fn feed(telling: &mut Telling, at_ms: u64, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        telling.handle(Moment::from_millis(at_ms), input, &mut out);
        out
    }

    fn sealed(rank: Rank) -> Input {
        Input::Sealed(vec![(FIELD, rank)])
    }

    #[test]
    fn a_state_is_told_once_and_a_newer_one_when_the_tower_has_answered() {
        let mut telling = Telling::default();
        let tell = vec![Output::Tell(FIELD)];
        assert_eq!(feed(&mut telling, 0, sealed((0, 1))), tell);
        assert_eq!(feed(&mut telling, 10, sealed((0, 2))), vec![], "one at a time");
        assert_eq!((telling.deadline(), telling.held(&FIELD)), (None, None));
        assert_eq!(feed(&mut telling, 20, Input::Answered(FIELD)), vec![]);
        assert_eq!(telling.held(&FIELD), Some((0, 1)), "what it was told, not what is newest");
        assert_eq!(telling.deadline(), Some(Moment::from_millis(1020)));
        assert_eq!(feed(&mut telling, 1019, Input::Tick), vec![]);
        assert_eq!(feed(&mut telling, 1020, Input::Tick), tell);
        feed(&mut telling, 1030, Input::Answered(FIELD));
        assert_eq!((telling.held(&FIELD), telling.deadline()), (Some((0, 2)), None));
        assert_eq!(feed(&mut telling, 9000, sealed((0, 2))), vec![], "it has that");
        assert_eq!(feed(&mut telling, 9000, sealed((1, 0))), tell, "a next version");
    }

    /// A6.12: a tower that was told only the round that was annulled would have nothing to show.
    #[test]
    fn the_state_before_one_that_was_annulled_is_told_and_what_is_sealed_after_it() {
        let mut telling = Telling::default();
        let tell = vec![Output::Tell(FIELD)];
        assert_eq!(feed(&mut telling, 0, sealed((0, 7))), tell);
        feed(&mut telling, 10, Input::Answered(FIELD));
        assert_eq!(feed(&mut telling, 2000, sealed((0, 6))), tell, "round 7 was annulled");
        feed(&mut telling, 2010, Input::Answered(FIELD));
        assert_eq!((telling.held(&FIELD), telling.deadline()), (Some((0, 6)), None));
        assert_eq!(feed(&mut telling, 4000, sealed((0, 6))), vec![], "it has that");
        assert_eq!(feed(&mut telling, 4000, sealed((1, 7))), tell, "a next version");
    }

    #[test]
    fn who_refuses_or_is_silent_is_told_again_later_and_not_before() {
        let mut telling = Telling::default();
        feed(&mut telling, 0, sealed((0, 1)));
        assert_eq!(feed(&mut telling, 100, Input::Refused(FIELD)), vec![]);
        assert_eq!(feed(&mut telling, 5099, sealed((0, 3))), vec![]);
        assert_eq!(feed(&mut telling, 5100, Input::Tick), vec![Output::Tell(FIELD)]);
        assert_eq!(feed(&mut telling, 5110, Input::Answered(FIELD)), vec![]);
        assert_eq!(telling.held(&FIELD), Some((0, 3)));
    }

    #[test]
    fn an_answer_that_nobody_waits_for_changes_nothing() {
        let mut telling = Telling::default();
        assert_eq!(feed(&mut telling, 0, Input::Answered(FIELD)), vec![]);
        feed(&mut telling, 0, sealed((0, 1)));
        feed(&mut telling, 0, Input::Answered(FIELD));
        assert_eq!(feed(&mut telling, 1, Input::Answered(FIELD)), vec![], "said twice");
        feed(&mut telling, 2, Input::Sealed(vec![]));
        assert_eq!((telling.held(&FIELD), telling.deadline()), (None, None), "the field is over");
    }
}
