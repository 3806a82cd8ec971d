//! What came without a call of the application: pools that paid, gifts, fields that paid out, tokens that others sent.
//!
//! ```text
//! pool   Pending --proven paid--> Included --> Settled --> Final,  or Failed      written before its transaction leaves
//! gift   Committed, for the payee is sure --paid--> Settled --> Final,  or Failed  as the client shows it
//! field  Settled --> Final                                                         closed, or left
//! sent   Settled --> Final                                                         found in the block that has it
//! ```
//!
//! All of it is one row: what was found, and up to which block was looked, are durable together. After a crash the blocks
//! from there on are read again. An account that is proven to be what it was at a lower height was sent nothing in between
//! (who sends raises its own sequence), so blocks are read only where it has changed.
//!
//! Where nothing can be forgotten because nothing was read, nothing new is taken in, and no block is passed: bounded, and told
//! at least once.
//!
//! Blocks that the node has let go (A7.8), or to which no proof leads, are passed: the first that can still be read is looked for
//! in steps that halve what is left. That there is a gap is told by its code; the balance is proven without them.

use super::{
    Stage,
    stage::{at_level, in_place},
};
use crate::{
    amount::Amount,
    chain::{
        Level,
        lookup::Question,
        spec::Token,
        state::Account,
        transaction::{Message, Part, SignedTransaction},
    },
    client::{GiftStage, GiftView, MemberView, Phase, SettlementView, Snapshot},
    codec::{self, Bounded},
    crypto::Hash,
    id::{Address, ChainId, Height},
    row,
};
use alloc::{format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// What is remembered. Chosen here: all gifts that a client follows, and as much again.
pub const MAX_CAME: usize = 256;
/// Blocks that are read at most after a pause; what lies before is not told. Chosen here: about an hour.
pub const MAX_BLOCKS: u64 = 1024;
/// Blocks below the settled head that a node has, if it has any: one that lacks them is behind, and is asked again. Source: A7.8,
/// as every node keeps these below its final checkpoints.
const MIN_KEPT: u64 = 256;
/// After so many blocks in which nothing came, it is written how far was looked. Chosen here: no row for nothing.
const BLOCKS_A_ROW: u64 = 256;
/// Code of blocks that were passed unread.
pub const GAP: &str = "call/gap";
/// Longest row: what is remembered, an account, a count.
const MAX_ROW: usize = MAX_CAME * 131 + 64;
/// The row is called so.
pub(super) const ROW: &str = "came";

/// Where something came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Origin {
    /// A pool paid what it had promised.
    Pool,
    /// A gift to this key, once it is sure.
    Gift,
    /// A gift of this key, once its payee is sure of it.
    Given,
    /// A field paid, because it was closed, or left.
    Field,
    /// Somebody else sent it.
    Sent,
}

/// Something that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Coming {
    /// From where.
    pub origin: Origin,
    /// The pool, the field, or the transaction.
    id: Hash,
    /// Which of them: what a pool has promised in all, or the place of a message in its transaction.
    nth: u64,
    /// Who gave, was given, or sent.
    pub other: Option<Address>,
    /// Which token.
    pub token: Token,
    /// How much.
    pub amount: Amount,
    /// How far it is.
    pub stage: Stage,
    /// Place of the transaction in the account's sequence, if this key sends it.
    sequence: u64,
    /// The block that it refers to, or that has it.
    height: Height,
    /// Number of its last change.
    pub changed: u64,
    told: u64,
    /// Whether the client that showed it has ended since.
    #[borsh(skip)]
    is_read: bool,
}

impl Coming {
    /// Something of the token that pays, not told yet.
    fn new(origin: Origin, id: Hash, amount: Amount) -> Self {
        Self {
            origin,
            id,
            nth: 0,
            other: None,
            token: Token::Operational,
            amount,
            stage: Stage::Pending,
            sequence: 0,
            height: Height(0),
            changed: 0,
            told: 0,
            is_read: false,
        }
    }

    /// Returns its name, the same whenever it is told; longer than any key of an application.
    pub fn key(&self) -> String {
        let origin = match self.origin {
            Origin::Pool => "pool",
            Origin::Gift | Origin::Given => "gift",
            Origin::Field => "field",
            Origin::Sent => "sent",
        };
        format!("{origin}/{}/{}", self.id, self.nth)
    }

