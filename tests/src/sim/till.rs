//! A ledger without a network: one block after another, and a count of all money after each.

use super::{disk::Disk, genesis};
use antiphon_core::{
    amount::Amount,
    chain::{
        carried::Carried,
        certificate::Certificate,
        delayed::Delayed,
        header::{Header, SignedHeader},
        spec::{ChainSpec, Token},
        state::{Account, StateKey, Supply},
        transaction::{Delay, Message, SignedTransaction, Transaction},
    },
    codec::{self, Bounded, Text},
    crypto::{PublicKey, SecretKey, Signature, Signer},
    id::{Address, BlockId, DelayId, Epoch, FieldId, Height, PoolId, TxId},
    payment::{
        field::{
            Member,
            escrow::{FieldKeys, FieldState},
        },
        reservation::{PaidState, PoolState},
    },
};
use antiphon_node::{
    bft::{Build, message::Block},
    ledger::{self, Body, Ledger, TxError},
    storage::{Storage, Write},
};
use std::collections::{BTreeMap, BTreeSet};

/// A chain of one that settles what it builds.
#[derive(Debug)]
pub struct Till {
    ledger: Ledger<Disk>,
    disk: Disk,
    head: Header,
    accounts: BTreeSet<Address>,
    pools: BTreeSet<PoolId>,
    fields: BTreeSet<FieldId>,
    delays: BTreeSet<DelayId>,
}

impl Till {
    /// Opens the chain of `spec` at genesis.
    pub fn new(spec: ChainSpec) -> Self {
        let disk = Disk::new(&spec);
        let (head, _) = ledger::genesis(&spec).unwrap();
        let start = disk.start(spec.checkpoint_interval);
        let mut accounts: BTreeSet<_> = spec.accounts.iter().map(|row| row.address).collect();
        accounts.insert(Address::of(&spec.validators.members[0].key));
        let ledger = Ledger::open(spec, disk.clone(), &start.head).unwrap();
        let (pools, fields, delays) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { ledger, disk, head, accounts, pools, fields, delays }
    }

    /// Returns the height of the next block.
    pub fn next_height(&self) -> Height {
        self.head.height.plus(1)
    }

    /// Signs a transaction of one message, the sender's next on the newest block.
    pub fn sign(&mut self, key: &impl Signer, message: Message) -> SignedTransaction {
        self.sign_all(key, &[] as &[SecretKey], vec![message])
    }

    /// Signs a transaction of a sender and cosigners, the sender's next on the newest block.
    pub fn sign_all(
        &mut self,
        key: &impl Signer,
        others: &[impl Signer],
        messages: Vec<Message>,
    ) -> SignedTransaction {
        self.sign_after(0, key, others, messages)
    }

    /// Signs for a place in the next block behind so many others of the same sender.
    fn sign_after(
        &mut self,
        before: u64,
        key: &impl Signer,
        others: &[impl Signer],
        messages: Vec<Message>,
    ) -> SignedTransaction {
        let chain = self.head.chain_id;
        let account: Option<Account> =
            self.read(StateKey::account(chain, &key.account_key().address()));
        let account = account.unwrap_or_default();
        let mut cosigners: Vec<_> = others.iter().map(Signer::account_key).collect();
        cosigners.sort_unstable();
        let mut body = Transaction {
            sender: key.account_key(),
            sequence: account.sequence + 1 + before,
            reference_height: self.head.height,
            reference_block: self.head.id(),
            scope: Text::try_from("").unwrap(),
            max_fee: Amount::ZERO,
            cosigners: Bounded::try_from(cosigners).unwrap(),
            messages: Bounded::try_from(messages).unwrap(),
        };
        body.max_fee = body.fee(Amount::from_units(genesis::FEE)).unwrap();
        for (place, message) in (0..).zip(body.messages.iter()) {
            self.remember(message, body.delay_id(chain, place));
        }
        SignedTransaction::with_cosigners(key, others, chain, body)
    }

    /// Notes where a message may bring money to.
    fn remember(&mut self, message: &Message, delay: DelayId) {
        match message {
            Message::Transfer { to, .. } => {
                self.accounts.insert(*to);
            }
            Message::Exchange(exchange) => {
                self.accounts.extend(exchange.to.iter().map(|part| part.address));
            }
            Message::Delay(Delay { to, .. }) => {
                self.accounts.insert(*to);
                self.delays.insert(delay);
            }
            Message::CreatePool(terms) => {
                self.pools.insert(terms.id(self.head.chain_id));
            }
            Message::Field(act) => {
                self.fields.extend(act.field_on(self.head.chain_id));
                self.accounts.extend(act.members().iter().map(Member::address));
            }
            Message::Cancel(_)
            | Message::Settle(_)
            | Message::Release(_)
            | Message::Report(_)
            | Message::Collect { .. }
            | Message::Register(_)
            | Message::Bond { .. }
            | Message::Unbond { .. }
            | Message::Withdraw { .. }
            | Message::Rejoin
            | Message::Accuse { .. } => {}
        }
    }

    /// Builds the next block's body without keeping it.
    pub fn build(&self, candidates: Vec<SignedTransaction>) -> Body {
        let height = self.next_height();
        let request = Build {
            epoch: Epoch(height.0),
            parent: self.head.id(),
            height,
            proposer_index: 0,
            checkpoint: BlockId::default(),
        };
        self.ledger.build(&request, Carried::default(), candidates).unwrap()
    }

