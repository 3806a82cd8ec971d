//! The watch-tower's disk and sender: what [`crate::tower`] decides, written to `tower.redb` and sent as transactions.
//!
//! ```text
//! antiphon_watch --> check under the settled head --> row durable --> kept --> answered
//! settled block  --> rows of the watched fields --> orders --> transactions of the node's account
//! ```

use super::{driver::Handle, rpc::Published, store::Store};
use crate::{
    ledger::TxError,
    mempool::AdmitError,
    storage::StorageError,
    supernode::{Output, Supernode},
    tower::{self, Kept, Order, Tower, WatchError},
};
use antiphon_core::{
    amount::Amount,
    chain::{
        spec::ChainSpec,
        transaction::{Message, SignedTransaction, Transaction},
    },
    codec::{self, Bounded, Text},
    crypto::SecretKey,
    id::{Address, ChainId, FieldId, Height},
    payment::field::{FieldAct, MAX_SEALED, SealedState},
};
use anyhow::Context as _;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The newest state of each field.
const STATES: Table = TableDefinition::new("states");
/// What is shown if the chain annuls that.
const BEFORE: Table = TableDefinition::new("before");

type Table = TableDefinition<'static, &'static [u8; 32], &'static [u8]>;

/// The tower of a node.
#[derive(Debug)]
pub struct Watchtower {
    tower: Mutex<Tower>,
    states: Database,
    store: Store,
    key: SecretKey,
    chain: ChainId,
    state_chain: ChainId,
    fee: Amount,
}

/// Why a state is not watched.
#[derive(Debug, thiserror::Error)]
pub enum RefusedError {
    /// The tower says no.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// The disk failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

fn failed(error: impl Into<redb::Error>) -> StorageError {
    StorageError(error.into().to_string())
}

impl Watchtower {
    /// Opens the tower's disk in a data folder, with all that it watched before. It posts as the account of `key`.
    ///
    /// # Errors
    /// A file that cannot be opened, or holds what no tower wrote.
    pub fn open(
        data: &Path,
        spec: &ChainSpec,
        store: Store,
        key: SecretKey,
    ) -> anyhow::Result<Arc<Self>> {
        let path = data.join("tower.redb");
        let states = Database::create(&path).with_context(|| path.display().to_string())?;
        let begin = states.begin_write()?;
        for table in [STATES, BEFORE] {
            drop(begin.open_table(table)?);
        }
        begin.commit()?;
        let mut tower = Tower::new(spec, Address::of(&key.public()));
        let read = states.begin_read()?;
        let before = read.open_table(BEFORE)?;
        let sealed = |bytes: &[u8]| {
            codec::decode::<SealedState>(bytes, MAX_SEALED)
                .with_context(|| format!("{} is damaged", path.display()))
        };
        for row in read.open_table(STATES)?.iter()? {
            let (field, newest) = row?;
            let before = before.get(field.value())?.map(|row| sealed(row.value())).transpose()?;
            tower.keep(Kept { newest: sealed(newest.value())?, before });
        }
        Ok(Arc::new(Self {
            tower: Mutex::new(tower),
            states,
            store,
            key,
            chain: spec.chain_id(),
            state_chain: spec.state_chain(),
            fee: spec.fee,
        }))
    }