    /// Returns why it failed, in a stable code, if it has.
    pub fn code(&self) -> Option<&'static str> {
        let is_gift = matches!(self.origin, Origin::Gift | Origin::Given);
        let code = if is_gift { "gift/lapsed" } else { "node/transaction-refused" };
        (self.stage == Stage::Failed).then_some(code)
    }

    fn is(&self, other: &Self) -> bool {
        (self.origin, self.id, self.nth) == (other.origin, other.id, other.nth)
    }

    pub(super) const fn is_told(&self) -> bool {
        self.told == self.changed
    }

    /// How far the client shows it to be.
    fn now(&self, shown: &Snapshot) -> Option<Stage> {
        let account = shown.wallet.account.as_ref();
        let sequences = account.map(|account| account.sequences).unwrap_or_default();
        match self.origin {
            Origin::Pool => match settlement(shown, self.id, self.nth) {
                Some(settlement) => settlement.level.map(at_level),
                // Of what was sent before the client began, the account's sequence tells.
                None if self.is_read => {
                    in_place((self.sequence, self.height), self.stage, sequences)
                }
                None => Some(Stage::Failed),
            },
            Origin::Sent => (shown.chain.final_height >= self.height).then_some(Stage::Final),
            Origin::Gift | Origin::Given | Origin::Field => None,
        }
    }
}

/// The account as a settled head showed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Seen {
    height: Height,
    /// Digest of the account.
    account: Hash,
}

impl Seen {
    pub(super) fn new(height: Height, account: &Account) -> Self {
        Self { height, account: Hash::of(&[&codec::encode(account)]) }
    }
}

/// What is written.
type Kept = (Option<Seen>, Bounded<Coming, MAX_CAME>);

#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) list: Vec<Coming>,
    seen: Option<Seen>,
    written: Height,
    /// What was seen when the blocks that are being read were begun.
    until: Option<Seen>,
    is_asked: bool,
    /// The head at which there was no answer: the next one may have it.
    unanswered: Option<Height>,
    /// While the first block is looked for that can be read: the highest that is known to be gone, and the lowest that is not.
    search: Option<(Height, Height)>,
    has_gap: bool,
}

/// Why a block was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The node says that it has no such block.
    Gone,
    /// No proof leads there any more.
    TooFar,
    /// Nobody has said anything.
    Unanswered,
}

impl Came {
    pub(super) fn read(chain: ChainId, bytes: Vec<u8>) -> Option<Self> {
        let (seen, list): Kept =
            codec::decode(&row::unseal(chain, ROW, bytes).ok()?, MAX_ROW).ok()?;
        let list = list.iter().map(|one| Coming { is_read: true, ..*one }).collect();
        let written = seen.map(|seen| seen.height).unwrap_or_default();
        Some(Self { list, seen, written, ..Self::default() })
    }

    pub(super) fn write(&mut self, chain: ChainId) -> Vec<u8> {
        self.written = self.seen.map(|seen| seen.height).unwrap_or_default();
        row::seal(chain, ROW, codec::encode(&(&self.seen, &self.list)))
    }

    /// A transaction is about to leave. Returns whether it takes promises of pools to the chain.
    pub(super) fn sending(
        &mut self,
        sent: &SignedTransaction,
        shown: &Snapshot,
        changes: &mut u64,
    ) -> bool {
        let mut is_any = false;
        for message in sent.body.messages.iter() {
            let Message::Settle(promise) = message else { continue };
            let (id, nth) =
                (promise.voucher.body.pool.0, count(promise.worth().unwrap_or_default()));
            // A claim of an insolvent pool brings nothing yet.
            let Some(settlement) = settlement(shown, id, nth) else { continue };
            let (sequence, height) = (sent.body.sequence, sent.body.reference_height);
            let one = Coming::new(Origin::Pool, id, settlement.amount);
            is_any |= self.put(Coming { nth, sequence, height, ..one }, changes);
        }
        is_any
    }

