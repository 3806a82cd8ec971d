//! The parameters of staking, part of the chain spec.

use crate::{
    amount::Amount,
    chain::{
        lottery::LotteryRules,
        set::{MAX_GUARDIANS, MAX_VALIDATORS},
    },
    codec::Bounded,
    id::Height,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most steps of the mint table. Chosen here: halving each year outlives anybody.
pub const MAX_MINT_STEPS: usize = 64;

/// One step of the mint table (A3.4): the operational token alone is ever minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MintStep {
    /// The first checkpoint that it holds for.
    pub since: Height,
    /// At most this is minted at a checkpoint, in units of the operational token.
    pub pot: Amount,
}

/// Parameters of staking, in blocks and smallest units. Hashed into the chain id with the rest of the chain spec.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StakeRules {
    /// Most validators of a term. ALZA-10 has 23.
    pub committee: u16,
    /// Most guardians of a checkpoint: the heaviest.
    pub guardians: u16,
    /// Least own bond of a staker that is elected validator.
    pub min_validator: Amount,
    /// Least bond of a guardian, its own and delegated together, and of a registration.
    pub min_guardian: Amount,
    /// `UNBOND`: blocks for which a leaving bond answers for offences (A4.4).
    pub unbond: u64,
    /// Blocks after an offence in which it can be shown; below `unbond` by the inclusion margin (A4.2).
    pub evidence: u64,
    /// Blocks without a proposal after which a validator is not elected again. ALZA-11 has 12 hours.
    pub inactivity: u64,
    /// Per cent of the own bond that two proposals in one epoch cost (A4.3 has 5). Every other offence costs all.
    pub proposal_penalty: u8,
    /// `B_MAX`: most that a reporter gets; it gets at most a hundredth of the penalty (A4.3).
    pub bounty: Amount,
    /// What checkpoints mint, each step from its height on.
    pub mint: Bounded<MintStep, MAX_MINT_STEPS>,
    /// What guardians win, if they win anything (A3).
    pub lottery: Option<LotteryRules>,
}

/// Why rules would let somebody cheat or nobody be elected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StakeRulesError {
    /// No committee or guardians, or more than a set holds.
    #[error("a committee has 1 to {MAX_VALIDATORS} members, and 1 to {MAX_GUARDIANS} guardians")]
    BadCommittee,
    /// Registering would be free, and the roster could be filled for nothing.
    #[error("the least bonds must be above zero, a validator's not below a guardian's")]
    BadMinimum,
    /// `evidence + M_incl ≥ unbond`: who offends could withdraw first.
    #[error("a bond must answer for offences longer than they can be shown")]
    UnbondTooShort,
    /// Above 100 per cent, or nothing.
    #[error("a penalty is between 1 and 100 per cent")]
    BadPenalty,
    /// The lottery has no winners, or nothing is left for them.
    #[error("a lottery has winners, and less than all of it for the proposer")]
    BadLottery,
    /// The steps do not rise.
    #[error("the steps of the mint table must rise")]
    BadMint,
}

impl StakeRulesError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadCommittee => "stake/rules-committee",
            Self::BadMinimum => "stake/rules-minimum",
            Self::UnbondTooShort => "stake/rules-unbond-too-short",
            Self::BadPenalty => "stake/rules-penalty",
            Self::BadLottery => "stake/rules-lottery",
            Self::BadMint => "stake/rules-mint",
        }
    }
}

impl StakeRules {
    /// Most units of a reward that still leave room in the reward index. Far above any supply of 8 decimals.
    const MAX_POT: u128 = 1 << 60;

    /// Checks the rules against the inclusion margin of the chain that uses them.
    ///
    /// # Errors
    /// [`StakeRulesError`], one variant an inequality.
    pub fn check(&self, inclusion_margin: u64) -> Result<(), StakeRulesError> {
        let fits = |count: u16, most| count > 0 && usize::from(count) <= most;
        if !fits(self.committee, MAX_VALIDATORS) || !fits(self.guardians, MAX_GUARDIANS) {
            return Err(StakeRulesError::BadCommittee);
        }
        if self.min_guardian.is_zero() || self.min_validator < self.min_guardian {
            return Err(StakeRulesError::BadMinimum);
        }
        if self.evidence.saturating_add(inclusion_margin) >= self.unbond {
            return Err(StakeRulesError::UnbondTooShort);
        }
        if self.proposal_penalty == 0 || self.proposal_penalty > 100 {
            return Err(StakeRulesError::BadPenalty);
        }
        let rises = self.mint.is_sorted_by(|a, b| a.since < b.since);
        if !rises || self.mint.iter().any(|step| step.pot.units() > Self::MAX_POT) {
            return Err(StakeRulesError::BadMint);
        }
        let fits =
            |lottery: LotteryRules| lottery.is_sound() && lottery.pot.units() <= Self::MAX_POT;
        if !self.lottery.is_none_or(fits) {
            return Err(StakeRulesError::BadLottery);
        }
        Ok(())
    }

    /// Returns what the checkpoint at `height` may mint.
    pub fn pot(&self, height: Height) -> Amount {
        let step = self.mint.iter().rfind(|step| step.since <= height);
        step.map_or(Amount::ZERO, |step| step.pot)
    }
}
