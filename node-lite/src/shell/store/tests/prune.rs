//! What is let go and what stays, after each block, and after a failure at each write of one.

use super::{super::*, faulty::Faulty};
use crate::{
    bft::message::Block,
    ledger::Elected,
    light,
    storage::{SettledBlock, Settlement, Storage},
    sync::tests::origin as world,
};
use antiphon_core::{
    amount::Amount,
    chain::{
        carried::Carried,
        certificate::{Certificate, Signers},
        header::{Header, SignedHeader},
        light::File,
        set::GuardianSet,
        state::StateKey,
        transaction::{SignedTransaction, Transaction},
    },
    codec::{Bounded, Text},
    crypto::{Hash, SecretKey, Signature as Ed25519, bls::BlsSignature},
    id::TxId,
};
use jmt::{
    KeyHash, Sha256Jmt,
    storage::{LeafNode, Node, NodeKey, TreeReader},
};
use redb::ReadableTable as _;
use std::collections::{BTreeMap, BTreeSet};
use world::INTERVAL;

/// The tree as it is on a disk.
struct Tree<'a>(&'a Store);

impl TreeReader for Tree<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.0.node(key)?)
    }

    fn get_value_option(&self, version: u64, key: KeyHash) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.0.value(version, &StateKey(Hash(key.0)))?)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("nobody asks")
    }
}

type State = BTreeMap<StateKey, Vec<u8>>;

/// A chain that writes rows, and what each of its states must hold.
struct Chain {
    spec: ChainSpec,
    states: Vec<State>,
    headers: Vec<Header>,
}

fn key(n: u64) -> StateKey {
    StateKey(Hash::of(&[&n.to_le_bytes()]))
}

impl Chain {
    fn new(store: &Store) -> Self {
        let spec = world::spec();
        let head = store.head().unwrap();
        let supply = StateKey::supply(spec.chain_id());
        let first = State::from([(supply, store.value(0, &supply).unwrap().unwrap())]);
        Self { spec, states: vec![first], headers: vec![head.block.signed.header] }
    }

    /// What settles the next block: it changes some rows of old, and adds one.
    fn next(&self, store: &Store, elected: Elected) -> (Settlement, State, Header) {
        let height = self.headers.len() as u64;
        let mut state = self.states.last().unwrap().clone();
        let rows = [height % 5, height * 7 % 40, 100 + height];
        let rows: State =
            rows.into_iter().map(|n| (key(n), vec![n as u8; 9 + (height % 3) as usize])).collect();
        state.extend(rows.clone());
        let changes = rows.into_iter().map(|(key, value)| (KeyHash(key.0.0), Some(value)));
        let (root, batch) = Sha256Jmt::new(&Tree(store)).put_value_set(changes, height).unwrap();
        let parent = self.headers.last().unwrap();
        let mut header = Header {
            height: Height(height),
            parent: parent.id(),
            state_root: Hash(root.0),
            guardians_hash: parent.next_guardians_hash,
            ..parent.clone()
        };
        if let Some(set) = &elected.guardians {
            header.next_guardians_hash = set.hash(self.spec.chain_id());
        }
        let signed = SignedHeader { header: header.clone(), signature: Ed25519([0; 64]) };
        let tx = transaction(&self.spec, height);
        let bytes = Bounded::try_from(tx.to_bytes()).unwrap();
        let body = Bounded::try_from(vec![bytes]).unwrap();
        let block = Block { signed, carried: Carried::default(), body };
        let id = header.id();
        let certificate =
            Certificate { block: id, height: Height(height), signatures: Bounded::new() };
        let settled = SettledBlock { id, version: height, block, certificate };
        let transactions = vec![tx.body.id(self.spec.chain_id())];
        let batch = batch.into();
        (Settlement { settled, batch, transactions, elected }, state, header)
    }