    /// Learns from what is shown. Returns whether anything is new.
    pub(super) fn shown(&mut self, shown: &Snapshot, changes: &mut u64) -> bool {
        self.forget(shown);
        let mut is_any = false;
        for gift in &shown.gifts {
            let origin = if gift.is_given { Origin::Given } else { Origin::Gift };
            let (one, other) = (Coming::new(origin, gift.pool.0, gift.amount), Some(gift.other));
            if let Some(stage) = gift_stage(gift) {
                is_any |= self.put(Coming { other, stage, ..one }, changes);
            }
        }
        for show in &shown.fields {
            let mine = |member: &&MemberView| Some(member.address) == shown.wallet.address;
            if let (Phase::Closed | Phase::Left, Some(proven)) = (show.view.phase, &show.proven)
                && let Some(member) = show.view.members.iter().find(mine)
            {
                let one = Coming::new(Origin::Field, show.view.id.0, member.balance);
                is_any |= self.put(Coming { stage: at_level(proven.level), ..one }, changes);
            }
        }
        for one in &mut self.list {
            let is_open = !matches!(one.stage, Stage::Final | Stage::Failed);
            if let Some(stage) = one.now(shown).filter(|stage| is_open && *stage != one.stage) {
                *changes = changes.saturating_add(1);
                (one.stage, one.changed, is_any) = (stage, *changes, true);
            }
        }
        is_any
    }

    /// A settled head shows the account. Returns the block that must be read, if there is one, and whether a row is due.
    pub(super) fn follow(&mut self, now: Seen) -> (Option<Question>, bool) {
        let Some(seen) = &mut self.seen else {
            // What came before this device began is in the balance that it begins with.
            self.seen = Some(now);
            return (None, true);
        };
        let has_answer = self.unanswered != Some(now.height);
        if self.is_asked || now.height <= seen.height || !has_answer {
            return (None, false);
        }
        if now.account == seen.account {
            seen.height = now.height;
            return (None, now.height.0.saturating_sub(self.written.0) >= BLOCKS_A_ROW);
        }
        let lowest = Height(now.height.0.saturating_sub(MAX_BLOCKS));
        if seen.height < lowest {
            seen.height = lowest;
            self.has_gap = true;
            self.search = None;
        }
        let next = self.search.map_or(seen.height.plus(1), between);
        self.until = Some(now);
        self.is_asked = self.make_room();
        (self.is_asked.then_some(Question::Block(next)), false)
    }

    /// The transactions of the block that was asked for, and how far that is believed. Returns whether a row is due.
    pub(super) fn found(
        &mut self,
        (level, sent): (Level, &[SignedTransaction]),
        (chain, me): (ChainId, Address),
        changes: &mut u64,
    ) -> bool {
        let Some(height) = self.seen.map(|seen| seen.height.plus(1)) else { return false };
        self.is_asked = false;
        if let Some(search) = self.search {
            // It is read when its turn comes.
            self.narrow((search.0, between(search)));
            return false;
        }
        let mut is_any = false;
        for transaction in sent {
            let from = transaction.body.sender.address();
            let id = transaction.body.id(chain).0;
            for (nth, message) in (0..).zip(transaction.body.messages.iter()) {
                let Some((token, amount)) = brought(message, me).filter(|_| from != me) else {
                    continue;
                };
                let one = Coming::new(Origin::Sent, id, amount);
                let (other, stage) = (Some(from), at_level(level));
                let one = Coming { nth, other, token, stage, height, ..one };
                let is_known = self.list.iter().any(|known| known.is(&one));
                if !is_known && !self.put(one, changes) {
                    // There is no room for all of this block: it is read again.
                    return is_any;
                }
                is_any = true;
            }
        }
        let until = self.until.take_if(|until| until.height <= height);
        let is_done = until.is_some();
        self.seen = until.or(self.seen.map(|seen| Seen { height, ..seen }));
        is_any || is_done
    }

    /// The block that was asked for cannot be read: it is asked for again under the next head, or passed.
    pub(super) fn unread(&mut self, why: Why) {
        self.is_asked = false;
        let (Some(seen), Some(until)) = (self.seen, self.until) else { return };
        let above = until.height.plus(1);
        let kept = match why {
            Why::Gone => Height(above.0.saturating_sub(MIN_KEPT)),
            Why::TooFar => above,
            Why::Unanswered => Height(0),
        };
        let (asked, there) = match self.search {
            Some(search) => (between(search), search.1),
            None => (seen.height.plus(1), kept),
        };
        if asked >= kept {
            self.unanswered = Some(until.height);
        } else {
            self.narrow((asked, there));
        }
    }

    /// Returns, once, whether blocks were passed unread.
    pub(super) const fn take_gap(&mut self) -> bool {
        core::mem::replace(&mut self.has_gap, false)
    }

