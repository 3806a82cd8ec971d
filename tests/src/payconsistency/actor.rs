//! One account: a payer, a payee and a member of fields on one disk.

use crate::sim::till::Till;
use antiphon_core::{
    amount::Amount,
    chain::{Level, spec::ChainSpec, transaction::Message},
    codec,
    crypto::{SecretKey, Signed},
    id::{Address, FieldId, Height, PeerId, PoolId, StreamId},
    payment::{
        StoreToken,
        member::{self, MemberConfig, MemberPolicy, Membership},
        payee::{self, Payee, PayeePolicy, Proof},
        payer::{self, DeviceId, Payer},
        reservation::PoolTerms,
        voucher::Voucher,
    },
    row::Row,
    time::Moment,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Price of a chunk.
pub(super) const PRICE: u128 = 10;
/// `e_max` of every payee.
pub(super) const MAX_EXPOSURE: u128 = 60;
/// What all pay for.
pub(super) const STREAM: StreamId = StreamId(antiphon_core::crypto::Hash([5; 32]));

/// Which machine waits for a write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    Payer(StoreToken),
    Payee(StoreToken),
    Member(StoreToken),
}

/// A write that a crash would undo.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) owner: Owner,
    pub(super) name: String,
    pub(super) row: Option<Vec<u8>>,
}

/// A voucher on its way.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) from: PeerId,
    pub(super) pool: PoolId,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
}

/// One account.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) key: SecretKey,
    spec: ChainSpec,
    pub(super) now: Moment,
    payer: Payer,
    payee: Payee,
    pub(super) fields: Membership,
    disk: BTreeMap<String, Vec<u8>>,
    pub(super) writes: VecDeque<Pending>,
    /// For the chain, in order.
    pub(super) orders: VecDeque<Message>,
    /// For others.
    pub(super) letters: Vec<Letter>,
    /// For members of fields.
    pub(super) parcels: Vec<(Address, Vec<u8>)>,
    /// Pools that it opened.
    pub(super) pools: BTreeSet<PoolId>,
    /// Pools that its payee asked about.
    asked: BTreeSet<PoolId>,
    /// The highest that it ever signed, by pool and target (A10.7).
    pub(super) spoken: BTreeMap<(PoolId, Address), (u64, u128)>,
    /// Vouchers for which its payee gave credit.
    pub(super) taken: u64,
    /// The most that vouchers ever brought from each pool: what chunks were given for.
    pub(super) given: BTreeMap<PoolId, u128>,
    /// The highest round of each field that it was shown as money while it was awake.
    pub(super) shown: BTreeMap<FieldId, u32>,
}

impl Actor {
    pub(super) fn new(key: SecretKey, spec: &ChainSpec) -> Self {
        let disk = BTreeMap::new();
        let (payer, payee, fields) = machines(&key, spec, &disk);
        Self {
            key,
            spec: spec.clone(),
            now: Moment::ZERO,
            payer,
            payee,
            fields,
            disk,
            writes: VecDeque::new(),
            orders: VecDeque::new(),
            letters: Vec::new(),
            parcels: Vec::new(),
            pools: BTreeSet::new(),
            asked: BTreeSet::new(),
            spoken: BTreeMap::new(),
            taken: 0,
            given: BTreeMap::new(),
            shown: BTreeMap::new(),
        }
    }

    pub(super) fn address(&self) -> Address {
        Address::of(&self.key.public())
    }

    pub(super) fn peer(&self) -> PeerId {
        PeerId(self.key.public())
    }

    pub(super) const fn payee(&self) -> &Payee {
        &self.payee
    }

    /// Opens a pool for the stream.
    pub(super) fn open(&mut self, nonce: u64, deposit: u128, end: Height) {
        let terms = PoolTerms {
            creator: self.key.public(),
            nonce,
            resource: STREAM,
            deposit: Amount::from_units(deposit),
            collateral: Amount::from_units(deposit + self.spec.pool.bounty.units() + 1),
            end_height: end,
            only: None,
        };
        let mut out = Vec::new();
        if let Ok(pool) = self.payer.open(terms, &mut out) {
            self.pools.insert(pool);
        }
        self.take_payer(out);
    }