    /// Settles the next block; every checkpoint is final two blocks later.
    fn settle(&mut self, store: &Store, elected: Elected) -> Result<(), StorageError> {
        let (settlement, state, header) = self.next(store, elected);
        let mut batch = vec![Write::Settle(Box::new(settlement))];
        let below = header.height.0.saturating_sub(2);
        if below > 0 && below.is_multiple_of(INTERVAL) {
            batch.push(Write::Final(Box::new(certificate(&self.headers[below as usize]))));
        }
        store.write(&batch)?;
        self.states.push(state);
        self.headers.push(header);
        Ok(())
    }

    /// Every state that must be here is here whole, and nothing on the disk is of no use to any.
    fn check(&self, store: &Store) {
        let head = store.head().unwrap().version;
        let oldest = store.oldest_version().unwrap();
        let values = values(store);
        let mut reached = (BTreeSet::new(), BTreeSet::new());
        for version in oldest..=head {
            let state = &self.states[version as usize];
            let found = walk(store, &values, version, &mut reached);
            assert_eq!(&found, state, "the state of version {version}, oldest {oldest}");
        }
        let nodes: BTreeSet<Vec<u8>> = {
            let table = store.table(NODES).unwrap();
            table.iter().unwrap().map(|row| row.unwrap().0.value().to_vec()).collect()
        };
        assert!(reached.0.is_subset(&nodes), "a node dangles");
        if backlog(store, oldest) == 0 {
            assert_eq!(reached, (nodes, values), "a row leaked");
        }
        self.check_transactions(store);
    }

    /// Where a transaction is, is known as long as its block is here, and not before.
    fn check_transactions(&self, store: &Store) {
        let id = |height| transaction(&self.spec, height).body.id(self.spec.chain_id());
        let mut here = BTreeSet::new();
        for height in 1..=self.headers.len() as u64 {
            let settled = store.settled(Height(height)).unwrap().map(|_| Height(height));
            assert_eq!(store.transaction(&id(height)), Ok(settled), "that of block {height}");
            here.extend(settled.map(|_| id(height)));
        }
        let table = store.table(TRANSACTIONS).unwrap();
        let taken = table.iter().unwrap().map(|row| TxId(Hash(*row.unwrap().0.value())));
        let named: BTreeSet<TxId> = taken.chain(store.waiting().ids().copied()).collect();
        assert_eq!(named, here, "the name of a transaction leaked");
    }
}

/// The transaction of the block at a height.
fn transaction(spec: &ChainSpec, height: u64) -> SignedTransaction {
    let key = SecretKey::from_bytes(&[9; 32]);
    let body = Transaction {
        sender: key.public().into(),
        sequence: height,
        reference_height: Height(0),
        reference_block: BlockId::default(),
        scope: Text::try_from("").unwrap(),
        max_fee: Amount::ZERO,
        cosigners: Bounded::new(),
        messages: Bounded::new(),
    };
    SignedTransaction::new(&key, spec.chain_id(), body)
}

fn certificate(header: &Header) -> FinalityCertificate {
    let (height, block) = (header.height, header.id());
    FinalityCertificate {
        height,
        block,
        signers: Signers::Bitmap(Bounded::new()),
        signature: BlsSignature([0; 96]),
    }
}

/// Stale rows that could be deleted by now.
fn backlog(store: &Store, oldest: u64) -> usize {
    let (nodes, values) = (store.table(STALE).unwrap(), store.table(PAST).unwrap());
    nodes.range(..(oldest + 1, [].as_slice())).unwrap().count()
        + values.range(..(oldest + 1, &[0; 32])).unwrap().count()
}

/// A value by its key and the version it came with.
type ValueName = ([u8; 32], u64);

/// Every value on the disk.
fn values(store: &Store) -> BTreeSet<ValueName> {
    let (newest, past) = (store.table(VALUES).unwrap(), store.table(PAST).unwrap());
    let newest = newest.iter().unwrap().map(|row| {
        let (key, value) = row.unwrap();
        (*key.value(), value.value().0)
    });
    let past = past.iter().unwrap().map(|row| {
        let (key, value) = row.unwrap();
        (*key.value().1, value.value().0)
    });
    newest.chain(past).collect()
}

