//! Keys and chain spec of a development network, made at the first start.
//!
//! ```text
//! DATA/spec.borsh          the chain spec; its hash is the chain id
//! DATA/faucet.key          32 secret bytes of the account that the faucet pays from
//! DATA/node-N/validator.key    only nodes 0 to 3
//! DATA/node-N/guardian.key     32 bytes of BLS key material
//! DATA/node-N/guardian.pop     proof of possession for this chain, checked at every start (A2.11)
//! ```

mod stake;

use super::Options;
use antiphon_core::{
    amount::Amount,
    chain::{
        beacon::ProposerOrder,
        set::{Guardian, GuardianSet, Validator, ValidatorSet},
        spec::{ChainSpec, GenesisAccount, MAX_SPEC},
    },
    codec::{self, Bounded, Text},
    crypto::{
        SecretKey,
        bls::{BlsPublicKey, BlsSecretKey, BlsSignature},
    },
    id::{Address, Height},
    payment::{field::FieldRules, reservation::PoolRules},
    time::UnixMillis,
};
use anyhow::{Context, bail};
use std::{
    fs,
    io::Write as _,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// Validators of a development network. Source: issue 2; the least number that tolerates one fault.
pub const VALIDATORS: usize = 4;
/// Guardians, each on a node of its own; the first four share theirs with a validator.
pub const GUARDIANS: usize = 7;
/// Blocks between checkpoints. Source: issue 2.
const CHECKPOINT_INTERVAL: u64 = 10;
/// Milliseconds a header may be ahead of the clock.
const DRIFT: u64 = 10_000;
/// Milliseconds after which a checkpoint is too old to start from.
const TRUSTING_PERIOD: u64 = 14 * 24 * 3_600_000;
/// Endowment of the faucet in each token: a billion at 8 decimals.
const FAUCET_UNITS: u128 = 100_000_000_000_000_000;
/// Fee of a transaction: 0.00001 of the operational token.
const FEE_UNITS: u128 = 1000;

/// One node's keys.
#[derive(Debug)]
pub struct NodeKeys {
    /// Settles, if the node is a validator.
    pub validator: Option<SecretKey>,
    /// Finalises.
    pub guardian: BlsSecretKey,
}

/// A network as its data directory describes it.
#[derive(Debug)]
pub struct Network {
    /// What the chain is.
    pub spec: ChainSpec,
    /// The nodes in order.
    pub nodes: Vec<NodeKeys>,
    /// Owner of the faucet account.
    pub faucet: SecretKey,
}

impl Network {
    /// Opens the network under the data directory, or makes it.
    ///
    /// # Errors
    /// Files that cannot be read or written, keys of another chain, a bad proof of possession.
    pub fn open(options: &Options) -> anyhow::Result<Self> {
        let data = &options.data;
        if options.reset && data.exists() {
            // Only a directory of ours is ever removed.
            if !data.join("spec.borsh").exists() {
                bail!("{} holds no development chain; not removing it", data.display());
            }
            fs::remove_dir_all(data).with_context(|| format!("removing {}", data.display()))?;
        }
        fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
        let faucet = SecretKey::from_bytes(&secret_file(&data.join("faucet.key"))?);
        let mut nodes = Vec::new();
        for index in 0..GUARDIANS {
            let folder = data.join(format!("node-{index}"));
            fs::create_dir_all(&folder)?;
            let validator = if index < VALIDATORS {
                Some(SecretKey::from_bytes(&secret_file(&folder.join("validator.key"))?))
            } else {
                None
            };
            let guardian = BlsSecretKey::from_seed(&secret_file(&folder.join("guardian.key"))?)?;
            nodes.push(NodeKeys { validator, guardian });
        }
        let path = data.join("spec.borsh");
        if !path.exists() {
            let spec = make_spec(&nodes, &faucet, options)?;
            write_atomically(&path, &codec::encode(&spec))?;
        }
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let spec: ChainSpec = codec::decode(&bytes, MAX_SPEC)
            .with_context(|| format!("{} is not a chain spec", path.display()))?;
        let network = Self { spec, nodes, faucet };
        network.check_sets()?;
        network.check_possession(data)?;
        Ok(network)
    }

    /// The keys found must be those of the chain, else nodes would run silently without a vote.
    fn check_sets(&self) -> anyhow::Result<()> {
        let fits = self.nodes.iter().all(|node| {
            let guardian = node.guardian.public();
            let validates = node
                .validator
                .as_ref()
                .is_none_or(|key| self.spec.validators.index_of(&key.public()).is_some());
            validates && self.spec.guardians.members.iter().any(|m| m.key == guardian)
        });
        if !fits {
            bail!("the keys are not those of the chain in spec.borsh; start with --reset");
        }
        Ok(())
    }

    /// A2.11: every guardian key is checked with its proof of possession before the chain runs.
    fn check_possession(&self, data: &Path) -> anyhow::Result<()> {
        let chain = self.spec.chain_id();
        for (index, node) in self.nodes.iter().enumerate() {
            let path = data.join(format!("node-{index}")).join("guardian.pop");
            let owner = owner_of(&node.guardian);
            if !path.exists() {
                write_atomically(&path, &node.guardian.prove_possession(chain, owner).0)?;
            }
            let bytes = fs::read(&path)?;
            let proof = BlsSignature(
                bytes.try_into().ok().with_context(|| format!("{} is cut", path.display()))?,
            );
            let verdict = node.guardian.public().check_registration(chain, owner, &proof);
            verdict.with_context(|| format!("proof of possession of guardian {index}"))?;
        }
        Ok(())
    }
}

/// A development guardian has no account of its own; its owner is named after its key.
fn owner_of(key: &BlsSecretKey) -> Address {
    let digest = antiphon_core::crypto::Hash::of(&[&key.public().0]);
    let mut owner = [0; 20];
    owner.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    Address(owner)
}

fn make_spec(
    nodes: &[NodeKeys],
    faucet: &SecretKey,
    options: &Options,
) -> anyhow::Result<ChainSpec> {
    let mut validators: Vec<_> = nodes
        .iter()
        .filter_map(|node| node.validator.as_ref())
        .map(|key| Validator { key: key.public(), weight: 1 })
        .collect();
    validators.sort_by_key(|member| member.key);
    let mut guardians: Vec<_> =
        nodes.iter().map(|node| Guardian { key: node.guardian.public(), weight: 1 }).collect();
    guardians.sort_by_key(|member| member.key);
    let aggregate = BlsPublicKey::aggregate(guardians.iter().map(|member| &member.key))?;
    let block_ms = u64::try_from(options.block_time.as_millis())?;
    let endowed = Amount::from_units(FAUCET_UNITS);
    let faucet =
        GenesisAccount { address: Address::of(&faucet.public()), balances: [endowed, endowed] };
    let spec = ChainSpec {
        name: Text::try_from("antiphon-dev")?,
        genesis_time: UnixMillis(u64::try_from(
            SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis(),
        )?),
        block_ms,
        checkpoint_interval: CHECKPOINT_INTERVAL,
        drift: DRIFT,
        trusting_period: TRUSTING_PERIOD,
        fee: Amount::from_units(FEE_UNITS),
        pool: PoolRules::for_chain(VALIDATORS as u64, CHECKPOINT_INTERVAL),
        field: FieldRules::for_chain(4 * VALIDATORS as u64, block_ms),
        order: ProposerOrder::default(),
        upgrade: None,
        stake: None,
        validators: ValidatorSet { since: Height(0), members: Bounded::try_from(validators)? },
        guardians: GuardianSet {
            since: Height(0),
            members: Bounded::try_from(guardians)?,
            aggregate,
        },
        accounts: Bounded::try_from(vec![faucet])?,
        stakers: Bounded::new(),
        origin: None,
    };
    if options.stake { stake::staking(spec, nodes, options.unbond) } else { Ok(spec) }
}

/// Reads 32 secret bytes, or makes them.
pub(crate) fn secret_file(path: &Path) -> anyhow::Result<[u8; 32]> {
    if !path.exists() {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        write_atomically(path, &secret)?;
    }
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    bytes.try_into().ok().with_context(|| format!("{} is not 32 bytes", path.display()))
}

/// Writes beside, syncs, renames: after a crash the file is whole or absent. Readable by its owner only.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).with_context(|| format!("writing {}", path.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().context("a file has a folder")?;
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}
