//! Ticks beside the bare hash: a payee that receives them, and a payer that reveals them.

use antiphon_core::amount::Amount;
use antiphon_core::chain::Level;
use antiphon_core::codec;
use antiphon_core::crypto::{Hash, SecretKey, Signed};
use antiphon_core::id::{Address, ChainId, Height, PeerId, PoolId, StreamId};
use antiphon_core::payment::payee::{self, Payee, PayeePolicy};
use antiphon_core::payment::payer::{self, DeviceId, Payer};
use antiphon_core::payment::reservation::{PoolRules, PoolState, PoolTerms};
use antiphon_core::payment::tick::{Ladder, MAX_TICKS, Preimage, Ticks};
use antiphon_core::payment::voucher::Voucher;
use antiphon_core::time::Moment;
use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::{Many, pair_of};

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const STREAM: StreamId = StreamId(Hash([3; 32]));
const PAYEE: Address = Address([4; 20]);
const PRICE: Amount = Amount::from_units(1);
const HEIGHT: Height = Height(20);
const NOW: Moment = Moment::ZERO;

/// Everything that payer and payee of one pool need.
struct Market {
    key: SecretKey,
    rules: PoolRules,
    terms: PoolTerms,
    state: PoolState,
    pool: PoolId,
}

/// Receives and reveals whole chains of ticks, each with the voucher that commits to it.
///
/// # Errors
///
/// A tick is refused.
pub(crate) fn measure() -> Result<()> {
    let market = Market::new()?;
    let bare = Many {
        name: "SHA-256 of 48 bytes",
        count: MAX_TICKS,
        work: &|| {
            let mut value = [9_u8; 48];
            for _ in 0..MAX_TICKS {
                let hash = Sha256::digest(value);
                let (head, _) = value.split_at_mut(32);
                head.copy_from_slice(&hash);
            }
            value != [0; 48]
        },
    };
    let (voucher, preimages) = market.chain();
    let received = || market.receive(&voucher, &preimages) == Amount::from_units(MAX_TICKS.into());
    let work = Many { name: "tick: receive, check, count", count: MAX_TICKS, work: &received };
    pair_of(&work, &bare)?;
    let reveal = || market.reveal() == MAX_TICKS;
    pair_of(&Many { name: "tick: reveal", count: MAX_TICKS, work: &reveal }, &bare)
}

impl Market {
    fn new() -> Result<Self> {
        let (key, rules) = (SecretKey::from_bytes(&[7; 32]), PoolRules::for_chain(4, 8));
        let deposit = Amount::from_units(1 << 40);
        let collateral = rules.min_collateral(deposit).context("a small deposit")?;
        let end_height = Height(rules.min_duration * 2);
        let creator = key.public();
        let terms = PoolTerms {
            creator,
            nonce: 1,
            resource: STREAM,
            deposit,
            collateral,
            end_height,
            only: None,
        };
        let state = terms.open(&rules, Height(1))?;
        let pool = terms.id(CHAIN);
        Ok(Self { key, rules, terms, state, pool })
    }

    /// A voucher with a whole chain of ticks, and all of them as they come.
    fn chain(&self) -> (Vec<u8>, Vec<Preimage>) {
        let mut ladder = Ladder::new(&self.key, CHAIN, (&self.pool, &PAYEE, 1), MAX_TICKS);
        let ticks = Some(Ticks { anchor: ladder.anchor(), price: PRICE, length: MAX_TICKS });
        let (pool, cum) = (self.pool, Amount::ZERO);
        let body = Voucher { pool, resource: STREAM, target: PAYEE, seq: 1, cum, ticks };
        let voucher = codec::encode(&Signed::new(&self.key, CHAIN, body).to_compact());
        (voucher, (1..=MAX_TICKS).filter_map(|count| ladder.preimage(count)).collect())
    }

    /// The payee machine, fed and its writes answered as a host does. Returns what it was paid.
    fn receive(&self, voucher: &[u8], preimages: &[Preimage]) -> Amount {
        let most = Amount::from_units(1 << 40);
        let policy = PayeePolicy {
            max_exposure: most,
            settle_at: most,
            final_above: most,
            ..PayeePolicy::for_price(PRICE, Amount::from_units(1))
        };
        let mut payee = Payee::new(CHAIN, PAYEE, self.rules, policy, []);
        let peer = PeerId(self.key.public());
        if payee.set_terms(peer, STREAM, PRICE).is_err() {
            return Amount::ZERO;
        }
        let (state, paid) = (self.state.clone(), Default::default());
        let proof = payee::Proof { state, paid, height: HEIGHT, level: Level::Final };
        let mut out = Vec::new();
        let opening = [
            payee::Input::Tip(HEIGHT),
            payee::Input::Offered(peer, self.pool),
            payee::Input::Proven(self.pool, Box::new(proof)),
            payee::Input::Voucher(peer, voucher.to_vec()),
        ];
        for input in opening {
            feed(&mut payee, input, &mut out);
        }
        for preimage in preimages {
            feed(&mut payee, payee::Input::Revealed(peer, *preimage), &mut out);
        }
        payee.balance(peer).0
    }

    /// The payer machine, its writes answered as a host does. Returns how many ticks it revealed.
    fn reveal(&self) -> u32 {
        let device = DeviceId([1; 16]);
        let mut payer = Payer::new(CHAIN, self.key.clone(), device, self.rules, []);
        let mut out = Vec::new();
        let opened = payer.open(self.terms.clone(), &mut out);
        let adopted = payer.adopt(self.pool, self.state.clone(), HEIGHT, &mut out);
        let committed = payer.commit(self.pool, PAYEE, (PRICE, MAX_TICKS), &mut out);
        answer(&mut payer, &mut out);
        if opened.is_err() || adopted.is_err() || committed.is_err() {
            return 0;
        }
        let mut count = 0;
        while payer.tick(self.pool, PAYEE, &mut out).is_ok() {
            answer(&mut payer, &mut out);
            count += 1;
        }
        count
    }
}

fn feed(payee: &mut Payee, input: payee::Input, out: &mut Vec<payee::Output>) {
    payee.handle(NOW, input, out);
    while let Some(output) = out.pop() {
        if let payee::Output::Store(token, ..) = output {
            payee.handle(NOW, payee::Input::Stored(token), out);
        }
    }
}

fn answer(payer: &mut Payer, out: &mut Vec<payer::Output>) {
    while let Some(output) = out.pop() {
        if let payer::Output::Store(token, ..) = output {
            payer.handle(NOW, payer::Input::Stored(token), out);
        }
    }
}
