//! Who settles and finalises at the start: appointed rows of a chain without staking, or what an election makes of its
//! stakers.

use super::{
    Refusal, Rows, amount,
    members::{self, Possession, StakerRow},
    refuse,
};
use antiphon_core::{
    chain::{
        lottery::LotteryRules,
        set::{GuardianSet, ValidatorSet},
        spec::GenesisStaker,
        stake::{MintStep, StakeRules, elect},
    },
    codec::Bounded,
    crypto::bls::BlsPublicKey,
    id::Height,
};
use serde::Deserialize;
use toml::Spanned;

/// The table `[stake]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StakeRows {
    committee: u16,
    guardians: u16,
    min_validator: Spanned<String>,
    min_guardian: Spanned<String>,
    unbond: Spanned<u64>,
    evidence: u64,
    inactivity: u64,
    proposal_penalty: u8,
    bounty: Spanned<String>,
    lottery: Option<LotteryRow>,
    #[serde(default)]
    mint: Vec<Spanned<MintRow>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MintRow {
    since: u64,
    pot: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LotteryRow {
    winners: u16,
    pot: Spanned<String>,
    proposer_percent: u8,
}

/// Who begins, and by which rules others follow.
#[derive(Debug)]
pub(super) struct Sets {
    pub(super) rules: Option<StakeRules>,
    pub(super) stakers: Vec<GenesisStaker>,
    pub(super) validators: ValidatorSet,
    pub(super) guardians: GuardianSet,
}

impl Sets {
    /// Returns the most validators that the chain may have: pools must outlive their turns (A1.24).
    pub(super) fn committee(&self) -> u64 {
        let members = self.validators.members.len();
        let most = self.rules.as_ref().map_or(members, |rules| usize::from(rules.committee));
        u64::try_from(most.max(members)).unwrap_or(u64::MAX)
    }
}

/// Reads the sets, by whichever of the two ways the file has.
pub(super) fn sets(rows: &Rows) -> Result<Sets, Refusal> {
    if rows.snapshot.is_some() {
        let rules = rows.stake.as_ref().map(|stake| rules(rows, stake)).transpose()?;
        return Ok(Sets { rules, ..appointed(rows)? });
    }
    let Some(stake) = &rows.stake else { return appointed(rows) };
    let validator = rows.validator.as_ref().map(Spanned::span);
    if let Some(span) = validator.or(rows.guardian.as_ref().map(Spanned::span)) {
        let what = "where there is [stake], [[staker]] alone says who begins";
        return Err((span.start, String::from(what)));
    }
    elected(rows, stake)
}

fn appointed(rows: &Rows) -> Result<Sets, Refusal> {
    if let Some(staker) = rows.staker.first() {
        return refuse(staker, "a chain with stakers needs the rules of [stake]");
    }
    let (Some(validator), Some(guardian)) = (&rows.validator, &rows.guardian) else {
        let what = "a chain without [stake] lists its [[validator]] and [[guardian]]";
        return Err((0, String::from(what)));
    };
    let validators = members::validators(validator)?;
    let since = rows.snapshot.as_ref().map_or(Height(0), |origin| origin.get_ref().height());
    let by = match &rows.snapshot {
        Some(_) => Possession::Inherited,
        None => Possession::Proven(rows.name.get_ref()),
    };
    let guardians = members::guardians(by, guardian)?;
    let keys = guardians.iter().map(|member| &member.key);
    let aggregate = BlsPublicKey::aggregate(keys).or_else(|e| refuse(guardian, e))?;
    let validators = ValidatorSet {
        since,
        members: Bounded::try_from(validators).or_else(|e| refuse(validator, e))?,
    };
    let guardians = GuardianSet {
        since,
        members: Bounded::try_from(guardians).or_else(|e| refuse(guardian, e))?,
        aggregate,
    };
    if validators.total().is_none() {
        return refuse(validator, "no chain may have this set of validators");
    }
    if guardians.total().is_none() {
        return refuse(guardian, "no chain may have this set of guardians");
    }
    Ok(Sets { rules: None, stakers: Vec::new(), validators, guardians })
}

fn elected(rows: &Rows, stake: &Spanned<StakeRows>) -> Result<Sets, Refusal> {
    let rules = rules(rows, stake)?;
    let stakers = members::stakers(rows.name.get_ref(), &rows.staker)?;
    let candidates: Vec<_> = stakers.iter().map(GenesisStaker::candidate).collect();
    match elect(&rules, Height(0), &candidates) {
        (Some(validators), Some(guardians)) => {
            Ok(Sets { rules: Some(rules), stakers, validators, guardians })
        }
        (None, _) => refuse(stake, "no staker has a validator's key and bond enough to settle"),
        (_, None) => refuse(stake, "no staker has bonded enough to finalise"),
    }
}

fn rules(rows: &Rows, stake: &Spanned<StakeRows>) -> Result<StakeRules, Refusal> {
    let table = stake.get_ref();
    let mut mint = Vec::new();
    for step in &table.mint {
        let MintRow { since, pot } = step.get_ref();
        mint.push(MintStep { since: Height(*since), pot: amount(pot)? });
    }
    let rules = StakeRules {
        committee: table.committee,
        guardians: table.guardians,
        min_validator: amount(&table.min_validator)?,
        min_guardian: amount(&table.min_guardian)?,
        unbond: *table.unbond.get_ref(),
        evidence: table.evidence,
        inactivity: table.inactivity,
        proposal_penalty: table.proposal_penalty,
        bounty: amount(&table.bounty)?,
        lottery: table.lottery.as_ref().map(lottery).transpose()?,
        mint: Bounded::try_from(mint).or_else(|error| refuse(stake, error))?,
    };
    rules.check(rows.pool.get_ref().inclusion_margin).or_else(|error| refuse(stake, error))?;
    // A7.1: what a light client trusts must be signed by stake that can still be lost.
    let blocks = |ms: u64| ms.checked_div(*rows.block_ms.get_ref()).unwrap_or(u64::MAX);
    let least = blocks(rows.trusting_period_ms.get_ref().saturating_mul(2));
    if rules.unbond <= least {
        let what = format!(
            "unbond is {} blocks, and must be above {least}: twice the trusting period",
            rules.unbond
        );
        return refuse(&table.unbond, what);
    }
    Ok(rules)
}

fn lottery(row: &LotteryRow) -> Result<LotteryRules, Refusal> {
    let LotteryRow { winners, pot, proposer_percent } = row;
    let (winners, proposer_percent) = (*winners, *proposer_percent);
    Ok(LotteryRules { winners, pot: amount(pot)?, proposer_percent })
}

/// The rows `[[staker]]`, as [`members`] reads them.
pub(super) type StakerRows = Vec<Spanned<StakerRow>>;
