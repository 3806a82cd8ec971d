//! The keys and the spec of a small chain: four validators, seven guardians, some endowed accounts.

use antiphon_core::{
    amount::Amount,
    chain::{
        beacon::ProposerOrder,
        set::{Guardian, GuardianSet, Validator, ValidatorSet},
        spec::{ChainSpec, GenesisAccount, GenesisStaker},
        stake::{MintStep, StakeRules, elect},
    },
    codec::{Bounded, Text},
    crypto::{
        SecretKey,
        bls::{BlsPublicKey, BlsSecretKey},
    },
    id::{Address, Height},
    payment::{field::FieldRules, reservation::PoolRules},
    time::UnixMillis,
};

/// Validators of the chain.
pub const VALIDATORS: usize = 4;
/// Guardians; the first four share a node with a validator.
pub const GUARDIANS: usize = 7;
/// Blocks between checkpoints.
pub const INTERVAL: u64 = 8;
/// What each endowed account has of each token.
pub const ENDOWMENT: u128 = 1_000_000_000;
/// Fee of a transaction.
pub const FEE: u128 = 10;
/// Unix milliseconds of genesis, and of the origin of virtual time.
pub const ORIGIN_MS: u64 = 1_000_000;

/// Returns the key of validator `index`; its place in the set may be another.
pub fn validator(index: usize) -> SecretKey {
    SecretKey::from_bytes(&[index as u8 + 1; 32])
}

/// Returns the key of guardian `index`.
pub fn guardian(index: usize) -> BlsSecretKey {
    let mut seed = [101_u8.wrapping_add(index as u8); 32];
    seed[0] = seed[0].wrapping_add((index >> 8) as u8);
    BlsSecretKey::from_seed(&seed).unwrap()
}

/// Returns the key of endowed account `index`; account 0 belongs to the faucet.
pub fn account(index: usize) -> SecretKey {
    SecretKey::from_bytes(&[index as u8 + 201; 32])
}

/// Returns the spec of a chain with blocks every `block_ms` and this many endowed accounts.
pub fn spec(block_ms: u64, accounts: usize) -> ChainSpec {
    sized(block_ms, accounts, (VALIDATORS, GUARDIANS))
}

/// Returns the same with this many validators and guardians.
pub fn sized(block_ms: u64, accounts: usize, (validators, guardians): (usize, usize)) -> ChainSpec {
    let keys = (0..validators).map(validator);
    let mut committee: Vec<_> =
        keys.map(|key| Validator { key: key.public(), weight: 1 }).collect();
    committee.sort_by_key(|member| member.key);
    let keys = (0..guardians).map(guardian);
    let mut guardians: Vec<_> = keys.map(|key| Guardian { key: key.public(), weight: 1 }).collect();
    guardians.sort_by_key(|member| member.key);
    let aggregate = BlsPublicKey::aggregate(guardians.iter().map(|member| &member.key)).unwrap();
    let endow = |index| GenesisAccount {
        address: Address::of(&account(index).public()),
        balances: [Amount::from_units(ENDOWMENT); 2],
    };
    ChainSpec {
        name: Text::try_from("antiphon-sim").unwrap(),
        genesis_time: UnixMillis(ORIGIN_MS),
        block_ms,
        checkpoint_interval: INTERVAL,
        drift: 10_000,
        trusting_period: 14 * 24 * 3_600_000,
        fee: Amount::from_units(FEE),
        pool: PoolRules::for_chain(validators as u64, INTERVAL),
        field: FieldRules::for_chain(4 * validators as u64, block_ms),
        order: ProposerOrder::default(),
        upgrade: None,
        stake: None,
        validators: ValidatorSet {
            since: Height(0),
            members: Bounded::try_from(committee).unwrap(),
        },
        guardians: GuardianSet {
            since: Height(0),
            members: Bounded::try_from(guardians).unwrap(),
            aggregate,
        },
        accounts: Bounded::try_from((0..accounts).map(endow).collect::<Vec<_>>()).unwrap(),
        stakers: Bounded::new(),
        origin: None,
    }
}

/// What each of the first four stakers has bonded; the others have half of it, and are not elected.
pub const BOND: u128 = 1_000;
/// What a checkpoint of a staking chain may mint.
pub const POT: u128 = 900;

/// Returns the account that owns the stake of node `index`, and is endowed.
pub fn owner(index: usize) -> SecretKey {
    account(index + 20)
}

/// Returns the spec of a chain on which every node stakes and may be elected, four at a time.
pub fn staking_spec(block_ms: u64) -> ChainSpec {
    let rules = StakeRules {
        committee: VALIDATORS as u16,
        guardians: GUARDIANS as u16,
        min_validator: Amount::from_units(BOND / 4),
        min_guardian: Amount::from_units(BOND / 10),
        unbond: 60,
        evidence: 40,
        inactivity: 40,
        proposal_penalty: 5,
        bounty: Amount::from_units(7),
        lottery: None,
        mint: Bounded::try_from(vec![MintStep { since: Height(0), pot: Amount::from_units(POT) }])
            .unwrap(),
    };
    let staker = |index| GenesisStaker {
        owner: Address::of(&owner(index).public()),
        guardian: guardian(index).public(),
        validator: Some(validator(index).public()),
        bond: Amount::from_units(if index < VALIDATORS { BOND } else { BOND / 2 }),
    };
    let stakers: Vec<_> = (0..GUARDIANS).map(staker).collect();
    let candidates: Vec<_> = stakers.iter().map(GenesisStaker::candidate).collect();
    let (validators, guardians) = elect(&rules, Height(0), &candidates);
    let endow = |index| GenesisAccount {
        address: Address::of(&owner(index).public()),
        balances: [Amount::from_units(ENDOWMENT); 2],
    };
    ChainSpec {
        stake: Some(rules),
        validators: validators.unwrap(),
        guardians: guardians.unwrap(),
        accounts: Bounded::try_from((0..GUARDIANS).map(endow).collect::<Vec<_>>()).unwrap(),
        stakers: Bounded::try_from(stakers).unwrap(),
        ..spec(block_ms, 0)
    }
}
