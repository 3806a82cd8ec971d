//! One field as one of its members sees it.
//!
//! ```text
//! Running --the leader closes--> gathering (members) --recomputed--> voting --every signature--> sealing --Stored--> Running
//! ```
//!
//! Only what is sealed is money. While a round is voted on, both its state and the one before may be enforced, so nothing
//! is signed that depends on which (A6.10): payments asked for meanwhile wait.

use super::{
    Fault, Freeze, Turn,
    affairs::Affairs,
    amend::Amending,
    journal::Journal,
    own::Own,
    record::{Base, LogRecord, ReceiptRecord, Row, Slot, bounded},
    retry::Retry,
    round::Round,
    turnover::Turnover,
    wire::{Letter, Ordered, RoundId},
};
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::{PublicKey, ReadyKey, Signature, Tagged},
    id::{Address, ChainId, FieldId},
    payment::field::{FieldEvidence, FieldTerms, MAX_MEMBERS, RoundState, Rounds, SealedState},
    table::Table,
    time::Moment,
};
use alloc::{vec, vec::Vec};

/// One member's part in one field.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: FieldId,
    pub(super) terms: FieldTerms,
    pub(super) parties: Vec<Party>,
    pub(super) me: u8,
    pub(super) leader: u8,
    pub(super) freeze: Option<Freeze>,
    /// Whether the row of the field is durable.
    pub(super) is_stored: bool,
    /// The members' signatures of the terms, as the leader gathers them.
    pub(super) accepted: Vec<Option<Signature>>,
    pub(super) affairs: Affairs,
    pub(super) sealed: Sealed,
    /// What counts if the chain annuls the newest sealed state.
    pub(super) before: Sealed,
    /// Whether the newest sealed state was only read back: its row may have come too late for the chain, which the next
    /// proof tells.
    pub(super) is_recalled: bool,
    /// What all have signed, and perhaps too late: the next proof tells whether it is money.
    pub(super) late: Option<SealedState>,
    /// Where this version begins.
    pub(super) start: Start,
    /// The rounds under the newest sealed state.
    pub(super) rounds: Rounds,
    /// Number of the first round in `history`; of who joined later not the first of the field.
    pub(super) first: u32,
    /// The rounds that were sealed, those that the chain has annulled since among them.
    pub(super) history: Vec<Past>,
    /// What makes the next version, as far as it has come.
    pub(super) amending: Option<Amending>,
    /// What is wished for the next version.
    pub(super) turnover: Turnover,
    /// Two words of the leader that exclude each other, if it said such.
    pub(super) evidence: Option<FieldEvidence>,
    /// Whether the chain has annulled the running round.
    pub(super) was_annulled: bool,
    /// Who asked this key to join, until it has.
    pub(super) summoner: Option<Address>,
    /// The running round as the leader orders it. A member's is empty until it gathers.
    pub(super) round: Round,
    /// How many of its places are durable, so that they may be spoken of.
    pub(super) placed: u32,
    pub(super) gather: Option<Gather>,
    pub(super) voting: Option<Voting>,
    pub(super) own: Vec<Own>,
    pub(super) next_own: u64,
    /// Receipts of this round for payments of ours and to us, by place in the round.
    pub(super) receipts: Table<u32, ReceiptRecord>,
    pub(super) journal: Journal,
    pub(super) retry: Retry,
    /// When the leader closes the running round.
    pub(super) due: Option<Moment>,
    /// Whether the field is to be closed with a final state.
    pub(super) wants_final: bool,
}

/// A member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Party {
    pub(super) key: PublicKey,
    /// Its point, read once; `None` if it is none, so that it has signed nothing.
    pub(super) ready: Option<ReadyKey>,
    pub(super) address: Address,
}

/// A state that is money.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub(super) state: RoundState,
    /// Of all members; what the chain knows has none and needs none, as a version's first state.
    pub(super) signatures: Option<Bounded<Signature, MAX_MEMBERS>>,
    /// Where it is written, if it is.
    pub(super) slot: Option<Slot>,
}

/// Where a version begins.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// The last round before it.
    pub(super) round: u32,
    /// All rounds before it.
    pub(super) rounds: Rounds,
}

/// A round that is sealed.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) version: u32,
    pub(super) items: Vec<Ordered>,
}

/// A proposed state whose payments are being fetched and checked.
#[derive(Debug)]
pub(super) struct Gather {
    pub(super) state: RoundState,
    /// The leader's.
    pub(super) signature: Signature,
    pub(super) round: Round,
    /// Up to which place payments were asked for.
    pub(super) asked: u32,
    /// Whether it breaks a receipt, so that it is never signed here.
    pub(super) is_refused: bool,
}

/// A state that this member signs.
#[derive(Debug)]
pub(super) struct Voting {
    pub(super) state: RoundState,
    pub(super) round: Round,
    pub(super) step: Step,
    pub(super) votes: Vec<Option<Signature>>,
    /// All signatures, while they are being written, and where.
    pub(super) sealing: Option<(SealedState, Slot)>,
}

/// How far a signature has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The round's payments are being written.
    Round,
    /// The state is being written.
    State,
    /// The signature may be spoken.
    Spoken,
}

impl Party {
    /// Checks that this member signed an object.
    pub(super) fn check(
        &self,
        chain: ChainId,
        object: &impl Tagged,
        signature: &Signature,
    ) -> Result<(), Fault> {
        let ready = self.ready.ok_or(Fault::BadSignature)?;
        ready.verify(&object.digest(chain).0, signature).map_err(|_| Fault::BadSignature)
    }
}

