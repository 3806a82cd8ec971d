//! Who promises the same money twice, and who pays from a pool that cannot pay: what an honest payee can lose, with the
//! real ledger and the real payee. PROTOCOL A5.14, A5.15; ADVERSARIAL cases 18 and 22.
//!
//! Case 18 is shown as far as the chain goes now: an overdrawn voucher pays nothing. Claims, the burning of the
//! collateral and what the cheats lose by it come with the insolvency branch (A5.11). Case 22 begins with state, not
//! with proofs of inclusion: a payee takes no other proof. That bad bytes are not paid, relayed or forgiven is shown in
//! `listeners`.

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
        voucher::Voucher,
    },
    time::Moment,
};
use antiphon_tests::sim::{genesis, till::Till};

/// Endowed accounts: the faucet's, a creator, an accomplice, and five honest payees.
const ACCOUNTS: usize = 8;
const HONEST: std::ops::Range<usize> = 3..8;
/// Price of a chunk.
const PRICE: u128 = 2;
/// The most that an honest payee lets itself be owed.
const E_MAX: u128 = 10;
const DEPOSIT: u128 = 100;
/// Blocks from the opening to the end.
const LIFE: u64 = 12;
const FREEZE: u64 = 3;
const STREAM: StreamId = StreamId(Hash([3; 32]));
const NOW: Moment = Moment::ZERO;

fn spec() -> ChainSpec {
    let bounty = Amount::from_units(1);
    let (inclusion_margin, min_duration, max_duration, freeze) = (1, 4, 40, FREEZE);
    let pool = PoolRules { bounty, inclusion_margin, min_duration, max_duration, freeze };
    ChainSpec { pool, ..genesis::spec(1000, ACCOUNTS) }
}

/// A creator's pool on a chain of its own.
struct Market {
    till: Till,
    chain: ChainId,
    creator: SecretKey,
    pool: PoolId,
    end: Height,
}

impl Market {
    fn open() -> Self {
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

    fn height(&self) -> Height {
        Height(self.till.next_height().0 - 1)
    }

    fn pass_to(&mut self, height: Height) {
        while self.height() < height {
            self.till.settle(Vec::new());
        }
    }

    fn voucher(&self, target: &SecretKey, cum: u128) -> Signed<Voucher> {
        let target = Address::of(&target.public());
        let (seq, cum) = (u64::try_from(cum).unwrap(), Amount::from_units(cum));
        let body = Voucher { pool: self.pool, resource: STREAM, target, seq, cum, ticks: None };
        Signed::new(&self.creator, self.chain, body)
    }

    /// Settles vouchers in this order in one block, each by its target. Returns by code what was left out.
    fn settle(&mut self, vouchers: Vec<(SecretKey, Signed<Voucher>)>) -> Vec<&'static str> {
        let sign = |(key, voucher)| self.till.sign(&key, Message::Settle(Box::new(voucher.into())));
        let candidates = vouchers.into_iter().map(sign).collect();
        self.till.settle(candidates).into_iter().map(|(_, error)| error.code()).collect()
    }

    fn assert_conserved(&self) {
        let all = ACCOUNTS as u128 * genesis::ENDOWMENT;
        assert_eq!(self.till.count(Token::Operational), all);
    }
}

/// An honest payee, which serves one peer that pays from the market's pool.
struct Stall {
    key: SecretKey,
    payee: Payee,
    served: u128,
    ordered: Option<Signed<Voucher>>,
    lost: u128,
}

impl Stall {
    fn new(market: &Market, account: usize) -> Self {
        let key = genesis::account(account);
        let (price, limit) = (Amount::from_units(PRICE), Amount::from_units(E_MAX));
        let defaults = PayeePolicy::for_price(price, Amount::from_units(1));
        let policy = PayeePolicy { max_exposure: limit, settle_at: limit, ..defaults };
        let address = Address::of(&key.public());
        let mut payee = Payee::new(market.chain, address, spec().pool, policy, []);
        payee.set_terms(peer(), STREAM, price).unwrap();
        let mut stall = Self { key, payee, served: 0, ordered: None, lost: 0 };
        stall.feed(NOW, Input::Offered(peer(), market.pool));
        stall
    }

    /// Feeds an input and makes every write durable; returns the last fault.
    fn feed(&mut self, now: Moment, input: Input) -> Option<Fault> {
        let (mut inputs, mut fault) = (vec![input], None);
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.payee.handle(now, input, &mut out);
            for output in out {
                match output {
                    Output::Store(token, ..) => inputs.push(Input::Stored(token)),
                    Output::Fault(_, found) => fault = Some(found),
                    Output::Settle(voucher) => self.ordered = Some(voucher),
                    Output::Lost(_, amount) => self.lost += amount.units(),
                    Output::NeedPool(_) | Output::Credit(..) | Output::Settled(..) => {}
                }
            }
        }
        fault
    }

    /// The newest block, and what its state says of the pool, believed to `level`.
    fn show(&mut self, market: &Market, level: Level) {
        let height = market.height();
        self.feed(NOW, Input::Tip(height));
        let (state, address) =
            (market.till.pool(market.pool).unwrap(), Address::of(&self.key.public()));
        let paid = market.till.paid(market.pool, address);
        self.feed(NOW, Input::Proven(market.pool, Proof { state, paid, height, level }));
    }

    fn serve(&mut self) -> Result<(), ServeError> {
        self.payee.serve(peer())?;
        self.served += PRICE;
        Ok(())
    }

    fn give(&mut self, voucher: &Signed<Voucher>) -> Option<Fault> {
        self.feed(NOW, Input::Voucher(peer(), codec::encode(&voucher.to_compact())))
    }

    /// Serves a peer that pays for each chunk, until the payee will not.
    fn serve_all(&mut self, market: &Market) -> ServeError {
        loop {
            if let Err(error) = self.serve() {
                return error;
            }
            assert!(self.served <= DEPOSIT, "served without end");
            assert_eq!(self.give(&market.voucher(&self.key, self.served)), None);
        }
    }
}