    /// Watches a sealed state once it is durable. Costs a signature check a member.
    ///
    /// # Errors
    /// [`RefusedError`].
    pub fn watch(&self, sealed: SealedState) -> Result<(), RefusedError> {
        let head = self.store.head()?;
        let field = sealed.state.field;
        let row = tower::read(&self.store, head.version, self.state_chain, &field)?;
        // Held while it is written, so that of two states the later one also stays on disk.
        let mut tower = self.lock();
        let kept = tower.check(&sealed, row.as_ref(), head.block.height().plus(1))?;
        self.write(&field, Some(&kept))?;
        tower.keep(kept);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Tower> {
        // Nothing here panics while it is held; what is in it is whole.
        self.tower.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is kept of a field in one, or removes it.
    fn write(&self, field: &FieldId, kept: Option<&Kept>) -> Result<(), StorageError> {
        let mut batch = self.states.begin_write().map_err(failed)?;
        batch.set_durability(Durability::Immediate).map_err(failed)?;
        let newest = kept.map(|kept| &kept.newest);
        let before = kept.and_then(|kept| kept.before.as_ref());
        for (table, sealed) in [(STATES, newest), (BEFORE, before)] {
            let mut table = batch.open_table(table).map_err(failed)?;
            if let Some(sealed) = sealed {
                let bytes = codec::encode(sealed);
                table.insert(&field.0.0, bytes.as_slice()).map_err(failed)?;
            } else {
                table.remove(&field.0.0).map_err(failed)?;
            }
        }
        batch.commit().map_err(failed)
    }

    /// Looks at every watched field under the settled head. Returns what is to be posted.
    fn look(&self) -> Result<Vec<SealedState>, StorageError> {
        let watched: Vec<FieldId> = self.lock().watched().collect();
        if watched.is_empty() {
            return Ok(Vec::new());
        }
        let head = self.store.head()?;
        let mut rows = BTreeMap::new();
        for id in watched {
            let row = tower::read(&self.store, head.version, self.state_chain, &id)?;
            rows.extend(row.map(|row| (id, row)));
        }
        // Held while forgotten rows are removed, or a state that is brought meanwhile would be removed with them.
        let mut tower = self.lock();
        let orders = tower.look(head.block.height().plus(1), &rows);
        Ok(carry_out(orders, |field| self.write(field, None)))
    }

    /// Watches until the node has stopped.
    pub async fn run(self: Arc<Self>, node: Handle, mut published: watch::Receiver<Published>) {
        let mut seen = None;
        loop {
            let settled = published.borrow_and_update().status.settled;
            if seen.replace(settled) != Some(settled) {
                self.clone().step(&node, settled).await;
            }
            if published.changed().await.is_err() {
                return;
            }
        }
    }

    async fn step(self: Arc<Self>, node: &Handle, settled: Height) {
        let reader = self.clone();
        let looked = tokio::task::spawn_blocking(move || reader.look()).await;
        let posts = match looked {
            Ok(Ok(posts)) => posts,
            Ok(Err(error)) => return tracing::error!(%error, "the tower's disk"),
            Err(error) => return tracing::error!(%error, "the tower"),
        };
        for sealed in posts {
            let (field, round) = (sealed.state.field.0, sealed.state.round);
            let sender = self.clone();
            let sent = node.call(move |node, out| sender.send(node, sealed, out)).await;
            match sent {
                Ok(Ok(())) => tracing::info!(%field, round, height = settled.0, "posted a state"),
                Ok(Err(error)) => tracing::warn!(%field, round, error = error.code(), "not posted"),
                Err(error) => tracing::warn!(%field, round, %error, "not posted"),
            }
        }
    }

    /// Signs and submits one post. What is refused is tried again after a margin.
    fn send(
        &self,
        node: &mut Supernode<Store>,
        sealed: SealedState,
        out: &mut Vec<Output>,
    ) -> Result<(), AdmitError> {
        let sender = self.key.public();
        let sequence = node.next_sequence(&Address::of(&sender)).map_err(TxError::from)?;
        let (reference_height, reference_block) = node.reference();
        let act = Message::Field(Box::new(FieldAct::Post(Box::new(sealed))));
        let mut body = Transaction {
            sender: sender.into(),
            sequence,
            reference_height,
            reference_block,
            scope: Text::try_from("tower").map_err(TxError::Malformed)?,
            max_fee: self.fee,
            cosigners: Bounded::new(),
            messages: Bounded::try_from(vec![act]).map_err(TxError::Malformed)?,
        };
        body.max_fee = body.fee(self.fee).unwrap_or(self.fee);
        node.submit(SignedTransaction::new(&self.key, self.chain, body), out).map(drop)
    }
}

/// Forgets what is over, and returns what is to be posted. A post has a deadline, a row that is over has none: where it
/// cannot be removed, it is read at the next start and forgotten then.
fn carry_out(
    orders: Vec<Order>,
    mut forget: impl FnMut(&FieldId) -> Result<(), StorageError>,
) -> Vec<SealedState> {
    let mut posts = Vec::new();
    for order in orders {
        match order {
            Order::Post(sealed) => posts.push(*sealed),
            Order::Forget(field) => {
                if let Err(error) = forget(&field) {
                    tracing::error!(
                        field = %field.0, %error,
                        "a field that is over is still in tower.redb: check the disk and its room, then restart the node"
                    );
                }
            }
        }
    }
    posts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::dev::{Options, keys::Network};
    use antiphon_core::{
        crypto::Hash,
        payment::field::{RoundState, SealedState},
    };

    fn state(round: u32) -> SealedState {
        let state = RoundState {
            field: FieldId(Hash([7; 32])),
            version: 0,
            round,
            balances: Bounded::new(),
            tx_root: Hash::default(),
            payments: 0,
            prev: Hash::default(),
            is_final: false,
        };
        SealedState { state, signatures: Bounded::new() }
    }

    /// What is posted keeps a deadline; what is removed has none.
    #[test]
    fn a_removal_that_fails_holds_up_no_post() {
        let field = state(7).state.field;
        let orders = vec![
            Order::Post(Box::new(state(7))),
            Order::Forget(field),
            Order::Post(Box::new(state(8))),
        ];
        let mut asked = Vec::new();
        let posts = carry_out(orders, |field| {
            asked.push(*field);
            Err(StorageError("no space left".into()))
        });
        assert_eq!((posts, asked), (vec![state(7), state(8)], vec![field]));
    }

    /// The state before the newest is needed after a restart, too; what is forgotten leaves nothing behind.
    #[test]
    fn both_states_of_a_field_are_there_after_a_restart_until_it_is_forgotten() {
        let data = tempfile::tempdir().unwrap();
        let options = Options {
            data: data.path().join("keys"),
            reset: false,
            block_time: std::time::Duration::from_secs(1),
            rpc: "127.0.0.1:0".parse().unwrap(),
            stake: false,
            unbond: None,
            keep: crate::shell::store::Keep::default(),
        };
        let spec = Network::open(&options).unwrap().spec;
        let store = Store::open(data.path(), &spec).unwrap();
        let open = || {
            let key = SecretKey::from_bytes(&[1; 32]);
            Watchtower::open(data.path(), &spec, store.clone(), key).unwrap()
        };
        let shown = |tower: &Watchtower| format!("{:?}", tower.lock());
        let tower = open();
        let nothing = shown(&tower);
        for before in [None, Some(state(6))] {
            let kept = Kept { newest: state(7), before };
            tower.write(&state(7).state.field, Some(&kept)).unwrap();
            tower.lock().keep(kept);
        }
        let watched = shown(&tower);
        drop(tower);
        let tower = open();
        assert_eq!(shown(&tower), watched);
        tower.write(&state(7).state.field, None).unwrap();
        drop(tower);
        assert_eq!(shown(&open()), nothing);
    }
}
