//! What is asked of the chain about a field. Source: PROTOCOL A6.8, A6.11 to A6.14.

use super::{
    Amendment, FieldTerms, MAX_MEMBERS, MAX_SIGNERS, Member, RoundState, Seal, SealedState,
};
use crate::{
    codec::Bounded,
    crypto::Signature,
    id::{ChainId, FieldId},
};
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// One act of a transaction. Its sender pays the fee, and is nobody special unless it says so.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum FieldAct {
    /// Lock every member's deposit and the leader's bond, or nothing (A6.8).
    Open {
        /// What all members agreed on.
        terms: FieldTerms,
        /// One a member, in the order of places.
        signatures: Bounded<Signature, MAX_MEMBERS>,
    },
    /// Close at once with a final state (A6.11).
    Close {
        /// The final state.
        state: RoundState,
        /// Every member's signature on it.
        seal: Seal,
    },
    /// Close alone: the sender is a member and locks a bond (A6.11).
    SoloClose {
        /// Which field.
        field: FieldId,
        /// A state above the one that the chain knows, if the sender has one.
        state: Option<Box<SealedState>>,
    },
    /// Show a sealed state: above the one that is about to be enforced, or the one that a challenge asks for (A6.11, A6.12).
    Post(Box<SealedState>),
    /// Ask for a sealed state that the sender, a member, was not given; with a bond (A6.12).
    Challenge {
        /// Which field.
        field: FieldId,
        /// The round, of the present version.
        round: u32,
    },
    /// Do what is due: annul what was not answered, close what nobody can dispute any more (A6.11, A6.12).
    Enforce(FieldId),
    /// Go on with other members as the next version (A6.14).
    Amend {
        /// What all agreed on.
        amendment: Amendment,
        /// In the order of [`Amendment::signers`].
        signatures: Bounded<Signature, MAX_SIGNERS>,
    },
}

impl FieldAct {
    /// Returns how many signatures everybody who executes it must check, beside those of the transaction.
    pub fn signatures(&self) -> usize {
        match self {
            Self::Open { signatures, .. } => signatures.len(),
            Self::Close { seal, .. } => seal.count(),
            Self::SoloClose { state, .. } => {
                state.as_ref().map_or(0, |sealed| sealed.signatures.len())
            }
            Self::Post(sealed) => sealed.signatures.len(),
            Self::Challenge { .. } | Self::Enforce(_) => 0,
            Self::Amend { signatures, .. } => signatures.len(),
        }
    }