fn peer() -> PeerId {
    PeerId(genesis::account(1).public())
}

// Case 18.
#[test]
fn a_pool_promised_twice_costs_each_honest_payee_no_more_than_its_exposure() {
    let mut market = Market::open();
    let mut stalls: Vec<_> = HONEST.map(|account| Stall::new(&market, account)).collect();
    for stall in &mut stalls {
        stall.show(&market, Level::Final);
        let refused = stall.serve_all(&market);
        assert_eq!(refused, ServeError::Pool(Fault::TooExposed));
        assert_eq!(stall.served, E_MAX);
    }
    // Half of the deposit is promised to the honest, all of it to the accomplice, who comes first.
    let all = market.voucher(&accomplice(), DEPOSIT);
    let orders = stalls.iter_mut().map(|stall| {
        let order = stall.ordered.take().expect("a settlement is ordered at the limit");
        (stall.key.clone(), order)
    });
    let block: Vec<_> = [(accomplice(), all)].into_iter().chain(orders).collect();
    assert_eq!(market.settle(block), ["pool/overdrawn"; 5]);
    market.assert_conserved();
    for stall in &mut stalls {
        stall.show(&market, Level::Final);
        let further = market.voucher(&stall.key, E_MAX + PRICE);
        assert_eq!(stall.give(&further), Some(Fault::Overdrawn));
        assert_eq!(stall.serve(), Err(ServeError::Pool(Fault::Overdrawn)));
    }
    market.pass_to(market.end.plus(1));
    for stall in &mut stalls {
        stall.show(&market, Level::Final);
        assert_eq!((stall.lost, stall.served), (E_MAX, E_MAX), "the loss is named, and all of it");
    }
    market.assert_conserved();
}

// Case 22.
#[test]
fn a_pool_that_cannot_pay_gets_no_more_than_the_first_chunks() {
    let free = 4 * PRICE;
    let tried = |market: &Market, level| {
        let mut stall = Stall::new(market, 3);
        stall.show(market, level);
        while stall.serve().is_ok() {}
        assert_eq!(stall.served, free, "e_max is {E_MAX}");
        let fault = stall.give(&market.voucher(&stall.key, PRICE));
        assert!(stall.serve().is_err(), "a worthless voucher buys nothing");
        fault
    };
    // A header that is not settled proves nothing: the voucher waits, and nothing more is served.
    assert_eq!(tried(&Market::open(), Level::Included), None);
    // What remains is below the price.
    let mut drained = Market::open();
    let most = drained.voucher(&accomplice(), DEPOSIT - 1);
    assert_eq!(drained.settle(vec![(accomplice(), most)]), [""; 0]);
    assert_eq!(tried(&drained, Level::Settled), Some(Fault::Overdrawn));
    // The end is too near to settle before it.
    let mut ending = Market::open();
    ending.pass_to(Height(ending.end.0 - 1));
    assert_eq!(tried(&ending, Level::Settled), Some(Fault::EndTooNear));
    // The pool was created, and released since.
    let mut released = Market::open();
    released.pass_to(Height(released.end.0 + FREEZE - 1));
    let release = released.till.sign(&accomplice(), Message::Release(released.pool));
    assert_eq!(released.till.settle(vec![release]), []);
    assert_eq!(tried(&released, Level::Settled), Some(Fault::NoPool));
}

// Case 22.
#[test]
fn a_proof_from_before_the_release_does_not_revive_a_pool() {
    let mut market = Market::open();
    let mut stall = Stall::new(&market, 3);
    let (state, paid, height) =
        (market.till.pool(market.pool).unwrap(), Default::default(), market.height());
    let old = Proof { state, paid, height, level: Level::Final };
    market.pass_to(Height(market.end.0 + FREEZE - 1));
    let release = market.till.sign(&accomplice(), Message::Release(market.pool));
    assert_eq!(market.till.settle(vec![release]), []);
    stall.feed(NOW, Input::Tip(market.height()));
    stall.feed(NOW, Input::Proven(market.pool, old));
    let fault = stall.give(&market.voucher(&stall.key, PRICE));
    assert_eq!(fault, Some(Fault::EndTooNear), "it was true once");
}

// Case 22.
#[test]
fn a_payee_from_whom_blocks_are_withheld_stops_and_settles_what_it_has() {
    let mut market = Market::open();
    let mut stall = Stall::new(&market, 3);
    stall.show(&market, Level::Final);
    for chunk in 1..=3 {
        stall.serve().unwrap();
        assert_eq!(stall.give(&market.voucher(&stall.key, chunk * PRICE)), None);
    }
    assert_eq!(stall.ordered, None, "not worth a settlement yet");
    let silence = stall.payee.deadline().unwrap();
    stall.feed(silence, Input::Tick);
    assert_eq!(stall.serve(), Err(ServeError::ChainStalled));
    let order = stall.ordered.take().expect("what is held is settled early");
    assert_eq!(market.settle(vec![(stall.key.clone(), order)]), [""; 0]);
    stall.show(&market, Level::Final);
    let view = &stall.payee.view()[0];
    assert_eq!(
        (view.paid.units(), view.exposure, view.held),
        (3 * PRICE, Amount::ZERO, Amount::ZERO)
    );
    market.assert_conserved();
}

fn accomplice() -> SecretKey {
    genesis::account(2)
}
