//! A member of a payment field that says, beside everything honest, everything that is not: payments twice, with gaps, with
//! others' names and signatures, receipts and states that are not its to give. PROTOCOL A6.9, A6.10.

use super::Foe;
use antiphon_core::{
    amount::Amount,
    codec::Bounded,
    crypto::{SecretKey, Signature, Signed},
    id::ChainId,
    payment::{
        field::FieldPayment,
        member::wire::{
            Ask, Credit, Credits, Envelope, Letter, Offer, Offers, Ordered, Part, Placed, Receipts,
            RoundId, Vote,
        },
    },
};

/// A member that lies beside the truth.
#[derive(Debug)]
pub struct Forger {
    /// Its own key.
    pub key: SecretKey,
    /// Its place.
    pub place: u8,
    /// The chain.
    pub chain: ChainId,
}

impl Forger {
    /// A payment that is well signed, and is not the next one.
    fn signed(&self, envelope: &Envelope, offers: &Offers, sequence: u64, amount: u128) -> Offer {
        let RoundId { version, round } = offers.round;
        let (payer, payee) = (self.place, offers.items[0].payee);
        let amount = Amount::from_units(amount);
        let field = envelope.field;
        let body = FieldPayment { field, version, round, payer, payee, amount, sequence };
        let signature = Signed::new(&self.key, self.chain, body).signature;
        Offer { payee, amount, signature }
    }

    fn lies(&self, envelope: &Envelope) -> Vec<Letter> {
        match &envelope.letter {
            Letter::Pay(offers) => self.payments(envelope, offers),
            Letter::Vote(vote) => self.votes(vote.round),
            Letter::Ask(ask) => {
                let round = ask.round;
                vec![
                    Letter::Ask(Ask { round, from: u32::MAX }),
                    Letter::Ask(Ask { round, from: 0 }),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn payments(&self, envelope: &Envelope, offers: &Offers) -> Vec<Letter> {
        let (round, first) = (offers.round, offers.first);
        let pay = |first: u64, item: Offer| {
            Letter::Pay(Offers { round, first, items: Bounded::try_from(vec![item]).unwrap() })
        };
        let honest = offers.items[0];
        let none = Signature([0; 64]);
        let (next, place) = (first + 1, self.place);
        let placed = Placed { sequence: first, index: 0, signature: none };
        let Offer { payee, amount, signature } = honest;
        let payment = Ordered { payer: (place + 1) % 3, payee: place, amount, signature };
        vec![
            // Twice with one sequence, once more than the first time.
            pay(first, self.signed(envelope, offers, first, 1)),
            pay(next, self.signed(envelope, offers, next + 7, 1)),
            pay(next, Offer { signature: none, ..honest }),
            pay(next, Offer { payee: place, ..honest }),
            pay(next, Offer { payee: 99, ..honest }),
            pay(next, self.signed(envelope, offers, next, u128::MAX)),
            pay(next, Offer { payee, amount: Amount::ZERO, signature }),
            pay(u64::MAX, honest),
            // What only a leader says.
            Letter::Receipts(Receipts { round, items: Bounded::try_from(vec![placed]).unwrap() }),
            Letter::Credits(Credits {
                round,
                items: Bounded::try_from(vec![Credit { payment, placed }]).unwrap(),
            }),
            Letter::Part(Part { round, from: 0, items: Bounded::try_from(vec![payment]).unwrap() }),
        ]
    }

    fn votes(&self, round: RoundId) -> Vec<Letter> {
        let signature = Signature([7; 64]);
        let next = RoundId { round: round.round + 1, ..round };
        vec![
            Letter::Vote(Vote { round, signature }),
            Letter::Vote(Vote { round: next, signature }),
            Letter::Close(signature),
            Letter::Leave(signature),
            Letter::Accept(signature),
        ]
    }
}

impl Foe for Forger {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let envelope = Envelope::from_bytes(&bytes).unwrap();
        let field = envelope.field;
        let lies = self.lies(&envelope).into_iter();
        let lies = lies.map(|letter| Envelope { field, letter }.to_bytes());
        let mut said: Vec<_> = [bytes.clone()].into_iter().chain(lies).collect();
        let mut spoilt = bytes.clone();
        if let Some(last) = spoilt.last_mut() {
            *last ^= 1;
        }
        said.extend([bytes.clone(), spoilt, bytes[..bytes.len() - 1].to_vec(), bytes]);
        said
    }
}