    /// Settles the next block and returns what was left out of it.
    pub fn settle(&mut self, candidates: Vec<SignedTransaction>) -> Vec<(TxId, TxError)> {
        let Body { transactions, carried, state_root, field_root, refused, next, prepared: _ } =
            self.build(candidates);
        let mut header = self.head.clone();
        header.height = self.next_height();
        header.parent = self.head.id();
        header.state_root = state_root;
        header.field_root = field_root;
        header.next_validators_hash = next.validators;
        header.next_guardians_hash = next.guardians;
        let id: BlockId = header.id();
        let signed = SignedHeader { header: header.clone(), signature: Signature([0; 64]) };
        let block = Block { signed, carried, body: Bounded::try_from(transactions).unwrap() };
        self.ledger.execute(id, &block).unwrap();
        let settlement = self.ledger.settlement(id, block, Certificate::genesis()).unwrap();
        self.disk.write(vec![Write::Settle(Box::new(settlement))]).unwrap();
        self.ledger.stored(&id);
        self.head = header;
        refused
    }

    /// Settles the next block with every order that can be in it, also several of one account; those that cannot hold up
    /// none behind them. Returns how many were left out.
    pub fn settle_orders(&mut self, mut orders: Vec<(SecretKey, Message)>) -> usize {
        let wanted = orders.len();
        loop {
            let mut before: BTreeMap<PublicKey, u64> = BTreeMap::new();
            let mut signed = Vec::new();
            for (key, order) in &orders {
                let place = before.entry(key.public()).or_default();
                signed.push(self.sign_after(*place, key, &[] as &[SecretKey], vec![order.clone()]));
                *place += 1;
            }
            let refused = self.build(signed.clone()).refused;
            let refused: BTreeSet<TxId> = refused.into_iter().map(|(id, _)| id).collect();
            if refused.is_empty() {
                self.settle(signed);
                return wanted - orders.len();
            }
            // Behind one that is refused all others of its account are: only the first of each is to blame.
            let mut blamed = BTreeSet::new();
            let chain = self.head.chain_id;
            let is_kept: Vec<bool> = signed
                .iter()
                .map(|it| !refused.contains(&it.body.id(chain)) || !blamed.insert(it.body.sender))
                .collect();
            let mut kept = is_kept.into_iter();
            orders.retain(|_| kept.next().unwrap());
        }
    }

    /// Counts all money of a token: balances, what pools and fields hold, what is delayed, and what was burned (A10.1).
    pub fn count(&self, token: Token) -> u128 {
        let chain = self.head.chain_id;
        let accounts = self.accounts.iter().filter_map(|address| {
            let account: Account = self.read(StateKey::account(chain, address))?;
            Some(account.balance(token).units())
        });
        let pools = self.pools.iter().filter_map(|pool| {
            let state: PoolState = self.read(StateKey::pool(chain, pool))?;
            Some(state.held().units()).filter(|_| token == Token::Operational)
        });
        let delays = self.delays.iter().filter_map(|delay| {
            let state: Delayed = self.read(StateKey::delayed(chain, delay))?;
            Some(state.held().units()).filter(|_| token == state.token)
        });
        let fields = self.fields.iter().filter_map(|field| {
            let state = self.field(*field)?;
            Some(state.held().unwrap().units()).filter(|_| token == Token::Operational)
        });
        accounts.chain(pools).chain(delays).chain(fields).sum::<u128>() + self.burned(token)
    }

    /// Returns every pool that anybody has tried to open.
    pub fn pools(&self) -> impl Iterator<Item = PoolId> {
        self.pools.iter().copied()
    }

    /// Returns what was burned of a token, as the newest block left it.
    pub fn burned(&self, token: Token) -> u128 {
        let supply: Supply = self.read(StateKey::supply(self.head.chain_id)).unwrap_or_default();
        supply.burned[token.index()].units()
    }

    /// Returns a pool as the newest block left it.
    pub fn pool(&self, pool: PoolId) -> Option<PoolState> {
        self.read(StateKey::pool(self.head.chain_id, &pool))
    }

    /// Returns a field as the newest block left it.
    pub fn field(&self, field: FieldId) -> Option<FieldState> {
        self.read(StateKey::field(self.head.chain_id, &field))
    }

    /// Returns the keys of a field's members, as the newest block left them.
    pub fn field_keys(&self, field: FieldId) -> FieldKeys {
        self.read(StateKey::field_keys(self.head.chain_id, &field)).unwrap_or_default()
    }

    /// Returns what the chain has written.
    pub const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Returns the header of the newest block.
    pub const fn head(&self) -> &Header {
        &self.head
    }

    /// Returns what an account has of a token, as the newest block left it.
    pub fn balance(&self, address: &Address, token: Token) -> u128 {
        let account: Option<Account> = self.read(StateKey::account(self.head.chain_id, address));
        account.unwrap_or_default().balance(token).units()
    }

    /// Returns a delayed transfer, as the newest block left it.
    pub fn delayed(&self, delay: DelayId) -> Option<Delayed> {
        self.read(StateKey::delayed(self.head.chain_id, &delay))
    }

    /// Returns what a pool paid to a target, as the newest block left it.
    pub fn paid(&self, pool: PoolId, target: Address) -> PaidState {
        self.read(StateKey::paid(self.head.chain_id, &pool, &target)).unwrap_or_default()
    }

    fn read<T: borsh::BorshDeserialize + borsh::BorshSerialize>(&self, key: StateKey) -> Option<T> {
        let bytes = self.disk.value(u64::MAX, &key).unwrap()?;
        Some(codec::decode(&bytes, bytes.len()).unwrap())
    }
}
