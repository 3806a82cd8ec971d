//! A chain of one validator over a store on disk: what a block costs a node, without agreement and without a network.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use antiphon_core::amount::Amount;
use antiphon_core::chain::carried::Carried;
use antiphon_core::chain::certificate::Certificate;
use antiphon_core::chain::header::{Header, SignedHeader};
use antiphon_core::chain::spec::{ChainSpec, Token};
use antiphon_core::chain::transaction::{
    Exchange, MAX_MESSAGES, MAX_PARTS, Message, Part, SignedTransaction, Transaction,
};
use antiphon_core::codec::{Bounded, Text};
use antiphon_core::crypto::{SecretKey, Signature};
use antiphon_core::id::{Address, BlockId, Epoch, Height};
use antiphon_node::bft::Build;
use antiphon_node::bft::message::{Block, tx_root};
use antiphon_node::ledger::{self, Ledger};
use antiphon_node::shell::store::Store;
use antiphon_node::storage::Write;
use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::network::{FEE, sender};

/// What each new account gets.
const GIFT: Amount = Amount::from_units(1_000_000);
/// Transactions of a block that fills the tree.
const FILLERS: usize = 96;

/// A chain that settles what it is given.
pub(crate) struct Chain {
    ledger: Ledger<Store>,
    store: Store,
    head: Header,
    /// How many of the endowed accounts' transactions were made.
    sequences: Vec<u64>,
    _folder: TempDir,
}

/// What one block took.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) execute: Duration,
    pub(crate) write: Duration,
}

impl Chain {
    pub(crate) fn new(spec: ChainSpec) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(folder.path(), &spec)?;
        let (head, _) = ledger::genesis(&spec)?;
        let start = store.start(spec.checkpoint_interval)?;
        let sequences = vec![0; spec.accounts.len()];
        let ledger = Ledger::open(spec, store.clone(), &start.head)?;
        Ok(Self { ledger, store, head, sequences, _folder: folder })
    }

    pub(crate) fn use_workers(&mut self, workers: NonZeroUsize) {
        self.ledger.use_workers(workers);
    }

    /// Gives something to accounts that did not exist, up to so many, by exchanges of one sender.
    pub(crate) fn fill(&mut self, mut from: usize, to: usize) -> Result<()> {
        while from < to {
            let mut txs = Vec::new();
            while from < to && txs.len() < FILLERS {
                let mut messages = Vec::new();
                while from < to && messages.len() < MAX_MESSAGES {
                    let end = to.min(from + MAX_PARTS);
                    messages.push(self.gifts(from..end)?);
                    from = end;
                }
                txs.push(self.sign(0, messages)?);
            }
            self.settle(&txs, true)?;
        }
        Ok(())
    }

    fn gifts(&self, range: std::ops::Range<usize>) -> Result<Message> {
        let units = GIFT.units() * range.len() as u128;
        let giver = Address::of(&sender(0).public());
        let from = vec![Part { address: giver, amount: Amount::from_units(units) }];
        let mut to: Vec<_> = range.map(|n| Part { address: stranger(n), amount: GIFT }).collect();
        to.sort_unstable_by_key(|part| part.address);
        let token = Token::Operational;
        let (from, to) = (Bounded::try_from(from)?, Bounded::try_from(to)?);
        Ok(Message::Exchange(Box::new(Exchange { token, from, to })))
    }

    /// Signs a transfer of an endowed account.
    pub(crate) fn transfer(&mut self, by: usize, to: Address) -> Result<SignedTransaction> {
        let (token, amount) = (Token::Operational, Amount::from_units(1));
        self.sign(by, vec![Message::Transfer { token, to, amount }])
    }

    fn sign(&mut self, by: usize, messages: Vec<Message>) -> Result<SignedTransaction> {
        let key: SecretKey = sender(by);
        let sequence = self.sequences.get_mut(by).context("an endowed account")?;
        *sequence += 1;
        let body = Transaction {
            sender: key.public().into(),
            sequence: *sequence,
            reference_height: self.head.height,
            reference_block: self.head.id(),
            scope: Text::try_from("")?,
            max_fee: Amount::from_units(FEE),
            cosigners: Bounded::new(),
            messages: Bounded::try_from(messages)?,
        };
        Ok(SignedTransaction::new(&key, self.ledger.chain(), body))
    }

    /// Builds, executes and writes a block of these, all of which apply. `known` signatures are not checked again, as of
    /// transactions that came by gossip before.
    pub(crate) fn settle(&mut self, txs: &[SignedTransaction], known: bool) -> Result<Cost> {
        let (parent, height) = (self.head.id(), self.head.height.plus(1));
        let request = Build {
            epoch: Epoch(height.0),
            parent,
            height,
            proposer_index: 0,
            checkpoint: BlockId::default(),
        };
        if known {
            txs.iter().for_each(|tx| self.ledger.note_verified(&tx.to_bytes()));
        }
        let body = self.ledger.build(&request, Carried::default(), txs.iter().cloned())?;
        ensure!(body.refused.is_empty(), "refused: {:?}", body.refused.first());
        ensure!(body.transactions.len() == txs.len(), "a block has no room for all");
        let mut header = self.head.clone();
        (header.height, header.parent, header.epoch) = (height, parent, request.epoch);
        (header.state_root, header.tx_root) = (body.state_root, tx_root(&body.transactions));
        header.next_order = body.next.order;
        let id = header.id();
        let signed = SignedHeader { header: header.clone(), signature: Signature([0; 64]) };
        let transactions = Bounded::try_from(body.transactions)?;
        let block = Block { signed, carried: body.carried, body: transactions };
        let began = Instant::now();
        self.ledger.execute(id, &block)?;
        let execute = began.elapsed();
        let settlement = self.ledger.settlement(id, block, Certificate::genesis());
        let write = Write::Settle(Box::new(settlement.context("it was executed")?));
        let began = Instant::now();
        self.store.write(&[write])?;
        let write = began.elapsed();
        self.ledger.stored(&id);
        self.head = header;
        Ok(Cost { execute, write })
    }

    pub(crate) fn height(&self) -> Height {
        self.head.height
    }
}

/// An account that nobody can spend from: only its place in the tree counts.
pub(crate) fn stranger(number: usize) -> Address {
    let mut address = [7; 20];
    // Spread over the tree as the addresses of keys are, by the hash that names its row.
    address.iter_mut().zip(number.to_le_bytes()).for_each(|(to, byte)| *to = byte);
    Address(address)
}