    /// Returns its name, as a page shows it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Open { .. } => "openField",
            Self::Close { .. } => "closeField",
            Self::SoloClose { .. } => "soloCloseField",
            Self::Post(_) => "postState",
            Self::Challenge { .. } => "challengeRound",
            Self::Enforce(_) => "enforceField",
            Self::Amend { .. } => "amendField",
        }
    }

    /// Returns the members that it names: of what is opened or amended.
    pub fn members(&self) -> &[Member] {
        match self {
            Self::Open { terms, .. } => &terms.members,
            Self::Amend { amendment, .. } => &amendment.members,
            Self::Close { .. }
            | Self::SoloClose { .. }
            | Self::Post(_)
            | Self::Challenge { .. }
            | Self::Enforce(_) => &[],
        }
    }

    /// Returns the field it is about on this chain.
    pub fn field_on(&self, chain: ChainId) -> Option<FieldId> {
        if let Self::Open { terms, .. } = self { terms.id(chain) } else { self.field() }
    }

    /// Returns the field it names; `None` for one that is opened, whose id follows from its terms and the chain.
    pub const fn field(&self) -> Option<FieldId> {
        match self {
            Self::Open { .. } => None,
            Self::Close { state, .. } => Some(state.field),
            Self::SoloClose { field, .. }
            | Self::Challenge { field, .. }
            | Self::Enforce(field) => Some(*field),
            Self::Post(sealed) => Some(sealed.state.field),
            Self::Amend { amendment, .. } => Some(amendment.last.field),
        }
    }

    /// Returns whether it loses its sense if it is censored until some height (A1.24).
    pub const fn has_deadline(&self) -> bool {
        match self {
            Self::Post(_) | Self::Enforce(_) | Self::SoloClose { .. } | Self::Close { .. } => true,
            Self::Challenge { .. } | Self::Open { .. } | Self::Amend { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        amount::Amount,
        chain::transaction::{MAX_TRANSACTION, Message},
        codec,
        crypto::{
            Hash, PublicKey,
            bls::{BlsPublicKey, BlsSignature},
        },
        id::Height,
        payment::field::MAX_SEALED,
    };
    use alloc::vec;

    /// What a transaction has beside its messages, in bytes, with room to spare.
    const REST: usize = 512;

    fn state() -> RoundState {
        RoundState {
            field: FieldId(Hash([1; 32])),
            version: 0,
            round: 1,
            balances: vec![Amount::from_units(1); MAX_MEMBERS].try_into().unwrap(),
            tx_root: Hash([2; 32]),
            payments: 1,
            prev: Hash([3; 32]),
            is_final: false,
        }
    }

    /// What applications, the pool of waiting transactions and the chain ask of an act, for each kind of it.
    #[test]
    fn every_act_names_its_kind_its_field_and_whether_it_has_a_deadline() {
        const CHAIN: ChainId = ChainId(Hash([1; 32]));
        let key = |seed| PublicKey([seed; 32]);
        let member = |seed| Member { key: key(seed), deposit: Amount::from_units(1) };
        let members = Bounded::try_from(vec![member(1), member(2)]).unwrap();
        let terms = FieldTerms {
            nonce: 1,
            members: members.clone(),
            dispute: 1,
            response: 1,
            bond: Amount::ZERO,
            until: Height(1),
            aggregate: None,
        };
        let (opened, named) = (terms.id(CHAIN).unwrap(), state().field);
        let (none, until) = (Bounded::new, Height(1));
        let sealed = Box::new(SealedState { state: state(), signatures: none() });
        let amendment = Amendment { last: state(), members, until, aggregate: None };
        let acts = [
            (FieldAct::Open { terms, signatures: none() }, "openField", false, 2),
            (FieldAct::Close { state: state(), seal: Seal::Each(none()) }, "closeField", true, 0),
            (FieldAct::SoloClose { field: named, state: None }, "soloCloseField", true, 0),
            (FieldAct::Post(sealed), "postState", true, 0),
            (FieldAct::Challenge { field: named, round: 1 }, "challengeRound", false, 0),
            (FieldAct::Enforce(named), "enforceField", true, 0),
            (FieldAct::Amend { amendment, signatures: Bounded::new() }, "amendField", false, 2),
        ];
        for (act, kind, has_deadline, members) in acts {
            assert_eq!((act.kind(), act.has_deadline()), (kind, has_deadline));
            assert_eq!(act.members().len(), members, "{kind}");
            let is_open = kind == "openField";
            assert_eq!(act.field(), (!is_open).then_some(named), "{kind}");
            assert_eq!(act.field_on(CHAIN), Some(if is_open { opened } else { named }), "{kind}");
        }
    }

    /// Bytes of what a hundred members bring: the largest acts fit a transaction.
    #[test]
    fn the_largest_acts_fit_a_transaction() {
        let signatures = vec![Signature([7; 64]); MAX_MEMBERS];
        let member = Member { key: PublicKey([1; 32]), deposit: Amount::from_units(1) };
        let members = Bounded::try_from(vec![member; MAX_MEMBERS]).unwrap();
        let (until, aggregate) = (Height(1), Some(BlsPublicKey([1; 96])));
        let (nonce, dispute, response, bond) = (1, 1, 1, Amount::ZERO);
        let terms = FieldTerms {
            nonce,
            members: members.clone(),
            dispute,
            response,
            bond,
            until,
            aggregate,
        };
        let all = || Bounded::try_from(signatures.clone()).unwrap();
        let sealed = Box::new(SealedState { state: state(), signatures: all() });
        assert!(codec::encode(&sealed).len() <= MAX_SEALED);
        let both = Bounded::try_from([&signatures[..], &signatures[..]].concat()).unwrap();
        let amendment = Amendment { last: state(), members, until, aggregate };
        let one = Seal::Aggregate(Box::new(BlsSignature([1; 96])));
        let acts = [
            (FieldAct::Open { terms, signatures: all() }, 11_355, 100),
            (FieldAct::Post(sealed), 8_123, 100),
            (FieldAct::Close { state: state(), seal: Seal::Each(all()) }, 8_124, 100),
            (FieldAct::Close { state: state(), seal: one }, 1_816, 1),
            (FieldAct::Amend { amendment, signatures: both }, 19_432, 200),
        ];
        for (act, bytes, count) in acts {
            assert_eq!(act.signatures(), count);
            let length = codec::encode(&Message::Field(Box::new(act))).len();
            assert!(length + REST < MAX_TRANSACTION);
            assert_eq!(length, bytes);
        }
    }

    /// What one signature for all saves of the closing transaction, and what its key costs where the field is opened: the
    /// figures of "one signature for all" in `ARCHITECTURE.md`.
    #[test]
    fn an_aggregated_close_is_smaller_and_its_key_is_paid_for_at_the_opening() {
        let bytes = |act| codec::encode(&Message::Field(Box::new(act))).len();
        let of = |count: usize| {
            let balances = Bounded::try_from(vec![Amount::from_units(1); count]).unwrap();
            let state = RoundState { balances, is_final: true, ..state() };
            let each = Bounded::try_from(vec![Signature([7; 64]); count]).unwrap();
            let one = Seal::Aggregate(Box::new(BlsSignature([1; 96])));
            let close = |seal| bytes(FieldAct::Close { state: state.clone(), seal });
            (close(Seal::Each(each)), close(one))
        };
        let key = codec::encode(&Some(BlsPublicKey([1; 96]))).len() - 1;
        assert_eq!(key, 96);
        assert_eq!([2, 10, 100].map(of), [(284, 248), (924, 376), (8124, 1816)]);
    }
}