    /// Pays for a chunk, if its machine allows that.
    pub(super) fn pay(&mut self, pool: PoolId, to: Address, units: u128) {
        let mut out = Vec::new();
        let _ = self.payer.pay(pool, to, Amount::from_units(units), &mut out);
        self.take_payer(out);
    }

    /// Serves a chunk to a peer, if its credit allows that.
    pub(super) fn serve(&mut self, peer: PeerId) {
        let _ = self.payee.set_terms(peer, STREAM, Amount::from_units(PRICE));
        let _ = self.payee.serve(peer);
    }

    /// Hears which pool a peer pays from, and its voucher.
    pub(super) fn hear(&mut self, letter: &Letter) {
        let _ = self.payee.set_terms(letter.from, STREAM, Amount::from_units(PRICE));
        self.feed_payee(payee::Input::Offered(letter.from, letter.pool));
        self.feed_payee(payee::Input::Voucher(letter.from, letter.bytes.clone()));
    }

    pub(super) fn settle(&mut self) {
        let mut out = Vec::new();
        self.payee.settle(&mut out);
        self.take_payee(out);
    }

    /// The oldest write is durable.
    pub(super) fn write_one(&mut self) {
        let Some(Pending { owner, name, row }) = self.writes.pop_front() else { return };
        match row {
            Some(row) => self.disk.insert(name, row),
            None => self.disk.remove(&name),
        };
        match owner {
            Owner::Payer(token) => {
                let mut out = Vec::new();
                self.payer.handle(Moment::ZERO, payer::Input::Stored(token), &mut out);
                self.take_payer(out);
            }
            Owner::Payee(token) => self.feed_payee(payee::Input::Stored(token)),
            Owner::Member(token) => self.feed_member(member::Input::Stored(token)),
        }
    }

    pub(super) fn write_all(&mut self) {
        while !self.writes.is_empty() {
            self.write_one();
        }
    }

    /// Loses what was not written, but for the first `kept` writes of which nobody heard, and starts anew.
    pub(super) fn crash(&mut self, kept: usize) {
        let before = self.worth();
        for Pending { name, row, .. } in self.writes.drain(..).take(kept) {
            match row {
                Some(row) => self.disk.insert(name, row),
                None => self.disk.remove(&name),
            };
        }
        self.asked.clear();
        (self.payer, self.payee, self.fields) = machines(&self.key, &self.spec, &self.disk);
        let after = self.worth();
        for (pool, worth) in before {
            let kept = after.get(&pool).copied().unwrap_or_default();
            assert!(
                kept >= worth,
                "chunks were given for {worth}, and {kept} is left to show for it"
            );
        }
    }

    /// Returns what vouchers brought from each pool, paid or not: what credit was given for.
    fn worth(&self) -> BTreeMap<PoolId, u128> {
        let books = self.payee.view().into_iter();
        books.map(|book| (book.pool, book.held.units() + book.paid.units())).collect()
    }

    /// Sees the newest settled block, and what it proves of every pool that concerns this account.
    pub(super) fn see(&mut self, till: &Till, height: Height) {
        let mut out = Vec::new();
        self.payer.handle(Moment::ZERO, payer::Input::Tip(height), &mut out);
        for pool in self.pools.clone() {
            match till.pool(pool) {
                Some(state) => drop(self.payer.adopt(pool, state, height, &mut out)),
                None => self.payer.absent(pool, &mut out),
            }
        }
        self.take_payer(out);
        self.feed_payee(payee::Input::Tip(height));
        for pool in std::mem::take(&mut self.asked) {
            let Some(state) = till.pool(pool) else { continue };
            let paid = till.paid(pool, self.address());
            let proof = Proof { state, paid, height, level: Level::Final };
            self.feed_payee(payee::Input::Proven(pool, Box::new(proof)));
        }
        self.see_fields(till, height);
    }

