//! What members of a field say to each other.
//!
//! ```text
//! field 32 | kind u8 | body
//! a payment, payer to leader   payee u8 | amount 1..19 | signature 64                        66 bytes and more
//! in the leader's order        payer u8 | payee u8 | amount 1..19 | signature 64             67 bytes and more
//! ```
//!
//! What all know is left out of a payment: field, version, round, and its sequence, for a payer's payments are consecutive.
//! Whoever verifies puts them back, so a payment of anything else fails as a forgery.
//!
//! Every message that changes something is signed: an acceptance, a payment, a receipt, a state. Who sends it is only a hint
//! for an answer. Source: PROTOCOL A6.9, A6.10, A0.7.

use super::varint;
use crate::{
    amount::Amount,
    codec::{self, Bounded, DecodeError},
    crypto::{Signature, Tagged},
    id::FieldId,
    payment::field::{Amendment, FieldTerms, RoundState, Rounds, SealedState},
};
use alloc::{boxed::Box, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize, io};

/// Longest message between members, in bytes. Chosen here: what every browser's data channel sends as one.
pub const MAX_LETTER: usize = 16 * 1024;
/// Most payments that a payer offers at once: 84 bytes each at most.
pub const MAX_OFFERED: usize = 128;
/// Most receipts in a message: 79 bytes each at most.
pub const MAX_RECEIPTS: usize = 128;
/// Most credits in a message: 163 bytes each at most.
pub const MAX_CREDITS: usize = 64;
/// Most payments in a part of a round: 85 bytes each at most.
pub const MAX_PART: usize = 180;

/// A message with the field that it is about.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Envelope {
    /// The field.
    pub field: FieldId,
    /// The message.
    pub letter: Letter,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Letter {
    /// The leader asks to sign its terms.
    Invite(Box<Invitation>),
    /// A member's signature of the terms.
    Accept(Signature),
    /// A payer's payments, for the leader to order.
    Pay(Offers),
    /// The leader's receipts, for the payer.
    Receipts(Receipts),
    /// Payments with the leader's receipts, for the payee.
    Credits(Credits),
    /// The leader's state of a round that it has closed.
    Propose(Box<Proposal>),
    /// A member wants the round's payments from a place on.
    Ask(Ask),
    /// Payments of a round in the leader's order.
    Part(Part),
    /// A member's signature of a round's state. Whoever has it sealed answers with that.
    Vote(Vote),
    /// A state with all signatures.
    Sealed(Box<SealedState>),
    /// A member wants the field closed.
    Close(Signature),
    /// The leader asks members, and those who are to become one, to sign what makes the next version.
    Summon(Box<Summons>),
    /// A signature of that.
    Consent(Signature),
    /// A member wants to leave; the others go on.
    Leave(Signature),
}

/// An amendment, with what somebody must know who was no member before.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Summons {
    /// What is to be signed.
    pub amendment: Amendment,
    /// What the members before agreed on.
    pub terms: FieldTerms,
    /// The rounds under the amendment's last state.
    pub rounds: Rounds,
    /// The leader's signature of the amendment.
    pub signature: Signature,
}

/// Terms with the leader's signature.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Invitation {
    /// What all are to sign.
    pub terms: FieldTerms,
    /// The leader's.
    pub signature: Signature,
}

/// Which round of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct RoundId {
    /// Version of the members.
    pub version: u32,
    /// Number of the round.
    pub round: u32,
}

/// Consecutive payments of one payer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Offers {
    /// The round.
    pub round: RoundId,
    /// Sequence of the first.
    pub first: u64,
    /// The payments.
    pub items: Bounded<Offer, MAX_OFFERED>,
}

/// A payment whose payer, round and sequence are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Place of who is paid.
    pub payee: u8,
    /// How much.
    pub amount: Amount,
    /// The payer's.
    pub signature: Signature,
}

/// A payment at its place in the leader's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// Place of who pays.
    pub payer: u8,
    /// Place of who is paid.
    pub payee: u8,
    /// How much.
    pub amount: Amount,
    /// The payer's.
    pub signature: Signature,
}

/// Receipts for payments of the payer who gets them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipts {
    /// The round.
    pub round: RoundId,
    /// The receipts.
    pub items: Bounded<Placed, MAX_RECEIPTS>,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its sequence.
    pub sequence: u64,
    /// Its place in the round.
    pub index: u32,
    /// The leader's, over the receipt.
    pub signature: Signature,
}

