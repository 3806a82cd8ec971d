//! How a field is made again of its rows, or frozen.
//!
//! Everything is recomputed: the payments of every round must lead from the deposits to the newest sealed state. What does
//! not fit freezes the field: nothing is signed for it any more, and what is sealed is still good for closing it.
//!
//! Source: PROTOCOL A0.6, A10.8.

use super::{
    Freeze, Seat, Turn,
    amend::Amending,
    journal::Journal,
    own::Own,
    record::{
        AmendmentRecord, Base, Entry, LogRecord, OwnRecord, RoundRecord, Row, SealedRecord,
        SeatRecord, Slot, read,
    },
    round::Round,
    seat::{Past, Sealed, Step, Voting},
    wire::Ordered,
};
use crate::{
    payment::{
        field::{Amendment, FieldTerms, RoundState, Rounds, SealedState},
        payer::DeviceId,
    },
    row::Damaged,
    table::Table,
};
use alloc::{vec, vec::Vec};

/// The rows of one field, as they were read back.
pub(super) type Rows = Table<Row, Result<Vec<u8>, Damaged>>;

/// The rows of one field, as far as they can be read.
struct Found {
    base: Option<Base>,
    terms: Option<FieldTerms>,
    amendment: Option<Amendment>,
    sealed: [Option<(Slot, SealedState)>; 2],
    rounds: Table<u32, RoundRecord>,
    log: Table<u64, LogRecord>,
    freeze: Option<Freeze>,
}

impl Seat {
    /// Makes a field of its rows. `None` if they do not even say which members it has.
    pub(super) fn restored(turn: &Turn<'_>, rows: Rows) -> Option<Self> {
        let mut found = Found::read(turn.device, rows);
        if found.base.as_ref().is_some_and(|base| !base.is_sound(turn.chain)) {
            found.base = None;
            found.freeze.get_or_insert(Freeze::Damaged);
        }
        let base = found.base.take().or_else(|| found.fallback())?;
        let mut seat = Self::of(turn, base)?;
        seat.is_stored = true;
        if seat.sealed.state.version == 0 {
            seat.sign_terms(turn);
        }
        seat.freeze = found.freeze;
        let sealed = found.newest_first();
        let mut rounds = found.rounds;
        seat.recall(&mut rounds);
        if seat.replay_sealed(sealed, &mut rounds, turn).is_err() {
            seat.freeze.get_or_insert(Freeze::Damaged);
        }
        if seat.replay_log(found.log, &rounds, turn).is_err() {
            seat.freeze.get_or_insert(Freeze::Damaged);
        }
        if seat.freeze.is_some() {
            (seat.voting, seat.gather) = (None, None);
        }
        seat.resume_amending(found.amendment, turn);
        Some(seat)
    }

    /// Goes on with an amendment that was signed in this version.
    fn resume_amending(&mut self, amendment: Option<Amendment>, turn: &Turn<'_>) {
        let Some(amendment) = amendment else { return };
        let (last, newest) = (&amendment.last, &self.sealed.state);
        if last.version == newest.version && last.round < newest.round {
            // It was signed when the chain had annulled what was sealed after this state.
            let before = Some(&self.before).filter(|before| before.state == *last).cloned();
            let known = || Sealed { state: last.clone(), signatures: None, slot: None };
            self.go_back(before.unwrap_or_else(known));
            self.was_annulled = true;
        }
        if amendment.last == self.sealed.state {
            self.amending = Some(Amending::restored(amendment, &self.parties, turn));
        }
    }

    /// Takes the two newest states that are sealed in this version, the newest first.
    fn replay_sealed(
        &mut self,
        sealed: [Option<(Slot, SealedState)>; 2],
        rounds: &mut Table<u32, RoundRecord>,
        turn: &Turn<'_>,
    ) -> Result<(), Damaged> {
        let version = self.sealed.state.version;
        // Of a version before the present one sealed states may have been left.
        let is_ours = |state: &RoundState| state.version == version && state.field == self.id;
        let mut sealed = sealed.into_iter().flatten().filter(|(_, it)| is_ours(&it.state));
        let entered = |(slot, sealed): (Slot, SealedState)| {
            let SealedState { state, signatures } = sealed;
            Sealed { state, signatures: Some(signatures), slot: Some(slot) }
        };
        let Some(newest) = sealed.next().map(entered) else { return Ok(()) };
        let before = sealed.next().map(entered);
        let replayed = self.replay(&newest.state, before.as_ref(), rounds, turn);
        self.round = Round::after(&newest.state);
        (self.sealed, self.is_recalled) = (newest, true);
        self.before = before.unwrap_or_else(|| self.before.clone());
        replayed
    }

