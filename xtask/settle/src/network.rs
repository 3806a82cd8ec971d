//! Validators with stores under a temporary folder, each on a thread of its own, joined by their mailboxes.

use std::fs;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use antiphon_core::amount::Amount;
use antiphon_core::chain::beacon::ProposerOrder;
use antiphon_core::chain::set::{Guardian, GuardianSet, Validator, ValidatorSet};
use antiphon_core::chain::spec::{ChainSpec, GenesisAccount};
use antiphon_core::codec::{Bounded, Text};
use antiphon_core::crypto::SecretKey;
use antiphon_core::crypto::bls::{BlsPublicKey, BlsSecretKey};
use antiphon_core::id::{Address, ChainId, Height};
use antiphon_core::payment::{field::FieldRules, reservation::PoolRules};
use antiphon_core::time::UnixMillis;
use antiphon_node::guardian::Gossip;
use antiphon_node::shell::driver::channel::Channels;
use antiphon_node::shell::driver::{Clock, Driver, Handle, Mailbox, Watch};
use antiphon_node::shell::store::Store;
use antiphon_node::supernode::{Config, Fault, Supernode};
use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::settle::Options;

/// Blocks between checkpoints.
const INTERVAL: u64 = 16;
/// What each account has of each token.
const ENDOWMENT: u128 = 1_000_000_000_000_000;
/// How the names of the nodes' threads begin.
pub(crate) const THREADS: &str = "node-";
/// Fee of a transfer.
pub(crate) const FEE: u128 = 10;

/// A running network.
pub(crate) struct Network {
    pub(crate) spec: ChainSpec,
    pub(crate) chain: ChainId,
    pub(crate) senders: Vec<SecretKey>,
    pub(crate) handles: Vec<Handle>,
    /// The first node's disk, to read what it has settled.
    pub(crate) store: Store,
    threads: Vec<JoinHandle<()>>,
    _folder: TempDir,
}

impl Network {
    /// Makes keys, spec and stores, and starts every node.
    pub(crate) fn start(options: &Options) -> Result<Self> {
        let senders: Vec<_> = (0..options.accounts).map(sender).collect();
        let clock = Clock::start();
        let spec = spec(options.validators, options.block_ms, clock.origin_ms, &senders)?;
        let folder = tempfile::tempdir()?;
        let count = u16::from(options.validators);
        let mailboxes: Vec<_> = (0..count).map(|_| Mailbox::default()).collect();
        let handles: Vec<_> = mailboxes.iter().map(Mailbox::handle).collect();
        let (mut threads, mut stores) = (Vec::new(), Vec::new());
        for (index, mailbox) in (0..count).zip(mailboxes) {
            let place = folder.path().join(format!("node-{index}"));
            fs::create_dir(&place)?;
            let store = Store::open(&place, &spec)?;
            stores.push(store.clone());
            let number = u8::try_from(index)?;
            let config = Config {
                spec: spec.clone(),
                validator: Some(validator(number)),
                guardian: Some(guardian(number)?),
                delta: Duration::from_millis(250),
                origin_ms: clock.origin_ms,
                gossip: Gossip::default(),
            };
            let start = store.start(spec.checkpoint_interval)?;
            let mut first = Vec::new();
            let node = Supernode::new(clock.now(), config, store.clone(), start, &mut first)?;
            let carrier = Channels { index, all: handles.clone() };
            let driver = Driver { index, node, store, mailbox, carrier, clock };
            let thread = thread::Builder::new().name(format!("{THREADS}{index}"));
            threads.push(thread.spawn(move || {
                if let Err(error) = driver.run(first, &mut Blind) {
                    eprintln!("node {index}: {error}");
                }
            })?);
        }
        let store = stores.into_iter().next().context("a network has a node")?;
        Ok(Self { chain: spec.chain_id(), spec, senders, handles, store, threads, _folder: folder })
    }

    /// Stops every node and waits for it.
    pub(crate) fn stop(self) {
        self.handles.iter().for_each(Handle::stop);
        for thread in self.threads {
            if thread.join().is_err() {
                eprintln!("a node's thread panicked");
            }
        }
    }
}

/// Nobody looks at the nodes from their own threads: what is measured is read from a disk.
struct Blind;

impl Watch for Blind {
    fn after(&mut self, _node: &Supernode<Store>) {}

    fn stored(&mut self, _took: Duration) {}

    fn fault(&mut self, fault: &Fault) {
        eprintln!("fault: {fault}");
    }
}

/// A chain of one validator, on which so many accounts own something.
pub(crate) fn alone(accounts: usize) -> Result<ChainSpec> {
    let senders: Vec<_> = (0..accounts).map(sender).collect();
    spec(1, 1000, Clock::start().origin_ms, &senders)
}

fn spec(count: u8, block_ms: u64, now_ms: u64, senders: &[SecretKey]) -> Result<ChainSpec> {
    let mut validators: Vec<_> =
        (0..count).map(|index| Validator { key: validator(index).public(), weight: 1 }).collect();
    validators.sort_by_key(|member| member.key);
    let mut guardians = (0..count)
        .map(|index| Ok(Guardian { key: guardian(index)?.public(), weight: 1 }))
        .collect::<Result<Vec<_>>>()?;
    guardians.sort_by_key(|member| member.key);
    let aggregate = BlsPublicKey::aggregate(guardians.iter().map(|member| &member.key))?;
    let endow = |key: &SecretKey| GenesisAccount {
        address: Address::of(&key.public()),
        balances: [Amount::from_units(ENDOWMENT); 2],
    };
    Ok(ChainSpec {
        name: Text::try_from("antiphon-settle")?,
        genesis_time: UnixMillis(now_ms),
        block_ms,
        checkpoint_interval: INTERVAL,
        drift: 10_000,
        trusting_period: 14 * 24 * 3_600_000,
        fee: Amount::from_units(FEE),
        pool: PoolRules::for_chain(u64::from(count), INTERVAL),
        field: FieldRules::for_chain(4 * u64::from(count), block_ms),
        order: ProposerOrder::default(),
        upgrade: None,
        stake: None,
        validators: ValidatorSet { since: Height(0), members: Bounded::try_from(validators)? },
        guardians: GuardianSet {
            since: Height(0),
            members: Bounded::try_from(guardians)?,
            aggregate,
        },
        accounts: Bounded::try_from(senders.iter().map(endow).collect::<Vec<_>>())?,
        stakers: Bounded::new(),
        origin: None,
    })
}

fn validator(index: u8) -> SecretKey {
    SecretKey::from_bytes(&[index.wrapping_add(1); 32])
}

fn guardian(index: u8) -> Result<BlsSecretKey> {
    Ok(BlsSecretKey::from_seed(&[index.wrapping_add(101); 32])?)
}

/// Returns the key of an endowed account.
pub(crate) fn sender(index: usize) -> SecretKey {
    let mut seed = [201; 32];
    seed.iter_mut().zip(index.to_le_bytes()).for_each(|(to, byte)| *to = byte);
    SecretKey::from_bytes(&seed)
}