    fn feed_payee(&mut self, input: payee::Input) {
        let mut out = Vec::new();
        self.payee.handle(Moment::ZERO, input, &mut out);
        self.take_payee(out);
        for (pool, worth) in self.worth() {
            let most = self.given.entry(pool).or_default();
            *most = worth.max(*most);
        }
    }

    fn take_payer(&mut self, out: Vec<payer::Output>) {
        for output in out {
            match output {
                payer::Output::Store(token, name, row) => {
                    self.writes.push_back(Pending { owner: Owner::Payer(token), name, row });
                }
                payer::Output::Create(terms) => self.orders.push_back(Message::CreatePool(terms)),
                payer::Output::Voucher(to, voucher) => self.speak(to, &voucher),
            }
        }
    }

    /// A voucher leaves: it is on the disk, and never below one that left before.
    fn speak(&mut self, to: Address, voucher: &Signed<Voucher>) {
        let Voucher { pool, seq, cum, .. } = voucher.body;
        let said = (seq, cum.units());
        let before = self.spoken.insert((pool, to), said).unwrap_or_default();
        assert!(before.0 <= said.0 && before.1 <= said.1, "a promise was taken back");
        assert!(before.0 < said.0 || before == said, "one sequence, two sums");
        let bytes = codec::encode(&voucher.to_compact());
        self.letters.push(Letter { from: self.peer(), pool, to, bytes });
    }

    fn take_payee(&mut self, out: Vec<payee::Output>) {
        for output in out {
            match output {
                payee::Output::NeedPool(pool) => {
                    self.asked.insert(pool);
                }
                payee::Output::Store(token, name, row) => {
                    self.writes.push_back(Pending { owner: Owner::Payee(token), name, row });
                }
                payee::Output::Credit(..) => self.taken += 1,
                payee::Output::Settle(promise) => {
                    self.orders.push_back(Message::Settle(Box::new(promise)));
                }
                payee::Output::Collect(pool) => {
                    let target = self.address();
                    self.orders.push_back(Message::Collect { pool, target });
                }
                payee::Output::Fault(..)
                | payee::Output::Insolvent(..)
                | payee::Output::Settled(..)
                | payee::Output::Lost(..) => {}
            }
        }
    }
}

fn machines(
    key: &SecretKey,
    spec: &ChainSpec,
    disk: &BTreeMap<String, Vec<u8>>,
) -> (Payer, Payee, Membership) {
    let rows = |owns: fn(&str) -> bool| -> Vec<Row> {
        let owned = disk.iter().filter(|(name, _)| owns(name));
        owned.map(|(name, row)| (name.clone(), Ok(row.clone()))).collect()
    };
    let (chain, me, device) = (spec.chain_id(), Address::of(&key.public()), DeviceId([1; 16]));
    let units = Amount::from_units;
    let policy = PayeePolicy {
        max_exposure: units(MAX_EXPOSURE),
        settle_at: units(MAX_EXPOSURE / 2),
        final_above: units(MAX_EXPOSURE / 3),
        ..PayeePolicy::for_price(units(PRICE), units(1))
    };
    let fields = MemberConfig {
        chain,
        key: key.clone(),
        device,
        rules: spec.field,
        fee: spec.fee,
        policy: MemberPolicy {
            // A round takes many of the model's steps, and some of its blocks.
            challenge_after: 24,
            close_after: 24,
            ..MemberPolicy::for_chain(spec.pool.inclusion_margin)
        },
    };
    (
        Payer::new(chain, key.clone(), device, spec.pool, rows(Payer::owns)),
        Payee::new(chain, me, spec.pool, policy, rows(Payee::owns)),
        Membership::new(fields, rows(Membership::owns)),
    )
}