impl Seat {
    /// Makes the seat of this key in a field that these terms open. `None` if they do not name it.
    pub(super) fn new(turn: &Turn<'_>, terms: FieldTerms) -> Option<Self> {
        Self::of(turn, Base::opened(turn.chain, terms)?)
    }

    /// Makes the seat of this key in a version of a field. `None` for members that do not name it.
    pub(super) fn of(turn: &Turn<'_>, base: Base) -> Option<Self> {
        let Base { terms, state, rounds } = base;
        let parties: Vec<Party> = (terms.members.iter())
            .map(|member| Party {
                key: member.key,
                ready: member.key.ready().ok(),
                address: member.address(),
            })
            .collect();
        let public = turn.key.public();
        let me = parties.iter().position(|party| party.key == public)?;
        let sealed = Sealed { state: state.clone(), signatures: None, slot: None };
        Some(Self {
            id: state.field,
            me: u8::try_from(me).ok()?,
            leader: terms.leader()?,
            freeze: None,
            is_stored: false,
            accepted: vec![None; parties.len()],
            affairs: Affairs::default(),
            first: state.round.saturating_add(1),
            start: Start { round: state.round, rounds: rounds.clone() },
            rounds,
            history: Vec::new(),
            round: Round::after(&state),
            before: sealed.clone(),
            sealed,
            is_recalled: false,
            late: None,
            placed: 0,
            gather: None,
            voting: None,
            own: Vec::new(),
            next_own: 0,
            receipts: Table::new(),
            journal: Journal::default(),
            retry: Retry::default(),
            due: None,
            wants_final: false,
            amending: None,
            turnover: Turnover::default(),
            evidence: None,
            was_annulled: false,
            summoner: None,
            parties,
            terms,
        })
    }

    /// Returns whether this member leads.
    pub(super) const fn leads(&self) -> bool {
        self.me == self.leader
    }

    /// Returns the place of the member with this address.
    pub(super) fn place(&self, address: &Address) -> Option<u8> {
        let place = self.parties.iter().position(|party| party.address == *address)?;
        u8::try_from(place).ok()
    }

    /// Returns the member at a place.
    pub(super) fn party(&self, place: u8) -> Option<&Party> {
        self.parties.get(usize::from(place))
    }

    /// Returns the running round.
    pub(super) const fn running(&self) -> RoundId {
        let RoundState { version, round, .. } = self.sealed.state;
        RoundId { version, round: round.saturating_add(1) }
    }

    /// Returns whether payments can be signed and ordered now.
    pub(super) fn takes_payments(&self) -> bool {
        self.freeze.is_none()
            && self.is_open()
            && !self.sealed.state.is_final
            && !self.is_amending()
            && self.voting.is_none()
            && self.gather.is_none()
    }

    /// Returns whether members of this version pay each other, out of what is money.
    pub(super) fn is_open(&self) -> bool {
        self.affairs.is_open() && self.is_current() && !self.is_recalled
    }

    /// Returns whether the chain is at the version of this seat: who joins is ahead of it.
    pub(super) fn is_current(&self) -> bool {
        let state = self.affairs.state();
        state.is_some_and(|state| state.best.version == self.sealed.state.version)
    }

    /// Returns the newest state that is money.
    pub(super) const fn committed(&self) -> &RoundState {
        if self.is_recalled { &self.before.state } else { &self.sealed.state }
    }

    /// Returns what this member owns for certain.
    pub(super) fn balance(&self) -> Amount {
        let balances = &self.committed().balances;
        balances.get(usize::from(self.me)).copied().unwrap_or_default()
    }

    /// Returns the newest state with all signatures, if it is not a version's first.
    pub(super) fn sealed_state(&self) -> Option<SealedState> {
        let signatures = self.sealed.signatures.clone()?;
        Some(SealedState { state: self.sealed.state.clone(), signatures })
    }

    /// Sends one member a message.
    pub(super) fn tell(&self, turn: &mut Turn<'_>, place: u8, letter: Letter) {
        if let Some(party) = self.party(place).filter(|_| place != self.me) {
            turn.send(party.address, self.id, letter);
        }
    }

    /// Sends all other members a message.
    pub(super) fn tell_all(&self, turn: &mut Turn<'_>, letter: &Letter) {
        for place in (0_u8..).take(self.parties.len()) {
            self.tell(turn, place, letter.clone());
        }
    }

    /// Starts the next write of the log, unless one is under way.
    pub(super) fn write(&mut self, turn: &mut Turn<'_>) {
        if let Some((number, entries)) = self.journal.start() {
            let record = LogRecord { device: turn.device, entries: bounded(entries.to_vec()) };
            turn.store(self.id, Row::Log(number), &record);
            return;
        }
        for number in self.journal.sweep() {
            turn.remove(self.id, Row::Log(number));
        }
    }

    /// A write is durable.
    pub(super) fn stored(&mut self, row: Row, turn: &mut Turn<'_>) {
        match row {
            Row::Seat => self.seat_stored(turn),
            Row::Amendment => self.amendment_stored(turn),
            Row::Log(_) => {
                let entries = self.journal.stored();
                self.speak(entries, turn);
                self.write(turn);
            }
            Row::Round(number) => self.round_stored(number, turn),
            Row::Sealed(_) => self.sealed_stored(turn),
        }
        self.rearm(turn);
        turn.changed();
    }
}
