//! A creator's pool and honest payees who serve for it, with the real ledger and the real payee machine.

use antiphon_core::{
    amount::Amount,
    chain::{
        Level,
        spec::{ChainSpec, Token},
        transaction::Message,
    },
    codec,
    crypto::{Hash, SecretKey, Signed},
    id::{Address, ChainId, Height, PeerId, PoolId, StreamId},
    payment::{
        payee::{Fault, Input, Output, Payee, PayeePolicy, Proof, ServeError},
        reservation::{PoolRules, PoolTerms},
        voucher::{Promise, Voucher},
    },
    time::Moment,
};
use antiphon_tests::sim::{genesis, till::Till};

/// Endowed accounts: the faucet's, a creator, an accomplice, and five honest payees.
pub(crate) const ACCOUNTS: usize = 8;
pub(crate) const HONEST: std::ops::Range<usize> = 3..8;
/// Price of a chunk.
pub(crate) const PRICE: u128 = 2;
/// The most that an honest payee lets itself be owed.
pub(crate) const E_MAX: u128 = 10;
pub(crate) const DEPOSIT: u128 = 100;
/// Blocks from the opening to the end.
pub(crate) const LIFE: u64 = 12;
pub(crate) const FREEZE: u64 = 3;
pub(crate) const STREAM: StreamId = StreamId(Hash([3; 32]));
pub(crate) const NOW: Moment = Moment::ZERO;

pub(crate) fn spec() -> ChainSpec {
    let bounty = Amount::from_units(1);
    let (inclusion_margin, min_duration, max_duration, freeze) = (1, 4, 40, FREEZE);
    let pool = PoolRules { bounty, inclusion_margin, min_duration, max_duration, freeze };
    ChainSpec { pool, ..genesis::spec(1000, ACCOUNTS) }
}

/// A creator's pool on a chain of its own.
pub(crate) struct Market {
    pub(crate) till: Till,
    pub(crate) chain: ChainId,
    pub(crate) creator: SecretKey,
    pub(crate) pool: PoolId,
    pub(crate) end: Height,
}

impl Market {
    pub(crate) fn open() -> Self {
        let spec = spec();
        let (chain, creator) = (spec.chain_id(), genesis::account(1));
        let mut till = Till::new(spec);
        let end = Height(till.next_height().0 + LIFE);
        let terms = PoolTerms {
            creator: creator.public(),
            nonce: 0,
            resource: STREAM,
            deposit: Amount::from_units(DEPOSIT),
            collateral: Amount::from_units(DEPOSIT + 2),
            end_height: end,
        };
        let pool = terms.id(chain);
        let open = till.sign(&creator, Message::CreatePool(terms));
        assert_eq!(till.settle(vec![open]), []);
        Self { till, chain, creator, pool, end }
    }

    pub(crate) fn height(&self) -> Height {
        Height(self.till.next_height().0 - 1)
    }

    pub(crate) fn pass_to(&mut self, height: Height) {
        while self.height() < height {
            self.till.settle(Vec::new());
        }
    }

    pub(crate) fn voucher(&self, target: &SecretKey, cum: u128) -> Signed<Voucher> {
        let target = Address::of(&target.public());
        let (seq, cum) = (u64::try_from(cum).unwrap(), Amount::from_units(cum));
        let body = Voucher { pool: self.pool, resource: STREAM, target, seq, cum, ticks: None };
        Signed::new(&self.creator, self.chain, body)
    }

