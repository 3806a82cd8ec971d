//! A draw among the guardians whose signatures made a checkpoint final.
//!
//! ```text
//! kT ... first block with its certificate: who takes part ... (k+1)T: the mix draws, winners are paid, the rest rolls over
//! ```
//!
//! Guardian `i` wins iff `u256(H(mix, k, key_i)) < ⌊(2²⁵⁶ − 1) · min(W, K·w_i) / W⌋`: by its weight, so that splitting it up
//! changes nothing. Neither the aggregate, nor who is counted beside it, nor any block's hash enters (A3, defect 1).
//!
//! Source: PROTOCOL A3.1 to A3.5; ALLA-9 (which draws by ticket, not by stake, from what the proposer may choose).

use super::set::GuardianSet;
use crate::{
    amount::Amount,
    codec::{self, Bounded},
    crypto::{Hash, bls::BlsPublicKey, hash_tagged},
    id::{ChainId, Height},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Bytes of the bits that say who takes part.
const MAX_BITS: usize = super::set::MAX_GUARDIANS / 8;

/// Parameters of the lottery, part of the rules of staking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LotteryRules {
    /// `K`: winners that are expected, and the most that are paid.
    pub winners: u16,
    /// What a checkpoint may mint for them, in units of the operational token. What is not won rolls over.
    pub pot: Amount,
    /// Per cent of the pot that goes to the proposer who shows all guardians' signatures; for a bare quorum nothing.
    pub proposer_percent: u8,
}

/// Where the lottery stands, as the state tree holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Draw {
    /// The checkpoint whose guardians take part; 0 while none is known.
    pub checkpoint: Height,
    /// Hash of its set.
    pub guardians: Hash,
    /// Bit `i % 8` of byte `i / 8` is set if member `i` takes part.
    pub participants: Bounded<u8, MAX_BITS>,
    /// What the pot holds from before.
    pub rolled: Amount,
}

/// What a draw comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The winners' keys, in the order of their tickets.
    pub winners: Vec<BlsPublicKey>,
    /// What each of them gets.
    pub prize: Amount,
    /// What rolls over.
    pub rolled: Amount,
}

impl LotteryRules {
    /// Returns whether a chain may have these rules.
    pub const fn is_sound(&self) -> bool {
        self.winners > 0 && self.proposer_percent < 100
    }

    /// Returns what the proposer gets for showing signatures that weigh `weight` of `total`, of which `quorum` must be shown:
    /// the more, the more it shows (A3.1). Rounded down.
    pub fn bonus(&self, weight: u64, quorum: u64, total: u64) -> Amount {
        let (above, room) = (weight.saturating_sub(quorum), total.saturating_sub(quorum));
        let most = self.pot.units().checked_div(100).unwrap_or(0);
        let most = most.saturating_mul(u128::from(self.proposer_percent));
        let share = most.checked_mul(u128::from(above.min(room)));
        Amount::from_units(share.and_then(|s| s.checked_div(u128::from(room))).unwrap_or(0))
    }

    /// Draws the winners (A3.3). `pot` is all that may be paid.
    pub fn outcome(
        &self,
        chain: ChainId,
        mix: Hash,
        draw: &Draw,
        set: &GuardianSet,
        pot: Amount,
    ) -> Outcome {
        let takes_part =
            |at: usize| draw.participants.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
        let members = set.members.iter().enumerate().filter(|(at, _)| takes_part(*at));
        let members: Vec<_> = members.map(|(_, member)| member).collect();
        let total = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.weight));
        let mut winners: Vec<(Hash, BlsPublicKey)> = members
            .iter()
            .map(|member| (ticket(chain, mix, draw.checkpoint, &member.key), *member))
            .filter(|(ticket, member)| self.wins(ticket, member.weight, total))
            .map(|(ticket, member)| (ticket, member.key))
            .collect();
        winners.sort_unstable_by_key(|(ticket, _)| *ticket);
        winners.truncate(usize::from(self.winners));
        let prize = pot.units().checked_div(u128::from(self.winners)).unwrap_or(0);
        let paid = prize.saturating_mul(winners.len() as u128);
        Outcome {
            winners: winners.into_iter().map(|(_, key)| key).collect(),
            prize: Amount::from_units(prize),
            rolled: pot.saturating_sub(Amount::from_units(paid)),
        }
    }

    /// `ticket < ⌊(2²⁵⁶ − 1)·x / W⌋`, without a division: `(ticket + 1)·W ≤ (2²⁵⁶ − 1)·x`.
    fn wins(&self, ticket: &Hash, weight: u64, total: u64) -> bool {
        let share = u64::from(self.winners).saturating_mul(weight).min(total);
        // Both sides raised by x, so that nothing is borrowed: ticket·W + W + x ≤ 2²⁵⁶·x.
        let more = u128::from(total).saturating_add(u128::from(share));
        product(ticket, total, more) <= [share, 0, 0, 0, 0]
    }
}

/// What stands for a guardian in the draw of one checkpoint.
fn ticket(chain: ChainId, mix: Hash, checkpoint: Height, key: &BlsPublicKey) -> Hash {
    hash_tagged("lottery/v1/ticket", chain, &codec::encode(&(mix, checkpoint, key)))
}

/// Returns `number · factor + more` in limbs of 64 bits, the highest first; `number` is big-endian.
fn product(number: &Hash, factor: u64, more: u128) -> [u64; 5] {
    let low = |sum: u128| u64::try_from(sum & u128::from(u64::MAX)).unwrap_or(u64::MAX);
    let mut limbs = [0_u64; 5];
    let mut carry = more;
    for (limb, bytes) in limbs.iter_mut().zip(number.0.rchunks_exact(8)) {
        let digit = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        // Below 2¹²⁸: both factors are below 2⁶⁴, and what is carried is below 2⁶⁵.
        let sum = u128::from(digit).saturating_mul(u128::from(factor)).saturating_add(carry);
        *limb = low(sum);
        carry = sum >> 64;
    }
    if let Some(top) = limbs.last_mut() {
        *top = low(carry);
    }
    limbs.reverse();
    limbs
}

#[cfg(test)]
mod tests;
