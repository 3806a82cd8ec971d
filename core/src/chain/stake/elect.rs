//! What an election makes of the stakers: the same for everybody who holds the same state.

use super::{StakeRules, Standing};
use crate::{
    amount::Amount,
    chain::set::{Guardian, GuardianSet, MAX_TOTAL_WEIGHT, Validator, ValidatorSet},
    codec::Bounded,
    crypto::{PublicKey, bls::BlsPublicKey},
    id::{Address, Height},
};
use alloc::vec::Vec;

/// A staker as an election sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who it is.
    pub address: Address,
    /// Its guardian key.
    pub guardian: BlsPublicKey,
    /// Its validator key, if it has one.
    pub validator: Option<PublicKey>,
    /// Its own bond.
    pub own: Amount,
    /// All that is bonded with it.
    pub total: Amount,
    /// Whether it may be elected.
    pub standing: Standing,
}

/// Elects the validators of the term that begins after the checkpoint at `since`, and the guardians of the checkpoint
/// after it. A side for which nobody stands is `None`: the set before it goes on.
///
/// Validators are the heaviest, at most `rules.committee`; of two that weigh the same, the one with the smaller address.
/// Source: ALZA-12, ALLA-1, PROTOCOL A1.22, A2.10.
pub fn elect(
    rules: &StakeRules,
    since: Height,
    candidates: &[Candidate],
) -> (Option<ValidatorSet>, Option<GuardianSet>) {
    (validators(rules, since, candidates), guardians(rules, since, candidates))
}

fn validators(rules: &StakeRules, since: Height, candidates: &[Candidate]) -> Option<ValidatorSet> {
    let mut standing: Vec<&Candidate> = candidates
        .iter()
        .filter(|c| c.standing == Standing::Good && c.validator.is_some())
        .filter(|c| c.own >= rules.min_validator)
        .collect();
    standing.sort_by(|a, b| b.total.cmp(&a.total).then(a.address.cmp(&b.address)));
    standing.truncate(usize::from(rules.committee));
    let members = standing
        .iter()
        .filter_map(|c| Some(Validator { key: c.validator?, weight: weight(c.total)? }));
    let mut members: Vec<Validator> = members.collect();
    members.sort_by_key(|member| member.key);
    let set = ValidatorSet { since, members: Bounded::try_from(members).ok()? };
    set.total().map(|_| set)
}

fn guardians(rules: &StakeRules, since: Height, candidates: &[Candidate]) -> Option<GuardianSet> {
    let mut standing: Vec<&Candidate> = candidates
        .iter()
        .filter(|c| c.standing != Standing::Tombstoned && c.total >= rules.min_guardian)
        .collect();
    standing.sort_by(|a, b| b.total.cmp(&a.total).then(a.address.cmp(&b.address)));
    standing.truncate(usize::from(rules.guardians));
    let members = standing
        .iter()
        .filter_map(|c| Some(Guardian { key: c.guardian, weight: weight(c.total)? }));
    let mut members: Vec<Guardian> = members.collect();
    members.sort_by_key(|member| member.key);
    // Fails where the keys sum to nothing, which proofs of possession cannot exclude (A2.11).
    let aggregate = BlsPublicKey::aggregate(members.iter().map(|member| &member.key)).ok()?;
    let set = GuardianSet { since, members: Bounded::try_from(members).ok()?, aggregate };
    set.total().map(|_| set)
}

/// A unit bonded weighs one. Genesis checks that all units together stay below the greatest weight (A0.5).
fn weight(total: Amount) -> Option<u64> {
    u64::try_from(total.units()).ok().filter(|weight| *weight < MAX_TOTAL_WEIGHT)
}