/// Reads a whole state by its tree, and notes what it is made of.
fn walk(
    store: &Store,
    all: &BTreeSet<ValueName>,
    version: u64,
    (nodes, values): &mut (BTreeSet<Vec<u8>>, BTreeSet<ValueName>),
) -> State {
    let mut state = State::new();
    let root = NodeKey::new(version, std::iter::empty().collect());
    let mut waiting = vec![root];
    while let Some(name) = waiting.pop() {
        let node = store.node(&name).unwrap().unwrap_or_else(|| panic!("{name:?} of {version}"));
        nodes.insert(borsh::to_vec(&name).unwrap());
        match node {
            Node::Null => {}
            Node::Leaf(leaf) => {
                let key = StateKey(Hash(leaf.key_hash().0));
                let value = store.value(version, &key).unwrap().unwrap();
                // A leaf that only went deeper has a newer name than its value.
                let came = all.range((key.0.0, 0)..=(key.0.0, version)).next_back();
                values.insert(*came.unwrap());
                state.insert(key, value);
            }
            Node::Internal(inner) => {
                for (nibble, child) in inner.children_sorted() {
                    let path = name.nibble_path().nibbles().chain([nibble]).collect();
                    waiting.push(NodeKey::new(child.version, path));
                }
            }
        }
    }
    state
}

fn open(keep: Keep) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_with(folder.path(), &world::spec(), (keep, Begin::Genesis)).unwrap();
    (folder, store)
}

#[test]
fn states_outside_the_window_go_and_no_node_dangles_or_leaks() {
    let (_folder, store) = open(Keep::States(16));
    let mut chain = Chain::new(&store);
    for _ in 0..91 {
        chain.settle(&store, Elected::default()).unwrap();
        chain.check(&store);
    }
    // The head less sixteen; of the last two final checkpoints, 80 and 88, the earlier is younger than that.
    assert_eq!(store.oldest_version(), Ok(75));
    assert_eq!(backlog(&store, 75), 0);
}

#[test]
fn the_states_of_the_last_two_final_checkpoints_stay_however_long_nothing_becomes_final() {
    let (_folder, store) = open(Keep::States(16));
    let mut chain = Chain::new(&store);
    for _ in 0..35 {
        chain.settle(&store, Elected::default()).unwrap();
    }
    assert_eq!(store.oldest_version(), Ok(19), "35 less 16; 24 and 32 are final");
    for _ in 0..60 {
        let (settlement, state, header) = chain.next(&store, Elected::default());
        store.write(&[Write::Settle(Box::new(settlement))]).unwrap();
        chain.states.push(state);
        chain.headers.push(header);
    }
    assert_eq!(store.oldest_version(), Ok(24));
    chain.check(&store);
}

#[test]
fn an_archive_keeps_every_state_and_what_it_made_stale_goes_by_and_by_once_it_is_none() {
    let (folder, store) = open(Keep::Archive);
    let mut chain = Chain::new(&store);
    for _ in 0..400 {
        chain.settle(&store, Elected::default()).unwrap();
    }
    chain.check(&store);
    assert_eq!((store.oldest_version(), backlog(&store, 0)), (Ok(0), 0));
    drop(store);
    let how = (Keep::States(16), Begin::Genesis);
    let store = Store::open_with(folder.path(), &world::spec(), how).unwrap();
    let mut left = usize::MAX;
    for _ in 0..40 {
        chain.settle(&store, Elected::default()).unwrap();
        let now = backlog(&store, store.oldest_version().unwrap());
        assert!(left == usize::MAX || left.saturating_sub(now) < 600, "one batch is not long");
        assert!(now == 0 || now < left, "it becomes less: {now}");
        left = now;
        if now.is_multiple_of(3) {
            chain.check(&store);
        }
    }
    assert_eq!(left, 0);
    chain.check(&store);
}

