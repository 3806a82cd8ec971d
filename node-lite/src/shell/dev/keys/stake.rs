//! A development chain on which its nodes stake, each under an address that nobody holds the key of.

use super::{NodeKeys, VALIDATORS, owner_of};
use antiphon_core::{
    amount::Amount,
    chain::{
        spec::{ChainSpec, GenesisStaker},
        stake::{MintStep, StakeRules, elect},
    },
    codec::Bounded,
    id::Height,
};
use anyhow::Context as _;

/// Units of one token at 8 decimals.
const TOKEN: u128 = 100_000_000;
/// What each node has bonded, in tokens: uneven, so that weights can be seen, and the heaviest of either side can fail.
const BONDS: [u128; 7] = [1200, 1100, 1000, 900, 500, 400, 300];
/// What a checkpoint mints for the validators and who delegates to them.
const POT: u128 = TOKEN;
/// Least own bond of a validator.
const MIN_VALIDATOR: u128 = 100 * TOKEN;
/// Least bond of a guardian.
const MIN_GUARDIAN: u128 = 10 * TOKEN;
/// Milliseconds without a proposal after which a validator is not elected again. ALZA-11 has 12 hours.
const INACTIVITY_MS: u64 = 12 * 3_600_000;

/// Returns the spec with rules of staking, its nodes as stakers, and the sets that an election makes of them.
pub(super) fn staking(
    spec: ChainSpec,
    nodes: &[NodeKeys],
    unbond: Option<u64>,
) -> anyhow::Result<ChainSpec> {
    let blocks = |ms: u64| ms.checked_div(spec.block_ms).unwrap_or(u64::MAX);
    // A7.1: what a light client trusts must be signed by stake that can still be lost.
    let sound = blocks(spec.trusting_period.saturating_mul(2)).saturating_add(1);
    let unbond = unbond.unwrap_or(sound);
    let rules = StakeRules {
        committee: u16::try_from(VALIDATORS)?,
        guardians: u16::try_from(nodes.len())?,
        min_validator: Amount::from_units(MIN_VALIDATOR),
        min_guardian: Amount::from_units(MIN_GUARDIAN),
        unbond,
        evidence: unbond.saturating_sub(spec.pool.inclusion_margin).saturating_sub(1),
        inactivity: blocks(INACTIVITY_MS),
        proposal_penalty: 5,
        bounty: Amount::from_units(TOKEN),
        mint: Bounded::try_from(vec![MintStep { since: Height(0), pot: Amount::from_units(POT) }])?,
        lottery: None,
    };
    rules.check(spec.pool.inclusion_margin).context("--unbond")?;
    let staker = |(node, tokens): (&NodeKeys, u128)| GenesisStaker {
        owner: owner_of(&node.guardian),
        guardian: node.guardian.public(),
        validator: node.validator.as_ref().map(antiphon_core::crypto::SecretKey::public),
        bond: Amount::from_units(tokens.saturating_mul(TOKEN)),
    };
    let stakers: Vec<_> = nodes.iter().zip(BONDS).map(staker).collect();
    let candidates: Vec<_> = stakers.iter().map(GenesisStaker::candidate).collect();
    let (validators, guardians) = elect(&rules, Height(0), &candidates);
    Ok(ChainSpec {
        stake: Some(rules),
        validators: validators.context("no validators are elected")?,
        guardians: guardians.context("no guardians are elected")?,
        stakers: Bounded::try_from(stakers)?,
        ..spec
    })
}