    /// Settles promises in this order in one block, each by its target. Returns by code what was left out.
    pub(crate) fn settle(&mut self, promises: Vec<(SecretKey, Promise)>) -> Vec<&'static str> {
        let message = |(key, promise)| (key, Message::Settle(Box::new(promise)));
        self.send(promises.into_iter().map(message).collect())
    }

    /// Puts one message of each of these into one block, in this order. Returns by code what was left out.
    pub(crate) fn send(&mut self, messages: Vec<(SecretKey, Message)>) -> Vec<&'static str> {
        let sign = |(key, message)| self.till.sign(&key, message);
        let candidates = messages.into_iter().map(sign).collect();
        self.till.settle(candidates).into_iter().map(|(_, error)| error.code()).collect()
    }

    pub(crate) fn assert_conserved(&self) {
        let all = ACCOUNTS as u128 * genesis::ENDOWMENT;
        assert_eq!(self.till.count(Token::Operational), all);
    }
}

/// An honest payee, which serves one peer that pays from the market's pool.
pub(crate) struct Stall {
    pub(crate) key: SecretKey,
    pub(crate) payee: Payee,
    pub(crate) served: u128,
    /// The newest order to settle or to claim.
    pub(crate) ordered: Option<Promise>,
    /// Whether it ordered its share.
    pub(crate) collects: bool,
    pub(crate) lost: u128,
}

impl Stall {
    pub(crate) fn new(market: &Market, account: usize) -> Self {
        let key = genesis::account(account);
        let (price, limit) = (Amount::from_units(PRICE), Amount::from_units(E_MAX));
        let defaults = PayeePolicy::for_price(price, Amount::from_units(1));
        let policy = PayeePolicy { max_exposure: limit, settle_at: limit, ..defaults };
        let address = Address::of(&key.public());
        let mut payee = Payee::new(market.chain, address, spec().pool, policy, []);
        payee.set_terms(peer(), STREAM, price).unwrap();
        let mut stall = Self { key, payee, served: 0, ordered: None, collects: false, lost: 0 };
        stall.feed(NOW, Input::Offered(peer(), market.pool));
        stall
    }

    /// Feeds an input and makes every write durable; returns the last fault.
    pub(crate) fn feed(&mut self, now: Moment, input: Input) -> Option<Fault> {
        let (mut inputs, mut fault) = (vec![input], None);
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.payee.handle(now, input, &mut out);
            for output in out {
                match output {
                    Output::Store(token, ..) => inputs.push(Input::Stored(token)),
                    Output::Fault(_, found) => fault = Some(found),
                    Output::Settle(promise) => self.ordered = Some(promise),
                    Output::Lost(_, amount) => self.lost += amount.units(),
                    Output::Collect(_) => self.collects = true,
                    Output::NeedPool(_)
                    | Output::Credit(..)
                    | Output::Settled(..)
                    | Output::Insolvent(..) => {}
                }
            }
        }
        fault
    }

    /// The newest block, and what its state says of the pool, believed to `level`.
    pub(crate) fn show(&mut self, market: &Market, level: Level) {
        let height = market.height();
        let (state, address) =
            (market.till.pool(market.pool).unwrap(), Address::of(&self.key.public()));
        let paid = market.till.paid(market.pool, address);
        self.feed(NOW, Input::Proven(market.pool, Box::new(Proof { state, paid, height, level })));
        self.feed(NOW, Input::Tip(height));
    }

    pub(crate) fn serve(&mut self) -> Result<(), ServeError> {
        self.payee.serve(peer())?;
        self.served += PRICE;
        Ok(())
    }

    pub(crate) fn give(&mut self, voucher: &Signed<Voucher>) -> Option<Fault> {
        self.feed(NOW, Input::Voucher(peer(), codec::encode(&voucher.to_compact())))
    }

    /// Serves a peer that pays for each chunk, until the payee will not.
    pub(crate) fn serve_all(&mut self, market: &Market) -> ServeError {
        loop {
            if let Err(error) = self.serve() {
                return error;
            }
            assert!(self.served <= DEPOSIT, "served without end");
            assert_eq!(self.give(&market.voucher(&self.key, self.served)), None);
        }
    }
}

pub(crate) fn peer() -> PeerId {
    PeerId(genesis::account(1).public())
}

pub(crate) fn accomplice() -> SecretKey {
    genesis::account(2)
}