#[test]
fn old_blocks_go_but_for_headers_that_changed_a_set_and_their_certificates() {
    let (_folder, store) = open(Keep::States(16));
    let mut chain = Chain::new(&store);
    let guardians = &chain.spec.guardians;
    let elected = GuardianSet { since: Height(16), ..guardians.clone() };
    let (id, old) = (chain.spec.chain_id(), guardians.hash(chain.spec.chain_id()));
    for height in 1..=420 {
        let guardians = (height == 16).then(|| elected.clone());
        chain.settle(&store, Elected { guardians, validators: None }).unwrap();
    }
    // Below 408, the earlier of the last two final checkpoints, the headers that one needs who syncs there.
    let lowest = 408 - MAX_RECENT as u64;
    assert_eq!(store.settled(Height(lowest - 1)), Ok(None));
    assert!(store.settled(Height(lowest)).unwrap().is_some());
    chain.check_transactions(&store);
    for height in 1..lowest {
        let header = &chain.headers[height as usize];
        let kept = store.header(Height(height)).unwrap();
        let certified = store.certificate(Height(height)).unwrap().is_some();
        let named = store.height_of(&header.id()).unwrap().is_some();
        let expected = height == 16;
        assert_eq!((kept.is_some(), certified, named), (expected, expected, expected), "{height}");
    }
    assert!(store.header(Height(0)).unwrap().is_some(), "genesis");
    let change = light::find(&store, &chain.spec, &File::Change(old)).unwrap();
    assert!(change.is_some(), "a walk goes over it for ever");
    assert_eq!(store.guardians(&elected.hash(id)), Ok(Some(elected)));
    assert!(store.start(INTERVAL).is_ok(), "a node starts from what is left");
}

#[test]
fn a_disk_that_fails_at_any_write_of_a_pruning_batch_leaves_the_block_whole_or_not_at_all() {
    let spec = world::spec();
    let how = (Keep::States(16), Begin::Genesis);
    for torn in [false, true] {
        let mut refused = 0;
        for left in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let disk = Faulty::default();
            let store = disk.open_with(folder.path(), &spec, how).unwrap();
            let mut chain = Chain::new(&store);
            for _ in 0..50 {
                chain.settle(&store, Elected::default()).unwrap();
            }
            let before = store.oldest_version().unwrap();
            disk.fail_after(Some(left), torn);
            let next = chain.next(&store, Elected::default());
            let settled = store.write(&[Write::Settle(Box::new(next.0))]);
            drop(store);
            disk.fail_after(None, false);
            let store = disk.open_with(folder.path(), &spec, how).unwrap();
            if store.head().unwrap().block.height() == Height(51) {
                chain.states.push(next.1);
                chain.headers.push(next.2);
                assert!(store.oldest_version().unwrap() > before, "this batch did prune");
            } else {
                assert!(settled.is_err(), "what was acknowledged is there");
            }
            chain.check(&store);
            if settled.is_ok() {
                break;
            }
            refused += 1;
        }
        assert!(refused > 2, "the disk failed in {refused} of the runs");
    }
}

#[test]
fn what_to_keep_is_read_and_said_in_the_same_words() {
    for text in ["archive", "blocks", "16", "1000"] {
        assert_eq!(text.parse::<Keep>().unwrap().to_string(), text);
    }
    for text in ["", "15", "0", "-1", "all", "1k"] {
        assert!(text.parse::<Keep>().is_err(), "{text}");
    }
    assert_eq!(Keep::default(), Keep::Blocks);
}

#[test]
fn what_a_refused_batch_named_is_not_known() {
    let (_folder, store) = open(Keep::Blocks);
    let mut chain = Chain::new(&store);
    for _ in 0..300 {
        let (settlement, ..) = chain.next(&store, Elected::default());
        let named = Settlement { transactions: vec![TxId::default()], ..settlement };
        let twice = vec![Write::Settle(Box::new(named)); 2];
        assert!(store.write(&twice).is_err(), "a height is settled once");
        chain.settle(&store, Elected::default()).unwrap();
        assert_eq!(store.transaction(&TxId::default()), Ok(None));
    }
    chain.check_transactions(&store);
}