/// Payments to the payee who gets them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Credits {
    /// The round.
    pub round: RoundId,
    /// The payments.
    pub items: Bounded<Credit, MAX_CREDITS>,
}

/// A payment with its receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The payment; its payee is who gets it.
    pub payment: Ordered,
    /// Where it stands.
    pub placed: Placed,
}

/// A state for all to check and sign.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proposal {
    /// What the leader computed.
    pub state: RoundState,
    /// The leader's.
    pub signature: Signature,
}

/// A question for payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ask {
    /// The round.
    pub round: RoundId,
    /// The first place that is wanted.
    pub from: u32,
}

/// A part of a round.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Part {
    /// The round.
    pub round: RoundId,
    /// Place of the first payment.
    pub from: u32,
    /// The payments in order.
    pub items: Bounded<Ordered, MAX_PART>,
}

/// A signature of a round's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Vote {
    /// The round.
    pub round: RoundId,
    /// The member's, over the state.
    pub signature: Signature,
}

/// What a member signs that wants something of the leader: nobody else can ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Wish {
    /// The field.
    pub(super) field: FieldId,
    /// The version that shall end.
    pub(super) version: u32,
    /// What for.
    pub(super) want: Want,
}

/// What a member wants of the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Want {
    /// The field is to be closed.
    Close,
    /// The field is to go on without this member.
    Leave,
}

impl Tagged for Wish {
    const TAG: &'static str = "field/v1/wish";
}

impl Envelope {
    /// Returns the bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a message of at most [`MAX_LETTER`] bytes. Nothing in it is verified.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, MAX_LETTER)
    }
}

impl RoundId {
    /// Returns the round of a state.
    pub const fn of(state: &RoundState) -> Self {
        Self { version: state.version, round: state.round }
    }
}

impl Offer {
    /// Returns the payment in order, for this payer.
    pub(super) const fn ordered(&self, payer: u8) -> Ordered {
        let Self { payee, amount, signature } = *self;
        Ordered { payer, payee, amount, signature }
    }
}

fn read_amount<R: io::Read>(reader: &mut R) -> io::Result<Amount> {
    varint::read(u128::BITS, reader).map(Amount::from_units)
}

fn read_u64<R: io::Read>(reader: &mut R) -> io::Result<u64> {
    Ok(u64::try_from(varint::read(u64::BITS, reader)?).unwrap_or(u64::MAX))
}

fn read_u32<R: io::Read>(reader: &mut R) -> io::Result<u32> {
    Ok(u32::try_from(varint::read(u32::BITS, reader)?).unwrap_or(u32::MAX))
}

impl BorshSerialize for Offer {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.payee.serialize(writer)?;
        varint::write(self.amount.units(), writer)?;
        self.signature.serialize(writer)
    }
}

impl BorshDeserialize for Offer {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Ok(Self {
            payee: u8::deserialize_reader(reader)?,
            amount: read_amount(reader)?,
            signature: Signature::deserialize_reader(reader)?,
        })
    }
}

impl BorshSerialize for Ordered {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.payer.serialize(writer)?;
        let Self { payee, amount, signature, .. } = *self;
        Offer { payee, amount, signature }.serialize(writer)
    }
}

impl BorshDeserialize for Ordered {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let payer = u8::deserialize_reader(reader)?;
        Ok(Offer::deserialize_reader(reader)?.ordered(payer))
    }
}

impl BorshSerialize for Placed {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        varint::write(u128::from(self.sequence), writer)?;
        varint::write(u128::from(self.index), writer)?;
        self.signature.serialize(writer)
    }
}

impl BorshDeserialize for Placed {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Ok(Self {
            sequence: read_u64(reader)?,
            index: read_u32(reader)?,
            signature: Signature::deserialize_reader(reader)?,
        })
    }
}

impl BorshSerialize for Credit {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.payment.serialize(writer)?;
        self.placed.serialize(writer)
    }
}

impl BorshDeserialize for Credit {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let payment = Ordered::deserialize_reader(reader)?;
        Ok(Self { payment, placed: Placed::deserialize_reader(reader)? })
    }
}
