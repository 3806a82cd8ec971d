//! Leads a payment field, shows one state of a round to some members and another to the rest, and then says nothing more.
//! ADVERSARIAL case 23.

use super::Foe;
use antiphon_core::{
    codec::Bounded,
    crypto::{Hash, SecretKey, Signed, Tagged},
    id::{ChainId, FieldId},
    payment::{
        field::{FieldPayment, RoundState, Rounds, round_root},
        member::wire::{Envelope, Letter, Ordered, Proposal},
    },
};
use std::collections::BTreeMap;

/// A leader with two faces. It knows a round by the credits that it gives, so nobody pays the leader itself.
#[derive(Debug)]
pub struct TwoFaced {
    key: SecretKey,
    chain: ChainId,
    /// In which round it lies.
    round: u32,
    /// Who is shown the round without its last payment.
    others: Vec<usize>,
    /// Payments of every round, by their places.
    rounds: BTreeMap<u32, BTreeMap<u32, Ordered>>,
}

impl TwoFaced {
    /// Takes the leader's key; lies to `others` in `round`, and says nothing that could seal it.
    pub const fn new(key: SecretKey, chain: ChainId, round: u32, others: Vec<usize>) -> Self {
        Self { key, chain, round, others, rounds: BTreeMap::new() }
    }

    fn items(&self, round: u32) -> Vec<Ordered> {
        self.rounds.get(&round).map(|items| items.values().copied().collect()).unwrap_or_default()
    }

    /// Returns the state without the round's last payment, which is as good as the other one to who does not know it.
    fn other_face(&self, field: FieldId, state: &RoundState) -> RoundState {
        let items = self.items(state.round);
        let mut rounds = Rounds::default();
        for number in 1..state.round {
            let leaves = leaves(field, state.version, number, &self.items(number));
            rounds = rounds.with(leaves.len() as u32, &round_root(&leaves)).unwrap();
        }
        let dropped = items.last().copied();
        let kept = &items[..items.len().saturating_sub(1)];
        let leaves = leaves(field, state.version, state.round, kept);
        let rounds = rounds.with(leaves.len() as u32, &round_root(&leaves)).unwrap();
        let mut balances = state.balances.to_vec();
        if let Some(Ordered { payer, payee, amount, .. }) = dropped {
            let (from, to) = (usize::from(payer), usize::from(payee));
            balances[from] = balances[from].checked_add(amount).unwrap();
            balances[to] = balances[to].checked_sub(amount).unwrap();
        }
        RoundState {
            balances: Bounded::try_from(balances).unwrap(),
            tx_root: rounds.root(),
            payments: state.payments - u64::from(dropped.is_some()),
            ..state.clone()
        }
    }
}

/// Returns the leaves of a round's payments.
fn leaves(field: FieldId, version: u32, round: u32, items: &[Ordered]) -> Vec<Hash> {
    let mut sequences = BTreeMap::new();
    let mut leaf = |item: &Ordered| {
        let next = sequences.entry(item.payer).or_insert(0_u64);
        let sequence = *next;
        *next += 1;
        let Ordered { payer, payee, amount, signature } = *item;
        let body = FieldPayment { field, version, round, payer, payee, amount, sequence };
        Signed { body, signature }.leaf()
    };
    items.iter().map(&mut leaf).collect()
}

impl Foe for TwoFaced {
    fn says(&mut self, to: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let mut envelope = Envelope::from_bytes(&bytes).unwrap();
        let (field, lies) = (envelope.field, self.others.contains(&to));
        let is_silent = match &mut envelope.letter {
            Letter::Credits(credits) => {
                let items = self.rounds.entry(credits.round.round).or_default();
                let placed = credits.items.iter().map(|it| (it.placed.index, it.payment));
                items.extend(placed);
                false
            }
            Letter::Propose(proposal) if proposal.state.round == self.round && lies => {
                let state = self.other_face(field, &proposal.state);
                let signature = self.key.sign_digest(state.digest(self.chain));
                **proposal = Proposal { state, signature };
                false
            }
            Letter::Part(part) if part.round.round == self.round && lies => {
                let end = self.items(self.round).len() as u32;
                let mut items = part.items.to_vec();
                if part.from + items.len() as u32 == end {
                    items.pop();
                }
                part.items = Bounded::try_from(items).unwrap();
                false
            }
            Letter::Sealed(sealed) => sealed.state.round >= self.round,
            Letter::Vote(vote) => vote.round.round == self.round,
            _ => false,
        };
        if is_silent { Vec::new() } else { vec![envelope.to_bytes()] }
    }
}