    /// Takes the rounds before this version, if all of them are here: they are those that the version began with.
    fn recall(&mut self, rounds: &mut Table<u32, RoundRecord>) {
        let state = &self.sealed.state;
        let (mut all, mut history) = (Rounds::default(), Vec::new());
        for number in 1..=state.round {
            let Some(record) = rounds.get(&number) else { return };
            let past = Past { version: record.version, items: record.items.to_vec() };
            let Some(more) = self.extended(&all, number, &past) else { return };
            all = more;
            history.push(past);
        }
        if all == self.rounds {
            rounds.retain(|number, _| *number > state.round);
            (self.history, self.first) = (history, 1);
        }
    }

    /// Recomputes every sealed round.
    fn replay(
        &mut self,
        newest: &RoundState,
        before: Option<&Sealed>,
        rounds: &mut Table<u32, RoundRecord>,
        turn: &Turn<'_>,
    ) -> Result<(), Damaged> {
        let mut state = self.sealed.state.clone();
        while state.round < newest.round {
            let record = rounds.remove(&state.round.saturating_add(1)).ok_or(Damaged)?;
            let round = rebuilt(&state, &record.items)?;
            let is_final = newest.is_final && round.number() == newest.round;
            state = round.state(turn.chain, &self.rounds, is_final).ok_or(Damaged)?;
            self.rounds = round.extend(&self.rounds).ok_or(Damaged)?;
            self.history.push(Past { version: record.version, items: record.items.into_vec() });
            let known = before.filter(|before| before.state.round == state.round);
            if known.is_some_and(|known| known.state != state) {
                return Err(Damaged);
            }
        }
        if state == *newest { Ok(()) } else { Err(Damaged) }
    }

    /// Enters what was signed and receipted in the running round.
    fn replay_log(
        &mut self,
        log: Table<u64, LogRecord>,
        rounds: &Table<u32, RoundRecord>,
        turn: &Turn<'_>,
    ) -> Result<(), Damaged> {
        let first = log.first_key_value().map_or(0, |(number, _)| *number);
        let end = log.last_key_value().map_or(0, |(number, _)| number.saturating_add(1));
        let is_whole = usize::try_from(end.saturating_sub(first)) == Ok(log.len());
        self.journal = Journal::restored(first..end);
        if !is_whole {
            return Err(Damaged);
        }
        for entry in log.into_values().flat_map(|record| record.entries.into_vec()) {
            let (of, running) = (entry.round(), self.running());
            // Rows of rounds that are sealed may have outlived them.
            if of > running {
                return Err(Damaged);
            }
            if of == running {
                self.replay_entry(entry, rounds, turn)?;
            }
        }
        Ok(())
    }

    fn replay_entry(
        &mut self,
        entry: Entry,
        rounds: &Table<u32, RoundRecord>,
        turn: &Turn<'_>,
    ) -> Result<(), Damaged> {
        match entry {
            Entry::Paid(record) => self.replay_own(&record, None),
            Entry::Ordered(round, item) => {
                let sequence = self.round.expected(item.payer);
                let leaf = self.round.expand(&item).leaf();
                let index = self.round.push(item, leaf).map_err(|_| Damaged)?;
                self.placed = self.round.len();
                self.due = Some(turn.now);
                let Ordered { payer, payee, amount, signature } = item;
                if payer != self.me {
                    return Ok(());
                }
                let record = OwnRecord { round, sequence, payee, amount, signature };
                self.replay_own(&record, Some(index))
            }
            Entry::Receipted(receipt) => {
                self.receipt_stored(receipt);
                Ok(())
            }
            Entry::Signed(state) => {
                let record = rounds.get(&state.round).ok_or(Damaged)?;
                let round = rebuilt(&self.sealed.state, &record.items)?;
                let computed = round.state(turn.chain, &self.rounds, state.is_final);
                if computed.as_ref() != Some(&*state) {
                    return Err(Damaged);
                }
                let mut votes = vec![None; self.parties.len()];
                if let Some(vote) = votes.get_mut(usize::from(self.me)) {
                    *vote = Some(turn.key.sign(turn.chain, &*state));
                }
                let (state, step, sealing) = (*state, Step::Spoken, None);
                self.voting = Some(Voting { state, round, step, votes, sealing });
                self.due = None;
                Ok(())
            }
        }
    }