    /// Knows more of which blocks are gone; passes them once the first is found that is not.
    fn narrow(&mut self, (gone, there): (Height, Height)) {
        if there.0.saturating_sub(gone.0) > 1 {
            self.search = Some((gone, there));
            return;
        }
        self.search = None;
        self.has_gap = true;
        let until = self.until.take_if(|until| until.height <= gone);
        self.seen = until.or(self.seen.map(|seen| Seen { height: gone, ..seen }));
    }

    /// The application has handled a change. Returns whether it is one of these.
    pub(super) fn handled(&mut self, change: u64) -> bool {
        let one = self.list.iter_mut().find(|one| one.changed == change);
        one.map(|one| one.told = change).is_some()
    }

    /// Enters what is new, or has moved on. Returns whether it is entered.
    fn put(&mut self, mut one: Coming, changes: &mut u64) -> bool {
        let known = self.list.iter().position(|known| known.is(&one));
        if let Some(known) = known.and_then(|place| self.list.get_mut(place)) {
            let is_resent = (known.sequence, known.height) != (one.sequence, one.height);
            let is_news = if one.origin == Origin::Pool {
                is_resent && known.stage != Stage::Final
            } else {
                // What a restart has yet to prove again is no news.
                one.stage > known.stage
            };
            if !is_news {
                return false;
            }
            one.told = known.told;
        } else if !self.make_room() {
            return false;
        }
        *changes = changes.saturating_add(1);
        one.changed = *changes;
        self.list.retain(|known| !known.is(&one));
        self.list.push(one);
        true
    }

    /// Forgets gifts and fields that were read and are shown no more, if there is no room. Those that are shown would come again.
    fn forget(&mut self, shown: &Snapshot) {
        if self.list.len() < MAX_CAME || shown.wallet.address.is_none() {
            return;
        }
        self.list.retain(|one| {
            let is_shown = match one.origin {
                Origin::Gift | Origin::Given => {
                    shown.gifts.iter().any(|gift| gift.pool.0 == one.id)
                }
                Origin::Field => shown.fields.iter().any(|show| show.view.id.0 == one.id),
                Origin::Pool | Origin::Sent => true,
            };
            is_shown || !one.is_told()
        });
    }

    /// Forgets the oldest of what is over and was read, if there is no room; what may come again stays.
    fn make_room(&mut self) -> bool {
        if self.list.len() < MAX_CAME {
            return true;
        }
        let is_past = |one: &Coming| {
            let is_once = matches!(one.origin, Origin::Pool | Origin::Sent);
            is_once && one.is_told() && matches!(one.stage, Stage::Final | Stage::Failed)
        };
        let past = self.list.iter().enumerate().filter(|(_, one)| is_past(one));
        let gone = past.min_by_key(|(_, one)| one.changed).map(|(place, _)| place);
        gone.map(|place| self.list.remove(place)).is_some()
    }
}

/// The block in the middle.
const fn between((gone, there): (Height, Height)) -> Height {
    Height(gone.0.saturating_add(there.0.saturating_sub(gone.0) / 2))
}

fn settlement(shown: &Snapshot, pool: Hash, promised: u64) -> Option<&SettlementView> {
    let is_it = |one: &&SettlementView| (one.pool.0, count(one.promised)) == (pool, promised);
    shown.wallet.settlements.iter().rev().find(is_it)
}

/// A sum as a number of a name: no pool holds more.
fn count(sum: Amount) -> u64 {
    u64::try_from(sum.units()).unwrap_or(u64::MAX)
}

/// How far a gift is, once it is money or will never be.
fn gift_stage(gift: &GiftView) -> Option<Stage> {
    Some(match gift.stage {
        GiftStage::Sure => Stage::Committed,
        GiftStage::Settled => Stage::Settled,
        GiftStage::Final => Stage::Final,
        GiftStage::Lapsed | GiftStage::Returned => Stage::Failed,
        GiftStage::Asked | GiftStage::Offered | GiftStage::Reserved | GiftStage::Void => {
            return None;
        }
    })
}

/// What a message of somebody else brings.
fn brought(message: &Message, me: Address) -> Option<(Token, Amount)> {
    if let Message::Transfer { token, to, amount } = message {
        return (*to == me).then_some((*token, *amount));
    }
    let Message::Exchange(exchange) = message else { return None };
    let part = |parts: &[Part]| parts.iter().find(|part| part.address == me).copied();
    // Who gives, too, has signed it.
    let ours = part(&exchange.to).filter(|_| part(&exchange.from).is_none())?;
    Some((exchange.token, ours.amount))
}
