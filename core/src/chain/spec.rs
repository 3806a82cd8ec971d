//! The parameters of a chain. Their hash is the chain id, so two chains that differ in one number share nothing.

use super::{
    beacon::ProposerOrder,
    set::{GuardianSet, MAX_GUARDIANS, ValidatorSet},
    stake::{Candidate, StakeRules, Standing},
    upgrade::UpgradeRules,
};
use crate::{
    amount::Amount,
    codec::{Bounded, Text},
    crypto::{Hash, PublicKey, Tagged, bls::BlsPublicKey},
    id::{Address, BlockId, ChainId, Height},
    payment::{field::FieldRules, reservation::PoolRules},
    time::UnixMillis,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Accounts that genesis may endow.
pub const MAX_GENESIS_ACCOUNTS: usize = 4096;

/// Index of a token in balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Token {
    /// The fixed staking token.
    Staking,
    /// The operational token (Tansen) that pays for everything else.
    Operational,
}

/// How many tokens a chain has.
pub const TOKENS: usize = 2;

impl Token {
    /// Both tokens, in the order of balances.
    pub const ALL: [Self; TOKENS] = [Self::Staking, Self::Operational];

    /// Returns the position of this token's balance.
    pub const fn index(self) -> usize {
        match self {
            Self::Staking => 0,
            Self::Operational => 1,
        }
    }
}

/// An account that exists from the start.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct GenesisAccount {
    /// Who owns it.
    pub address: Address,
    /// Balances in the order of [`Token::ALL`].
    pub balances: [Amount; TOKENS],
}

/// A staker that exists from the start, with a bond of its own. Its proof of possession is checked by whoever makes the
/// spec.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct GenesisStaker {
    /// Who owns bond and rewards.
    pub owner: Address,
    /// Signs checkpoints.
    pub guardian: BlsPublicKey,
    /// Signs votes and proposals, if it wants to settle.
    pub validator: Option<PublicKey>,
    /// What it has bonded, in units of the staking token.
    pub bond: Amount,
}

impl GenesisStaker {
    /// Returns the staker as the first election sees it.
    pub const fn candidate(&self) -> Candidate {
        Candidate {
            address: self.owner,
            guardian: self.guardian,
            validator: self.validator,
            own: self.bond,
            total: self.bond,
            standing: Standing::Good,
        }
    }
}

/// Most chains that a chain can name as those before it. Chosen here.
pub const MAX_LINEAGE: usize = 8;

/// The state that a chain takes over from the one before it, instead of accounts and stakers of its own (AELF-33).
///
/// The new chain begins at the height of the old one's checkpoint, so that every deadline in the state stays right.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Origin {
    /// Height of the checkpoint, and of the new chain's genesis.
    pub height: Height,
    /// The final checkpoint of the old chain.
    pub block: BlockId,
    /// Its state root, which is that of genesis.
    pub state_root: Hash,
    /// The chains whose history led to this state, the oldest first: where a ninth would come, the second is left out.
    /// Keys of the state name the first, and vouchers of any of them are settled.
    pub lineage: Bounded<ChainId, MAX_LINEAGE>,
}

/// Everything that makes a chain this chain.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ChainSpec {
    /// A name for people.
    pub name: Text<64>,
    /// When genesis is dated.
    pub genesis_time: UnixMillis,
    /// Milliseconds between blocks that validators aim for.
    pub block_ms: u64,
    /// `T`: every T-th header is a checkpoint (A2.10; seed 100, at least 8).
    pub checkpoint_interval: u64,
    /// Milliseconds by which a header may be ahead of an honest clock (A1.11, A7.2).
    pub drift: u64,
    /// `TP`: milliseconds after which a trusted checkpoint is too old to start from (A7.1).
    pub trusting_period: u64,
    /// Fee of a transaction, in the operational token.
    pub fee: Amount,
    /// Parameters of pools.
    pub pool: PoolRules,
    /// Parameters of fields.
    pub field: FieldRules,
    /// Who proposes when. The drawn order needs staking: a reveal is made with a guardian's key.
    pub order: ProposerOrder,
    /// How the chain may change its rules; without it never.
    pub upgrade: Option<UpgradeRules>,
    /// Parameters of staking; without them nobody stakes and the sets never change.
    pub stake: Option<StakeRules>,
    /// Who settles at the start.
    pub validators: ValidatorSet,
    /// Who finalises at the start.
    pub guardians: GuardianSet,
    /// Who owns what at the start.
    pub accounts: Bounded<GenesisAccount, MAX_GENESIS_ACCOUNTS>,
    /// Who stakes at the start: with staking, the sets above are what an election makes of them.
    pub stakers: Bounded<GenesisStaker, MAX_GUARDIANS>,
    /// The state that the chain begins with; then it has neither accounts nor stakers here.
    pub origin: Option<Origin>,
}

/// Longest encoding of a spec that is decoded, in bytes: the largest set of guardians, all of them with stake.
pub const MAX_SPEC: usize = 2 << 20;

impl Tagged for ChainSpec {
    const TAG: &'static str = "chain/v1/spec";
}

impl ChainSpec {
    /// Returns the chain's name in every signature: the hash of this spec.
    pub fn chain_id(&self) -> ChainId {
        ChainId(self.digest(ChainId(Hash::default())))
    }

    /// Returns the chain that the keys of the state name: the first of the lineage, whose tree this one goes on with.
    pub fn state_chain(&self) -> ChainId {
        let first = self.origin.as_ref().and_then(|origin| origin.lineage.first());
        first.copied().unwrap_or_else(|| self.chain_id())
    }

    /// Returns the height of genesis: 0, or that of the checkpoint whose state it takes over.
    pub fn genesis_height(&self) -> Height {
        self.origin.as_ref().map_or(Height(0), |origin| origin.height)
    }

    /// Returns whether every block must carry its proposer's reveal.
    pub fn has_beacon(&self) -> bool {
        let lottery = self.stake.as_ref().is_some_and(|rules| rules.lottery.is_some());
        lottery || self.order == ProposerOrder::CommitReveal
    }

    /// Returns whether `height` is a checkpoint's.
    pub const fn is_checkpoint(&self, height: Height) -> bool {
        height.0 > 0 && height.0.is_multiple_of(self.checkpoint_interval)
    }
}