    fn replay_own(&mut self, record: &OwnRecord, index: Option<u32>) -> Result<(), Damaged> {
        if usize::try_from(record.sequence) != Ok(self.own.len()) {
            return Err(Damaged);
        }
        let id = self.next_own;
        self.next_own = self.next_own.saturating_add(1);
        let OwnRecord { payee, amount, signature, .. } = *record;
        let (signature, is_durable) = (Some(signature), true);
        self.own.push(Own { id, payee, amount, signature, is_durable, index });
        Ok(())
    }
}

/// Puts stored payments in order again. Their signatures were checked before they were stored.
fn rebuilt(before: &RoundState, items: &[Ordered]) -> Result<Round, Damaged> {
    let mut round = Round::after(before);
    for item in items {
        let leaf = round.expand(item).leaf();
        round.push(*item, leaf).map_err(|_| Damaged)?;
    }
    Ok(round)
}

impl Found {
    fn read(device: DeviceId, rows: Rows) -> Self {
        let (rounds, log, sealed) = (Table::new(), Table::new(), [None, None]);
        let (base, terms, amendment) = (None, None, None);
        let mut found = Self { base, terms, amendment, sealed, rounds, log, freeze: None };
        let mut is_whole = false;
        for (row, bytes) in rows {
            is_whole |= row == Row::Seat;
            match bytes.and_then(|bytes| found.read_row(row, &bytes)) {
                Ok(writer) if writer == device => {}
                Ok(_) => found.freeze = Some(Freeze::OtherDevice),
                Err(Damaged) => {
                    found.freeze.get_or_insert(Freeze::Damaged);
                }
            }
        }
        if !is_whole {
            found.freeze.get_or_insert(Freeze::Damaged);
        }
        found
    }

    /// Returns what a sealed state alone says: enough to close the field with it.
    fn fallback(&mut self) -> Option<Base> {
        self.freeze.get_or_insert(Freeze::Damaged);
        let newest = self.sealed.iter().flatten().map(|(_, sealed)| &sealed.state);
        let state = newest.max_by_key(|state| state.rank())?.clone();
        let terms = self.terms.take()?;
        Some(Base { terms, state, rounds: Rounds::default() })
    }

    /// Takes the sealed states, the newest first.
    fn newest_first(&mut self) -> [Option<(Slot, SealedState)>; 2] {
        let [one, other] = core::mem::take(&mut self.sealed);
        let rank = |it: &Option<(Slot, SealedState)>| it.as_ref().map(|(_, it)| it.state.rank());
        if rank(&one) >= rank(&other) { [one, other] } else { [other, one] }
    }

    /// Reads one row; returns which device wrote it.
    fn read_row(&mut self, row: Row, bytes: &[u8]) -> Result<DeviceId, Damaged> {
        Ok(match row {
            Row::Seat => {
                let record: SeatRecord = read(bytes)?;
                self.base = Some(record.base);
                record.device
            }
            Row::Amendment => {
                let record: AmendmentRecord = read(bytes)?;
                self.amendment = Some(record.amendment);
                record.device
            }
            Row::Sealed(slot) => {
                let record: SealedRecord = read(bytes)?;
                self.terms.get_or_insert(record.terms);
                let at = if slot == Slot::First { 0 } else { 1 };
                if let Some(place) = self.sealed.get_mut(at) {
                    *place = Some((slot, record.sealed));
                }
                record.device
            }
            Row::Round(number) => {
                let record: RoundRecord = read(bytes)?;
                let device = record.device;
                self.rounds.insert(number, record);
                device
            }
            Row::Log(number) => {
                let record: LogRecord = read(bytes)?;
                let device = record.device;
                self.log.insert(number, record);
                device
            }
        })
    }
}
