//! A field of three on a chain of one, with what its members sign.

use antiphon_core::{
    amount::Amount,
    chain::{
        spec::{ChainSpec, Token},
        transaction::{Message, SignedTransaction},
    },
    codec::Bounded,
    crypto::{Hash, SecretKey},
    id::{Address, ChainId, FieldId, Height, TxId},
    payment::{
        field::{FieldAct, FieldRules, FieldTerms, Member, RoundState, SealedState},
        reservation::PoolRules,
    },
};
use antiphon_node::ledger::TxError;
use antiphon_tests::sim::{
    genesis::{self, ENDOWMENT, FEE},
    till::Till,
};

/// Endowed accounts: four who may be members, a tower, and who has 100.
pub(super) const ACCOUNTS: usize = 6;
/// Place of the account that watches.
pub(super) const TOWER: usize = 4;
/// `M_incl`, in blocks.
pub(super) const MARGIN: u64 = 2;
/// `T_disp`, in blocks.
pub(super) const DISPUTE: u64 = 8;
/// `T_resp`, in blocks.
pub(super) const RESPONSE: u64 = 4;
/// What each member deposits.
pub(super) const DEPOSITS: [u128; 3] = [100, 300, 200];
/// The least bond: it pays for a post of the largest field.
pub(super) const BOND: u128 = FEE * 101;

pub(super) fn spec() -> ChainSpec {
    let pool = PoolRules { inclusion_margin: MARGIN, ..PoolRules::for_chain(1, 8) };
    let field = FieldRules::for_chain(MARGIN, 3_600_000);
    ChainSpec { pool, field, ..genesis::spec(1000, ACCOUNTS) }
}

/// Accounts in the order of their addresses, so that a place in a field is a place here.
pub(super) fn keys() -> Vec<SecretKey> {
    let mut keys: Vec<_> = (0..4).map(genesis::account).collect();
    keys.sort_by_key(|key| Address::of(&key.public()));
    keys.extend((4..ACCOUNTS).map(genesis::account));
    keys
}

pub(super) fn terms(keys: &[SecretKey], deposits: &[u128]) -> FieldTerms {
    let member = |(key, units): (&SecretKey, &u128)| Member {
        key: key.public(),
        deposit: Amount::from_units(*units),
    };
    let mut members: Vec<_> = keys.iter().zip(deposits).map(member).collect();
    members.sort_by_key(Member::address);
    FieldTerms {
        nonce: 1,
        members: Bounded::try_from(members).unwrap(),
        dispute: DISPUTE,
        response: RESPONSE,
        bond: Amount::from_units(BOND),
        until: Height(1000),
        aggregate: None,
    }
}

pub(super) fn open_act(chain: ChainId, terms: &FieldTerms, keys: &[SecretKey]) -> FieldAct {
    let find = |member: &Member| keys.iter().find(|key| key.public() == member.key).unwrap();
    let signatures: Vec<_> =
        terms.members.iter().map(|member| terms.sign(chain, find(member))).collect();
    let signatures = Bounded::try_from(signatures).unwrap();
    FieldAct::Open { terms: terms.clone(), signatures }
}

/// A chain with an open field of three.
pub(super) struct Case {
    pub(super) till: Till,
    pub(super) chain: ChainId,
    pub(super) keys: Vec<SecretKey>,
    pub(super) field: FieldId,
    total: u128,
}

impl Case {
    pub(super) fn open() -> Self {
        let spec = spec();
        let (chain, keys) = (spec.chain_id(), keys());
        let till = Till::new(spec);
        let total = till.count(Token::Operational);
        let terms = terms(&keys[..3], &DEPOSITS);
        let field = terms.id(chain).unwrap();
        let mut case = Self { till, chain, keys, field, total };
        let act = open_act(chain, &terms, &case.keys[..3]);
        assert_eq!(case.act(TOWER, act), None, "anyone may bring it");
        case
    }

    /// Signs a transaction with one act.
    pub(super) fn sign(&mut self, who: usize, act: FieldAct) -> SignedTransaction {
        let key = self.keys[who].clone();
        self.till.sign(&key, Message::Field(Box::new(act)))
    }

    /// Settles a block with these transactions; nothing is ever made or lost (A10.1).
    pub(super) fn settle(&mut self, txs: Vec<SignedTransaction>) -> Vec<TxError> {
        let refused = self.till.settle(txs);
        assert_eq!(self.till.count(Token::Operational), self.total, "A10.1");
        refused.into_iter().map(|(_, error)| error).collect()
    }

    /// Settles a block as [`Case::settle`], and returns which were left out.
    pub(super) fn refused(&mut self, txs: Vec<SignedTransaction>) -> Vec<TxId> {
        let refused = self.till.settle(txs);
        assert_eq!(self.till.count(Token::Operational), self.total, "A10.1");
        refused.into_iter().map(|(id, _)| id).collect()
    }

    /// Settles a block with one act, and returns the code of why it was refused, if it was.
    pub(super) fn act(&mut self, who: usize, act: FieldAct) -> Option<&'static str> {
        let tx = self.sign(who, act);
        self.settle(vec![tx]).first().map(TxError::code)
    }

    /// Settles empty blocks until the next one has this height.
    pub(super) fn wait(&mut self, next: u64) {
        while self.till.next_height().0 < next {
            assert_eq!(self.settle(Vec::new()), []);
        }
    }

    pub(super) fn next(&self) -> u64 {
        self.till.next_height().0
    }

    pub(super) fn state(&self, round: u32, balances: [u128; 3]) -> RoundState {
        RoundState {
            field: self.field,
            version: 0,
            round,
            balances: Bounded::try_from(balances.map(Amount::from_units).to_vec()).unwrap(),
            tx_root: Hash::of(&[&round.to_le_bytes()]),
            payments: 0,
            prev: Hash::default(),
            is_final: false,
        }
    }

    pub(super) fn seal(&self, state: RoundState) -> SealedState {
        let keys = self.keys.iter().take(3);
        let signatures: Vec<_> = keys.map(|key| key.sign(self.chain, &state)).collect();
        SealedState { state, signatures: Bounded::try_from(signatures).unwrap() }
    }

    pub(super) fn sealed(&self, round: u32, balances: [u128; 3]) -> SealedState {
        self.seal(self.state(round, balances))
    }

    pub(super) fn post(&mut self, who: usize, state: &SealedState) -> Option<&'static str> {
        self.act(who, FieldAct::Post(Box::new(state.clone())))
    }

    pub(super) fn solo_close(&mut self, who: usize, state: &SealedState) -> Option<&'static str> {
        let state = Some(Box::new(state.clone()));
        self.act(who, FieldAct::SoloClose { field: self.field, state })
    }

    pub(super) fn challenge(&mut self, who: usize, round: u32) -> Option<&'static str> {
        self.act(who, FieldAct::Challenge { field: self.field, round })
    }

    pub(super) fn enforce(&mut self) -> Option<&'static str> {
        self.act(TOWER, FieldAct::Enforce(self.field))
    }

    /// Returns what an account has gained since genesis, in units of the operational token.
    pub(super) fn gain(&self, who: usize) -> i128 {
        let address = Address::of(&self.keys[who].public());
        self.till.balance(&address, Token::Operational) as i128 - ENDOWMENT as i128
    }
}
